package spiffe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
)

// entryAPI is entry.v1 on the entry store.
type entryAPI struct {
	entryv1.UnimplementedEntryServer

	td    spiffeid.TrustDomain
	store *entryStore
}

func everyEntry(*types.Entry) bool { return true }

// entryFilter is the filter of ListEntries; CountEntries has the same fields in a type of its own.
type entryFilter struct {
	spiffeID, parentID string
	selectors          *types.SelectorMatch
	federatesWith      *types.FederatesWithMatch
	hint               *string
	downstream         *bool
}

// newEntryFilter refuses what SPIRE refuses.
func newEntryFilter(td spiffeid.TrustDomain, f *entryv1.ListEntriesRequest_Filter) (entryFilter, error) {
	out := entryFilter{selectors: f.GetBySelectors(), federatesWith: f.GetByFederatesWith()}
	if f.GetByParentId() != nil {
		id, err := memberID(td, f.ByParentId)
		if err != nil {
			return out, apiError(codes.InvalidArgument, "malformed parent ID filter", err)
		}
		out.parentID = id.String()
	}
	if f.GetBySpiffeId() != nil {
		id, err := workloadID(td, f.BySpiffeId)
		if err != nil {
			return out, apiError(codes.InvalidArgument, "malformed SPIFFE ID filter", err)
		}
		out.spiffeID = id.String()
	}
	if f.GetBySelectors() != nil {
		if err := checkSelectorFilter(f.BySelectors); err != nil {
			return out, apiError(codes.InvalidArgument, "malformed selectors filter", err)
		}
	}
	if f.GetByHint() != nil {
		out.hint = &f.ByHint.Value
	}
	if f.GetByDownstream() != nil {
		out.downstream = &f.ByDownstream.Value
	}
	return out, nil
}

func checkSelectorFilter(m *types.SelectorMatch) error {
	if err := checkSelectors(m.Selectors); err != nil {
		return err
	}
	if len(m.Selectors) == 0 {
		return errors.New("empty selector set")
	}
	return nil
}

func (f entryFilter) keeps(e *types.Entry) bool {
	return (f.spiffeID == "" || f.spiffeID == idString(e.SpiffeId)) &&
		(f.parentID == "" || f.parentID == idString(e.ParentId)) &&
		(f.selectors == nil || matchSelectors(e.Selectors, f.selectors)) &&
		(f.federatesWith == nil || matchSelectors(asSelectors(e.FederatesWith), f.federatesAsSelectors())) &&
		(f.hint == nil || *f.hint == e.Hint) &&
		(f.downstream == nil || *f.downstream == e.Downstream)
}

// federatesAsSelectors uses that both matches have the same rules and numbers.
func (f entryFilter) federatesAsSelectors() *types.SelectorMatch {
	return &types.SelectorMatch{
		Match:     types.SelectorMatch_MatchBehavior(f.federatesWith.Match),
		Selectors: asSelectors(f.federatesWith.TrustDomains),
	}
}

func asSelectors(names []string) []*types.Selector {
	out := make([]*types.Selector, len(names))
	for i, name := range names {
		out[i] = &types.Selector{Value: name}
	}
	return out
}

// CountEntries counts what ListEntries would list.
func (a *entryAPI) CountEntries(_ context.Context, req *entryv1.CountEntriesRequest) (*entryv1.CountEntriesResponse, error) {
	f := req.GetFilter()
	filter, err := newEntryFilter(a.td, &entryv1.ListEntriesRequest_Filter{
		BySpiffeId: f.GetBySpiffeId(), ByParentId: f.GetByParentId(), BySelectors: f.GetBySelectors(),
		ByFederatesWith: f.GetByFederatesWith(), ByHint: f.GetByHint(), ByDownstream: f.GetByDownstream(),
	})
	if err != nil {
		return nil, err
	}
	return &entryv1.CountEntriesResponse{Count: int32(len(a.store.list(filter.keeps)))}, nil
}

// ListEntries lists in the order of creation.
func (a *entryAPI) ListEntries(_ context.Context, req *entryv1.ListEntriesRequest) (*entryv1.ListEntriesResponse, error) {
	filter, err := newEntryFilter(a.td, req.Filter)
	if err != nil {
		return nil, err
	}
	rows, next, err := page(a.store.list(filter.keeps), req.PageSize, req.PageToken)
	if err != nil {
		return nil, apiError(codes.Internal, "failed to list entries", err)
	}
	resp := &entryv1.ListEntriesResponse{NextPageToken: next}
	for _, r := range rows {
		applyMask(r.entry, req.OutputMask)
		resp.Entries = append(resp.Entries, r.entry)
	}
	return resp, nil
}

