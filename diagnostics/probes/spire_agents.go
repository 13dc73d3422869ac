package probes

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"

	"tandem/diagnostics"
)

const shownAgents = 5 // in the evidence

// Agents are the SPIRE agents.
type Agents struct {
	Agents  []Agent `cel:"agents"`
	Total   int64   `cel:"total"`
	Healthy int64   `cel:"healthy"` // neither banned nor expired
	Banned  int64   `cel:"banned"`
	Expired int64   `cel:"expired"`
	Nodes   int64   `cel:"nodes"` // agents that tell their node
}

// Agent is one SPIRE agent.
type Agent struct {
	ID          string    `cel:"id"`
	Name        string    `cel:"name"` // its node, or the last part of its ID when it does not tell
	Node        string    `cel:"node"` // of the cluster, as attestation by k8s_psat or k8s_sat tells it; empty: it does not
	Attestation string    `cel:"attestation"`
	Banned      bool      `cel:"banned"`
	ExpiresAt   time.Time `cel:"expires_at"`
	Expired     bool      `cel:"expired"`
	// Late is an SVID with less than two fifths of the life that the newest SVID
	// of its peers has left: agents renew at half.
	Late        bool   `cel:"late"`
	Serial      string `cel:"serial"`
	CanReattest bool   `cel:"can_reattest"`
	Version     string `cel:"version"` // empty: the server does not tell
}

func (p spireProbes) agents(ctx context.Context, _ None) (Agents, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	var all []*types.Agent
	show := p.command("agent", "list")
	err := p.list(ctx, t, show, "ListAgents", func(conn grpc.ClientConnInterface) error {
		var err error
		all, err = listAgents(ctx, agentv1.NewAgentClient(conn))
		return err
	})
	if err != nil {
		return Agents{}, t.list, err
	}
	facts := Agents{}
	for _, a := range all {
		facts.take(a, p.now())
	}
	facts.compare(p.now())
	t.add(show, "%s", facts.words())
	return facts, t.list, nil
}

func listAgents(ctx context.Context, api agentv1.AgentClient) ([]*types.Agent, error) {
	var all []*types.Agent
	req := &agentv1.ListAgentsRequest{PageSize: spirePage}
	for range maxSPIREPages {
		resp, err := api.ListAgents(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, resp.Agents...)
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			return all, nil
		}
	}
	return nil, errTooManyPages
}

// take counts an agent. A banned one has no serial number and no expiry.
func (f *Agents) take(a *types.Agent, now time.Time) {
	agent := Agent{
		ID: idOf(a.Id), Node: nodeOf(a), Attestation: clean(a.AttestationType, maxDetail), Banned: a.Banned,
		Serial: clean(a.X509SvidSerialNumber, maxDetail), CanReattest: a.CanReattest, Version: clean(a.AgentVersion, maxDetail),
	}
	agent.Name = cmp.Or(agent.Node, path.Base(agent.ID))
	if agent.Node != "" {
		f.Nodes++
	}
	if a.X509SvidExpiresAt > 0 {
		agent.ExpiresAt = time.Unix(a.X509SvidExpiresAt, 0).UTC()
		agent.Expired = !agent.ExpiresAt.After(now)
	}
	f.Total++
	switch {
	case agent.Banned:
		f.Banned++
	case agent.Expired:
		f.Expired++
	default:
		f.Healthy++
	}
	f.Agents = append(f.Agents, agent)
}

// nodeOf is the cluster's node that an agent attested as.
func nodeOf(a *types.Agent) string {
	for _, s := range a.Selectors {
		if name, is := strings.CutPrefix(s.Value, "agent_node_name:"); is && strings.HasPrefix(s.Type, "k8s_") {
			return clean(name, maxDetail)
		}
	}
	return ""
}

// compare finds the agents that renew later than their peers do. All get the
// same life from the server, and ask for a new SVID at half of it, with a tenth
// of that as jitter.
func (f *Agents) compare(now time.Time) {
	var longest time.Duration
	for _, a := range f.Agents {
		if !a.Banned {
			longest = max(longest, a.ExpiresAt.Sub(now))
		}
	}
	for i := range f.Agents {
		a := &f.Agents[i]
		a.Late = !a.Banned && !a.Expired && !a.ExpiresAt.IsZero() && a.ExpiresAt.Sub(now) < longest*2/5
	}
}

func (f *Agents) words() string {
	text := fmt.Sprintf("%d agents: %d healthy, %d banned, %d expired", f.Total, f.Healthy, f.Banned, f.Expired)
	worst := slices.Clone(f.Agents)
	slices.SortStableFunc(worst, func(a, b Agent) int {
		if a.Banned != b.Banned {
			return map[bool]int{true: -1, false: 1}[a.Banned]
		}
		return a.ExpiresAt.Compare(b.ExpiresAt)
	})
	for i, a := range worst {
		if i == shownAgents {
			return text + fmt.Sprintf("\nand %d more", len(worst)-i)
		}
		state := "until " + a.ExpiresAt.Format(time.RFC3339)
		if a.Banned {
			state = "banned"
		}
		text += fmt.Sprintf("\n%s: %s, version %s", a.Name, state, cmp.Or(a.Version, "not told"))
	}
	return text
}
