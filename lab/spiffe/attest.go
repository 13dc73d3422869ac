package spiffe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Peer is the process at the other end of the Workload API's socket, as the kernel tells it.
type Peer struct {
	PID int32
	UID uint32
}

// Attestor finds the selectors of a workload, each as type:value. It is read-only and safe for concurrent use.
type Attestor func(context.Context, Peer) ([]string, error)

// Names of the environment variables that make a process of the lab a pod.
const (
	envNamespace      = "POD_NAMESPACE"
	envServiceAccount = "POD_SERVICE_ACCOUNT"
	envLabels         = "POD_LABELS" // k=v,k=v
)

// ProcAttestor reads /proc. A process that was started with POD_NAMESPACE and POD_SERVICE_ACCOUNT is that pod; any
// other one is a Unix process.
func ProcAttestor(_ context.Context, p Peer) ([]string, error) {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID))
	if err != nil {
		return nil, fmt.Errorf("read environment of process %d: %w", p.PID, errors.Unwrap(err))
	}
	if selectors := podSelectors(environ); selectors != nil {
		return selectors, nil
	}
	selectors := []string{fmt.Sprintf("unix:uid:%d", p.UID)}
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID)); err == nil {
		selectors = append(selectors, "unix:path:"+exe)
	}
	return selectors, nil
}

// podSelectors reads a /proc environ; it is nil if the process is no pod. Nothing else of the environment is kept.
func podSelectors(environ []byte) []string {
	var ns, sa, labels string
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		key, value, _ := strings.Cut(string(entry), "=")
		switch key {
		case envNamespace:
			ns = value
		case envServiceAccount:
			sa = value
		case envLabels:
			labels = value
		}
	}
	if ns == "" || sa == "" {
		return nil
	}
	selectors := []string{"k8s:ns:" + ns, "k8s:sa:" + sa}
	for label := range strings.SplitSeq(labels, ",") {
		if key, value, found := strings.Cut(strings.TrimSpace(label), "="); found && key != "" {
			selectors = append(selectors, "k8s:pod-label:"+key+":"+value)
		}
	}
	slices.Sort(selectors)
	return slices.Compact(selectors)
}

// peerCredentials asks the kernel who is at the other end, once a connection. It encrypts nothing: the socket is local.
type peerCredentials struct{}

// peerInfo carries the Peer to the handlers.
type peerInfo struct {
	credentials.CommonAuthInfo
	Peer
}

func (peerInfo) AuthType() string { return "peercred" }

func (peerCredentials) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	p, err := peerOf(c)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for peer of socket: %w", err)
	}
	return c, peerInfo{CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}, Peer: p}, nil
}

func (peerCredentials) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("peer credentials are for servers")
}

func (peerCredentials) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "peercred"}
}

func (c peerCredentials) Clone() credentials.TransportCredentials { return c }

func (peerCredentials) OverrideServerName(string) error { return nil }

func peerOf(c net.Conn) (Peer, error) {
	unixConn, ok := c.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("%T is no Unix socket", c)
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *syscall.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return Peer{}, err
	}
	if credErr != nil {
		return Peer{}, credErr
	}
	return Peer{PID: cred.Pid, UID: cred.Uid}, nil
}

// peerFrom is the caller of a gRPC method.
func peerFrom(ctx context.Context) (Peer, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Peer{}, errors.New("no peer in the request")
	}
	info, ok := p.AuthInfo.(peerInfo)
	if !ok {
		return Peer{}, fmt.Errorf("peer came by %T", p.AuthInfo)
	}
	return info.Peer, nil
}
