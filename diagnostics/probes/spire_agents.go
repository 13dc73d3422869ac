package probes

import (
	"context"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"

	"tandem/diagnostics"
)

// Agents are the SPIRE agents.
type Agents struct {
	Agents  []Agent `cel:"agents"`
	Total   int64   `cel:"total"`
	Healthy int64   `cel:"healthy"` // neither banned nor expired
	Banned  int64   `cel:"banned"`
	Expired int64   `cel:"expired"`
}

// Agent is one SPIRE agent.
type Agent struct {
	ID        string    `cel:"id"`
	Banned    bool      `cel:"banned"`
	ExpiresAt time.Time `cel:"expires_at"`
	Expired   bool      `cel:"expired"`
	Serial    string    `cel:"serial"`
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
	t.add(show, "%d agents: %d healthy, %d banned, %d expired", facts.Total, facts.Healthy, facts.Banned, facts.Expired)
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
	agent := Agent{ID: idOf(a.Id), Banned: a.Banned, Serial: clean(a.X509SvidSerialNumber, maxDetail)}
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
