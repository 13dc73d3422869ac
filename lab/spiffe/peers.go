package spiffe

import (
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// peers are the agents of the cluster's further nodes. They attest and renew as the first does, and serve nobody. It is
// safe for concurrent use.
type peers struct {
	td  spiffeid.TrustDomain
	ttl time.Duration
	now func() time.Time

	mu     sync.Mutex
	nodes  []*node
	states []string // as many as nodes
}

// set makes as many agents as there are states, each in its state. Those that are too many leave with their nodes.
func (p *peers) set(states []string) {
	for i, n := range p.resize(len(states)) {
		was := p.state(i)
		p.change(i, states[i])
		switch {
		case was == states[i]:
		case states[i] == AgentExpired:
			n.expire(-time.Second)
		case states[i] == AgentStuck:
			n.expire(p.ttl * 3 / 10)
		}
	}
	p.sync()
}

// resize drops agents, or attests more while they are healthy.
func (p *peers) resize(wanted int) []*node {
	p.mu.Lock()
	first := len(p.nodes)
	for i := first; i < wanted; i++ {
		p.states = append(p.states, "")
		p.nodes = append(p.nodes, newNode(p.td, i+2, p.ttl, p.now, func() string { return p.state(i) }))
	}
	p.nodes, p.states = p.nodes[:wanted], p.states[:wanted]
	nodes := append([]*node(nil), p.nodes...)
	p.mu.Unlock()
	for i := first; i < wanted; i++ {
		_ = nodes[i].attest() // a healthy one is not refused
	}
	return nodes
}

func (p *peers) change(i int, state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[i] = state
}

// state is that of one peer; of one that is gone it does not matter.
func (p *peers) state(i int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i < len(p.states) {
		return p.states[i]
	}
	return ""
}

// all are the agents there are now.
func (p *peers) all() []*node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*node(nil), p.nodes...)
}

// sync lets each do what it does by itself. That one is refused is its state.
func (p *peers) sync() {
	for _, n := range p.all() {
		_ = n.attest()
	}
}
