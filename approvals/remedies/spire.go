package remedies

import (
	"context"
	"time"

	"google.golang.org/grpc/credentials"
)

// SPIRE is how the remedies reach the SPIRE server and its pods.
type SPIRE struct {
	Server            string // address that is read from; empty: none
	ServerCredentials credentials.TransportCredentials
	// Admin is an address that may change entries: the server's local socket, or
	// host:port that takes an admin X509-SVID. It is connected to only while an
	// approved plan is carried out. Empty: entries cannot be changed.
	Admin            string
	AdminCredentials func(context.Context) (credentials.TransportCredentials, error) // nil: none, as on a socket
	Entries          []Entry                                                         // declared: what entries may be made to be
	AgentSet         *Workload                                                       // the DaemonSet of the agents
	ServerSet        *Workload                                                       // the StatefulSet of the server
}

// Entry is a declared registration entry.
type Entry struct {
	SPIFFEID, ParentID string
	Selectors          []string      // like k8s:ns:a
	JWTTTL, X509TTL    time.Duration // zero: the server's
	DNSNames           []string
	Hint               string
}
