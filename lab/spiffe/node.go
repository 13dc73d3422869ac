package spiffe

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	serverPath   = "/spire/server"
	clusterName  = "neural-hive"
	attestation  = "k8s_psat"
	agentVersion = "1.15.2"
	olderVersion = "1.14.4"
)

// nodeName is the name of the cluster's nth node, from 1 on.
func nodeName(n int) string { return fmt.Sprintf("neural-hive-node-%d", n) }

// node is one attested agent as the server knows it. It is safe for concurrent use.
type node struct {
	id        spiffeid.ID
	alias     spiffeid.ID // the cluster, which entries name as their parent
	selectors []*types.Selector
	ttl       time.Duration
	now       func() time.Time
	state     func() string // one of the values of Faults.AgentState or Faults.Peers

	mu        sync.Mutex
	attested  bool
	banned    bool
	serial    string
	expiresAt time.Time
}

// newNode is the agent of the cluster's nth node, not yet attested.
func newNode(td spiffeid.TrustDomain, n int, ttl time.Duration, now func() time.Time, state func() string) *node {
	uuid := newUUID()
	selector := func(value string) *types.Selector { return &types.Selector{Type: attestation, Value: value} }
	return &node{
		id:    spiffeid.RequireFromPath(td, "/spire/agent/"+attestation+"/"+clusterName+"/"+uuid),
		alias: spiffeid.RequireFromPath(td, "/cluster/"+clusterName),
		selectors: []*types.Selector{
			selector("cluster:" + clusterName), selector("agent_ns:spire-system"), selector("agent_sa:spire-agent"),
			selector("agent_node_name:" + nodeName(n)), selector("agent_node_uid:" + uuid),
		},
		ttl: ttl, now: now, state: state,
	}
}

// aliasEntry gives every agent of the cluster the entries below the alias.
func (n *node) aliasEntry() Entry {
	return Entry{
		SPIFFEID:  n.alias.String(),
		ParentID:  n.alias.TrustDomain().ID().String() + serverPath,
		Selectors: []string{attestation + ":cluster:" + clusterName},
	}
}

// attest is what the agent does by itself at each sync: attest if the server does not know it, and anew at half the
// life of its SVID. A banned agent cannot.
func (n *node) attest() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refusal(); err != nil {
		return err
	}
	if n.attested && (n.state() == AgentStuck || n.now().Before(n.expiresAt.Add(-n.ttl/2))) {
		return nil
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	n.attested, n.serial, n.expiresAt = true, serial.String(), n.now().Add(n.ttl)
	return nil
}

// authorize tells whether the server would answer this agent, in SPIRE's words if not.
func (n *node) authorize() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refusal(); err != nil {
		return err
	}
	switch {
	case !n.attested:
		return n.denied("is not attested")
	case n.now().After(n.expiresAt):
		return n.denied("SVID is expired")
	}
	return nil
}

// refusal is for states that the agent does not get out of by itself.
func (n *node) refusal() error {
	state := n.state()
	switch {
	case state == AgentExpired:
		return n.denied("SVID is expired")
	case state == AgentEvicted:
		return n.denied("is not attested")
	case state == AgentBanned, n.banned:
		return n.denied("is banned")
	}
	return nil
}

func (n *node) denied(what string) error {
	return status.Errorf(codes.PermissionDenied, "agent %q %s", n.id, what)
}

// expire ends the agent's SVID so much from now.
func (n *node) expire(in time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expiresAt = n.now().Add(in)
}

// ban is false if the server does not know the agent.
func (n *node) ban() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known() {
		return false
	}
	n.banned = true
	return true
}

func (n *node) unban() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.banned = false
}

// evict forgets the agent, and its ban; it is false if the server does not know it. The agent attests again at its
// next sync.
func (n *node) evict() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known() {
		return false
	}
	n.attested, n.banned = false, false
	return true
}

func (n *node) known() bool { return n.attested && n.state() != AgentEvicted }

// proto is the agent as the server API says it, or nil if the server does not know it. SPIRE marks a banned agent by
// an empty serial number.
func (n *node) proto() *types.Agent {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known() {
		return nil
	}
	out := &types.Agent{
		Id: idProto(n.id), AttestationType: attestation, Selectors: n.selectors, CanReattest: true, AgentVersion: agentVersion,
		X509SvidSerialNumber: n.serial, X509SvidExpiresAt: n.expiresAt.Unix(),
	}
	if n.banned || n.state() == AgentBanned {
		out.Banned, out.X509SvidSerialNumber = true, ""
	}
	if n.state() == AgentOld {
		out.AgentVersion = olderVersion
	}
	return out
}

func (n *node) shown() *AgentState {
	p := n.proto()
	if p == nil {
		return nil
	}
	return &AgentState{ID: n.id.String(), Serial: p.X509SvidSerialNumber, ExpiresAt: p.X509SvidExpiresAt, Banned: p.Banned}
}

// newUUID is a random one, of version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends if it cannot
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
