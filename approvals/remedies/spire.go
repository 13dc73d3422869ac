package remedies

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tandem/approvals"
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

// read connects to the address that is read from, while use runs.
func (s SPIRE) read(ctx context.Context, use func(context.Context, grpc.ClientConnInterface) error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return connected(s.Server, s.ServerCredentials, func(conn grpc.ClientConnInterface) error { return use(ctx, conn) })
}

// connected lets use work with a connection.
func connected(address string, with credentials.TransportCredentials, use func(grpc.ClientConnInterface) error) (err error) {
	if with == nil {
		with = insecure.NewCredentials() // the local socket has none
	}
	conn, err := grpc.NewClient(strings.TrimPrefix(address, "tcp://"), grpc.WithTransportCredentials(with))
	if err != nil {
		return fmt.Errorf("connect to the SPIRE server: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return use(conn)
}

// spireReason says why a call to the SPIRE server failed and what to do, without
// any of its words.
func spireReason(err error) string {
	code := status.Code(err)
	if errors.Is(err, context.DeadlineExceeded) {
		code = codes.DeadlineExceeded
	}
	switch code {
	case codes.PermissionDenied, codes.Unauthenticated:
		return "the SPIRE server refuses it: its API is for its local socket and for admins"
	case codes.DeadlineExceeded:
		return "no answer in time: look at the SPIRE server: spire-server healthcheck"
	case codes.Unavailable:
		return "no answer: look at the SPIRE server: spire-server healthcheck"
	default:
		return fmt.Sprintf("the SPIRE server answers %s: its log has the reason", code)
	}
}

// attests is the precondition that a new agent of a node could attest, since one
// that cannot takes the identities of the node's workloads away. It is none where
// no SPIRE server is configured.
func (d Deps) attests(ctx context.Context, node string) []approvals.Precondition {
	if d.SPIRE.Server == "" {
		return nil
	}
	c := approvals.Precondition{Text: both("The SPIRE server answers, and nobody banned the agent of this node, so that a new one can attest.",
		"O servidor SPIRE responde, e ninguém baniu o agente deste nó, para que um novo possa se atestar.")}
	var agents []*types.Agent
	err := d.SPIRE.read(ctx, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		answer, err := agentv1.NewAgentClient(conn).ListAgents(ctx, &agentv1.ListAgentsRequest{Filter: &agentv1.ListAgentsRequest_Filter{
			BySelectorMatch: &types.SelectorMatch{
				Match:     types.SelectorMatch_MATCH_SUPERSET,
				Selectors: []*types.Selector{{Type: "k8s_psat", Value: "agent_node_name:" + node}},
			},
		}})
		agents = answer.GetAgents()
		return err
	})
	c.Holds, c.Observed = err == nil, "the server answers"
	if err != nil {
		c.Observed = spireReason(err)
	}
	for _, a := range agents {
		if a.Banned {
			c.Holds, c.Observed = false, "the agent of "+node+" is banned, which was somebody's decision"
		}
	}
	return []approvals.Precondition{c}
}

// spireProof are the checks of SPIRE that prove a repair: none can where no SPIRE
// server is configured.
func (d Deps) spireProof(want approvals.Want, codes ...string) []string {
	if d.SPIRE.Server == "" {
		codes = nil
	}
	return proof(want, codes...)
}