// GetEntry is one entry by its ID.
func (a *entryAPI) GetEntry(_ context.Context, req *entryv1.GetEntryRequest) (*types.Entry, error) {
	if req.Id == "" {
		return nil, apiError(codes.InvalidArgument, "missing ID", nil)
	}
	e := a.store.get(req.Id)
	if e == nil {
		return nil, apiError(codes.NotFound, "entry not found", nil)
	}
	applyMask(e, req.OutputMask)
	return e, nil
}

// BatchCreateEntry answers AlreadyExists with the entry there is.
func (a *entryAPI) BatchCreateEntry(_ context.Context, req *entryv1.BatchCreateEntryRequest) (*entryv1.BatchCreateEntryResponse, error) {
	resp := new(entryv1.BatchCreateEntryResponse)
	for _, e := range req.Entries {
		result := a.create(e)
		if result.Entry != nil {
			applyMask(result.Entry, req.OutputMask)
		}
		resp.Results = append(resp.Results, result)
	}
	return resp, nil
}

func (a *entryAPI) create(e *types.Entry) *entryv1.BatchCreateEntryResponse_Result {
	if err := a.check(e, nil); err != nil {
		return &entryv1.BatchCreateEntryResponse_Result{Status: apiStatus(codes.InvalidArgument, "failed to convert entry", err)}
	}
	stored, existed, err := a.store.create(e)
	switch {
	case err != nil:
		return &entryv1.BatchCreateEntryResponse_Result{Status: apiStatus(codes.Internal, "failed to create entry", err)}
	case existed:
		exists := apiStatus(codes.AlreadyExists, "similar entry already exists", nil)
		return &entryv1.BatchCreateEntryResponse_Result{Status: exists, Entry: stored}
	}
	return &entryv1.BatchCreateEntryResponse_Result{Status: apiOK(), Entry: stored}
}

// check refuses an entry that SPIRE refuses. Of an update it looks at the fields of the mask alone.
func (a *entryAPI) check(e *types.Entry, mask *types.EntryMask) error {
	if e == nil {
		return errors.New("missing entry")
	}
	if mask == nil || mask.ParentId {
		if _, err := memberID(a.td, e.ParentId); err != nil {
			return fmt.Errorf("invalid parent ID: %w", err)
		}
	}
	if mask == nil || mask.SpiffeId {
		if _, err := workloadID(a.td, e.SpiffeId); err != nil {
			return fmt.Errorf("invalid spiffe ID: %w", err)
		}
	}
	if mask == nil || mask.Selectors {
		if len(e.Selectors) == 0 {
			return errors.New("selector list is empty")
		}
		return checkSelectors(e.Selectors)
	}
	return nil
}

// BatchUpdateEntry writes the fields of the input mask, or all.
func (a *entryAPI) BatchUpdateEntry(_ context.Context, req *entryv1.BatchUpdateEntryRequest) (*entryv1.BatchUpdateEntryResponse, error) {
	resp := new(entryv1.BatchUpdateEntryResponse)
	for _, e := range req.Entries {
		result := a.update(e, req.InputMask)
		if result.Entry != nil {
			applyMask(result.Entry, req.OutputMask)
		}
		resp.Results = append(resp.Results, result)
	}
	return resp, nil
}

func (a *entryAPI) update(e *types.Entry, mask *types.EntryMask) *entryv1.BatchUpdateEntryResponse_Result {
	if err := a.check(e, mask); err != nil {
		return &entryv1.BatchUpdateEntryResponse_Result{Status: apiStatus(codes.InvalidArgument, "failed to convert entry", err)}
	}
	stored, err := a.store.update(e.Id, func(old *types.Entry) {
		created, revision := old.CreatedAt, old.RevisionNumber
		mergeMask(old, clone(e), mask)
		old.CreatedAt, old.RevisionNumber = created, revision // the server's own, whatever the mask says
	})
	if err != nil {
		return &entryv1.BatchUpdateEntryResponse_Result{Status: apiStatus(codes.Internal, "failed to update entry", err)}
	}
	return &entryv1.BatchUpdateEntryResponse_Result{Status: apiOK(), Entry: stored}
}

// BatchDeleteEntry answers NotFound for each that is not there.
func (a *entryAPI) BatchDeleteEntry(_ context.Context, req *entryv1.BatchDeleteEntryRequest) (*entryv1.BatchDeleteEntryResponse, error) {
	resp := new(entryv1.BatchDeleteEntryResponse)
	for _, id := range slices.Clone(req.Ids) {
		result := &entryv1.BatchDeleteEntryResponse_Result{Id: id, Status: apiOK()}
		switch {
		case id == "":
			result.Status = apiStatus(codes.InvalidArgument, "missing entry ID", nil)
		case !a.store.remove(id):
			result.Status = apiStatus(codes.NotFound, "entry not found", nil)
		}
		resp.Results = append(resp.Results, result)
	}
	return resp, nil
}
