package spiffe

import (
	"context"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
)

// expiresBeforeForm is the time format of SPIRE's by_expires_before filter.
const expiresBeforeForm = "2006-01-02 15:04:05 -0700 -07"

// agentAPI is agent.v1 on the attested agents.
type agentAPI struct {
	agentv1.UnimplementedAgentServer

	td    spiffeid.TrustDomain
	nodes func() []*node
}

// matching are the agents that the filter keeps, in the order in which they attested.
func (a *agentAPI) matching(f *agentv1.ListAgentsRequest_Filter) ([]*types.Agent, error) {
	if f.GetBySelectorMatch() != nil {
		if err := checkSelectors(f.BySelectorMatch.Selectors); err != nil {
			return nil, apiError(codes.InvalidArgument, "failed to parse selectors", err)
		}
	}
	var kept []*types.Agent
	for _, n := range a.nodes() {
		if p := n.proto(); p != nil && keepsAgent(f, p) {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

func keepsAgent(f *agentv1.ListAgentsRequest_Filter, p *types.Agent) bool {
	expires, err := time.Parse(expiresBeforeForm, f.GetByExpiresBefore())
	return (f.GetByAttestationType() == "" || f.ByAttestationType == p.AttestationType) &&
		(f.GetBySelectorMatch() == nil || matchSelectors(p.Selectors, f.BySelectorMatch)) &&
		(f.GetByBanned() == nil || f.ByBanned.Value == p.Banned) &&
		(f.GetByCanReattest() == nil || f.ByCanReattest.Value == p.CanReattest) &&
		(err != nil || p.X509SvidExpiresAt < expires.Unix())
}

// CountAgents counts what ListAgents would list.
func (a *agentAPI) CountAgents(_ context.Context, req *agentv1.CountAgentsRequest) (*agentv1.CountAgentsResponse, error) {
	f := req.GetFilter()
	kept, err := a.matching(&agentv1.ListAgentsRequest_Filter{
		ByAttestationType: f.GetByAttestationType(), BySelectorMatch: f.GetBySelectorMatch(), ByBanned: f.GetByBanned(),
		ByCanReattest: f.GetByCanReattest(), ByExpiresBefore: f.GetByExpiresBefore(),
	})
	return &agentv1.CountAgentsResponse{Count: int32(len(kept))}, err //nolint:gosec // a handful
}

// ListAgents lists the agents, page by page.
func (a *agentAPI) ListAgents(_ context.Context, req *agentv1.ListAgentsRequest) (*agentv1.ListAgentsResponse, error) {
	kept, err := a.matching(req.GetFilter())
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(kept))
	for i := range kept {
		rows[i].sequence = int64(i + 1)
	}
	rows, next, err := page(rows, req.PageSize, req.PageToken)
	if err != nil {
		return nil, apiError(codes.Internal, "failed to list agents", err)
	}
	resp := &agentv1.ListAgentsResponse{NextPageToken: next}
	for _, r := range rows {
		p := kept[r.sequence-1]
		applyMask(p, req.OutputMask)
		resp.Agents = append(resp.Agents, p)
	}
	return resp, nil
}

// GetAgent is the agent by its ID.
func (a *agentAPI) GetAgent(_ context.Context, req *agentv1.GetAgentRequest) (*types.Agent, error) {
	id, err := agentID(a.td, req.Id)
	if err != nil {
		return nil, apiError(codes.InvalidArgument, "invalid agent ID", err)
	}
	for _, n := range a.nodes() {
		if p := n.proto(); p != nil && id == n.id {
			applyMask(p, req.OutputMask)
			return p, nil
		}
	}
	return nil, apiError(codes.NotFound, "agent not found", nil)
}

// BanAgent keeps the agent out until it is deleted.
func (a *agentAPI) BanAgent(_ context.Context, req *agentv1.BanAgentRequest) (*emptypb.Empty, error) {
	return a.change(req.Id, (*node).ban)
}

// DeleteAgent evicts the agent; it attests again by itself.
func (a *agentAPI) DeleteAgent(_ context.Context, req *agentv1.DeleteAgentRequest) (*emptypb.Empty, error) {
	return a.change(req.Id, (*node).evict)
}

// change does something to the agent that the server knows by the ID.
func (a *agentAPI) change(p *types.SPIFFEID, do func(*node) bool) (*emptypb.Empty, error) {
	id, err := agentID(a.td, p)
	if err != nil {
		return nil, apiError(codes.InvalidArgument, "invalid agent ID", err)
	}
	for _, n := range a.nodes() {
		if id == n.id && do(n) {
			return new(emptypb.Empty), nil
		}
	}
	return nil, apiError(codes.NotFound, "agent not found", nil)
}
