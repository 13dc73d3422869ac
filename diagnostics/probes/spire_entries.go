package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"

	"tandem/diagnostics"
)

// EntriesArgs name an identity and the selectors of the live workload.
type EntriesArgs struct {
	SPIFFEID  string   `cel:"spiffe_id"`
	Selectors []string `cel:"selectors"`
}

// Entries are the registration entries of an identity.
type Entries struct {
	Entries          []Entry  `cel:"entries"`
	Count            int64    `cel:"count"`
	Matching         int64    `cel:"matching"`          // entries that apply to the workload
	MissingSelectors []string `cel:"missing_selectors"` // of the nearest entry, that the workload lacks; empty when one matches
	OtherIDs         []string `cel:"other_ids"`         // identities of other entries that apply to the workload
}

// Entry is one registration entry.
type Entry struct {
	ID         string        `cel:"id"`
	ParentID   string        `cel:"parent_id"`
	Selectors  []string      `cel:"selectors"`
	JWTSVIDTTL time.Duration `cel:"jwt_svid_ttl"` // 0: the server's default
	ExpiresAt  time.Time     `cel:"expires_at"`   // zero: never
	Expired    bool          `cel:"expired"`
	Matches    bool          `cel:"matches"` // every selector is one of the workload's, and it has not expired
}

const (
	spirePage     = 500
	maxSPIREPages = 20
)

// errTooManyPages ends a listing that nobody would read.
var errTooManyPages = errors.New("more than 10,000 rows")

// entries asks for the entries of the identity, and for those of others that
// apply to the same workload.
func (p spireProbes) entries(ctx context.Context, args EntriesArgs) (Entries, []diagnostics.Evidence, error) {
	id, err := spiffeid.FromString(args.SPIFFEID)
	if err != nil {
		return Entries{}, nil, &diagnostics.BlindError{Reason: diagnostics.ReasonNotConfigured, Detail: fmt.Sprintf("%q is not a SPIFFE ID", args.SPIFFEID), Next: correct("services.NAME.spiffe_id")}
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	var own, same []*types.Entry
	show := p.command("entry", "show", "-spiffeID", args.SPIFFEID)
	err = p.list(ctx, t, show, "ListEntries", func(conn grpc.ClientConnInterface) error {
		api := entryv1.NewEntryClient(conn)
		var err error
		if own, err = listEntries(ctx, api, &entryv1.ListEntriesRequest_Filter{BySpiffeId: &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()}}); err != nil || len(args.Selectors) == 0 {
			return err
		}
		same, err = listEntries(ctx, api, &entryv1.ListEntriesRequest_Filter{BySelectors: &types.SelectorMatch{Selectors: selectorsOf(args.Selectors), Match: types.SelectorMatch_MATCH_SUBSET}})
		return err
	})
	if err != nil {
		return Entries{}, t.list, err
	}
	facts := compareEntries(own, same, args, p.now())
	t.add(show, "%s", facts.words())
	return facts, t.list, nil
}

func listEntries(ctx context.Context, api entryv1.EntryClient, filter *entryv1.ListEntriesRequest_Filter) ([]*types.Entry, error) {
	var all []*types.Entry
	req := &entryv1.ListEntriesRequest{Filter: filter, PageSize: spirePage}
	for range maxSPIREPages {
		resp, err := api.ListEntries(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, resp.Entries...)
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			return all, nil
		}
	}
	return nil, errTooManyPages
}

// compareEntries judges the entries by the workload's selectors.
func compareEntries(own, same []*types.Entry, args EntriesArgs, now time.Time) Entries {
	facts := Entries{Count: int64(len(own))}
	var nearest []string
	for i, e := range own {
		entry := entryOf(e, now)
		missing := lacks(entry.Selectors, args.Selectors)
		entry.Matches = len(missing) == 0 && !entry.Expired
		if entry.Matches {
			facts.Matching++
		}
		if i == 0 || len(missing) < len(nearest) {
			nearest = missing
		}
		facts.Entries = append(facts.Entries, entry)
	}
	if facts.Matching == 0 {
		facts.MissingSelectors = nearest
	}
	for _, e := range same {
		entry, id := entryOf(e, now), idOf(e.SpiffeId)
		if id != args.SPIFFEID && !entry.Expired && len(lacks(entry.Selectors, args.Selectors)) == 0 {
			facts.OtherIDs = append(facts.OtherIDs, id)
		}
	}
	slices.Sort(facts.OtherIDs)
	facts.OtherIDs = slices.Compact(facts.OtherIDs)
	return facts
}

func entryOf(e *types.Entry, now time.Time) Entry {
	entry := Entry{ID: clean(e.Id, maxDetail), ParentID: idOf(e.ParentId), JWTSVIDTTL: time.Duration(e.JwtSvidTtl) * time.Second}
	for _, s := range e.Selectors {
		entry.Selectors = append(entry.Selectors, clean(s.Type+":"+s.Value, maxDetail))
	}
	if e.ExpiresAt > 0 {
		entry.ExpiresAt = time.Unix(e.ExpiresAt, 0).UTC()
		entry.Expired = !entry.ExpiresAt.After(now)
	}
	return entry
}

// lacks are the wanted selectors that the workload does not have. An entry
// without selectors applies to nothing.
func lacks(wanted, live []string) []string {
	if len(wanted) == 0 {
		return []string{"any"}
	}
	var missing []string
	for _, s := range wanted {
		if !slices.Contains(live, s) {
			missing = append(missing, s)
		}
	}
	return missing
}

// selectorsOf takes k8s:ns:a apart into type k8s and value ns:a.
func selectorsOf(texts []string) []*types.Selector {
	selectors := make([]*types.Selector, len(texts))
	for i, text := range texts {
		kind, value, _ := strings.Cut(text, ":")
		selectors[i] = &types.Selector{Type: kind, Value: value}
	}
	return selectors
}

func idOf(id *types.SPIFFEID) string {
	if id == nil {
		return ""
	}
	return clean("spiffe://"+id.TrustDomain+id.Path, maxDetail)
}

func (f Entries) words() string {
	if f.Count == 0 {
		return "no entry; other identities of this workload: " + list(f.OtherIDs)
	}
	lines := make([]string, len(f.Entries))
	for i, e := range f.Entries {
		lines[i] = fmt.Sprintf("entry %s: %s, matches %t", e.ID, list(e.Selectors), e.Matches)
	}
	if f.Matching == 0 {
		lines = append(lines, "the workload lacks "+list(f.MissingSelectors))
	}
	return strings.Join(lines, "\n")
}
