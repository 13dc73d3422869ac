package spiffe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// mode is how an endpoint behaves to a client that dials it.
type mode int

const (
	modeMissing mode = iota // nothing there: a Unix socket's file is gone, a port refuses
	modeServe
	modeRefused // a Unix socket's file is there, and nobody listens
	modeHang    // accepts, and never answers
)

// stopGrace is how long an HTTP server may take to end its handlers: a part of the lab stops within two seconds.
const stopGrace = 500 * time.Millisecond

// server is what an endpoint runs on its listener. Stop ends Serve and waits for the handlers.
type server interface {
	Serve(net.Listener) error
	Stop()
}

type grpcServer struct{ *grpc.Server }

type httpServer struct{ *http.Server }

// Stop lets running handlers end, for a moment.
func (h httpServer) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if h.Shutdown(ctx) != nil {
		_ = h.Close()
	}
}

// endpoint is one address that can be served, be missing, refuse or hang, and change between these while clients are
// connected. Its methods are safe to call from several goroutines.
type endpoint struct {
	network   string
	perm      os.FileMode
	newServer func() server

	mu      sync.Mutex
	address string
	mode    mode
	stop    func() // ends what the mode runs, and waits for it; nil if nothing runs
}

func unixEndpoint(path string, perm os.FileMode, newServer func() server) *endpoint {
	return &endpoint{network: "unix", address: path, perm: perm, newServer: newServer}
}

func tcpEndpoint(address string, newServer func() server) *endpoint {
	return &endpoint{network: "tcp", address: address, newServer: newServer}
}

// addr is the address in use: the port that was chosen, if the configuration asked for port 0.
func (e *endpoint) addr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.address
}

// set changes the mode. Connections of the mode before are cut.
func (e *endpoint) set(m mode) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mode == m {
		return nil
	}
	if e.stop != nil {
		e.stop()
		e.stop = nil
	}
	e.mode = m
	switch m {
	case modeServe:
		return e.start(e.newServer())
	case modeHang:
		return e.start(newHanger())
	case modeRefused:
		return e.refuse()
	default:
		return e.remove()
	}
}

func (e *endpoint) start(s server) error {
	l, err := e.listen()
	if err != nil {
		e.mode = modeMissing
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends by Stop alone; the listener's own failure shows to every client
	}()
	e.stop = func() {
		s.Stop()
		_ = l.Close() // Stop does not know a listener that Serve had not yet taken
		<-done
	}
	return nil
}

func (e *endpoint) listen() (net.Listener, error) {
	if err := e.prepare(); err != nil {
		return nil, err
	}
	l, err := net.Listen(e.network, e.address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", e.address, err)
	}
	if e.network != "unix" {
		e.address = l.Addr().String()
		return l, nil
	}
	if err := os.Chmod(e.address, e.perm); err != nil {
		return nil, errors.Join(fmt.Errorf("open socket to its users: %w", err), l.Close())
	}
	return l, nil
}

// prepare makes a socket's folder and takes away the file that a killed process left.
func (e *endpoint) prepare() error {
	if e.network != "unix" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(e.address), 0o755); err != nil {
		return fmt.Errorf("make socket folder: %w", err)
	}
	return e.remove()
}

// remove takes the socket's file away; anything that is not a socket is left alone.
func (e *endpoint) remove() error {
	if e.network != "unix" {
		return nil
	}
	info, err := os.Lstat(e.address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is not a socket: move it away or configure another path", e.address)
	}
	if err := os.Remove(e.address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove socket: %w", err)
	}
	return nil
}

// refuse leaves the socket's file with nobody behind it, as a killed process does.
func (e *endpoint) refuse() error {
	if e.network != "unix" {
		return nil
	}
	l, err := e.listen()
	if err != nil {
		return err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	return l.Close()
}

// hanger accepts connections and holds them without a word.
type hanger struct {
	mu      sync.Mutex
	stopped bool
	open    []net.Conn
	l       net.Listener
}

func newHanger() *hanger { return &hanger{} }

// Serve holds connections until Stop.
func (h *hanger) Serve(l net.Listener) error {
	if !h.hold(nil, l) {
		return net.ErrClosed
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		if !h.hold(c, l) {
			return errors.Join(net.ErrClosed, c.Close())
		}
	}
}

// hold keeps the connection and the listener for Stop; it is false after Stop.
func (h *hanger) hold(c net.Conn, l net.Listener) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.l = l
	if c != nil {
		h.open = append(h.open, c)
	}
	return true
}

// Stop closes the listener and everything held.
func (h *hanger) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.l != nil {
		_ = h.l.Close()
	}
	for _, c := range h.open {
		_ = c.Close()
	}
	h.open = nil
}
