package spiffe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// entryStore is the server's registration entries. What goes in and out is copied. It is safe for concurrent use.
type entryStore struct {
	td  spiffeid.TrustDomain
	now func() time.Time

	mu   sync.Mutex
	last int64
	rows []row // by sequence
}

// row is one stored thing with the number that pages are cut by, as the datastore of SPIRE has it.
type row struct {
	sequence int64
	entry    *types.Entry
}

func newEntryStore(td spiffeid.TrustDomain, now func() time.Time) *entryStore {
	return &entryStore{td: td, now: now}
}

// create adds an entry, or returns the one there is with the same SPIFFE ID, parent and selectors.
func (s *entryStore) create(e *types.Entry) (stored *types.Entry, existed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.similar(e); ok {
		return clone(r.entry), true, nil
	}
	e = clone(e)
	if e.Id == "" {
		e.Id = newUUID()
	} else if s.index(e.Id) >= 0 {
		return nil, false, status.Error(codes.AlreadyExists, "datastore-sql: UNIQUE constraint failed: registered_entries.entry_id")
	}
	e.CreatedAt, e.RevisionNumber = s.now().Unix(), 0
	s.last++
	s.rows = append(s.rows, row{sequence: s.last, entry: e})
	return clone(e), false, nil
}

// get is nil if there is no such entry.
func (s *entryStore) get(id string) *types.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(id); i >= 0 {
		return clone(s.rows[i].entry)
	}
	return nil
}

// update runs change on a copy of the entry and stores that as its next revision.
func (s *entryStore) update(id string, change func(*types.Entry)) (*types.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return nil, status.Error(codes.NotFound, "datastore-sql: record not found")
	}
	e := clone(s.rows[i].entry)
	change(e)
	e.RevisionNumber++
	s.rows[i].entry = e
	return clone(e), nil
}

// remove is false if there is no such entry.
func (s *entryStore) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return false
	}
	s.rows = slices.Delete(s.rows, i, i+1)
	return true
}

// list is what keep keeps, in the order of creation.
func (s *entryStore) list(keep func(*types.Entry) bool) []row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []row
	for _, r := range s.rows {
		if keep(r.entry) {
			out = append(out, row{sequence: r.sequence, entry: clone(r.entry)})
		}
	}
	return out
}

// authorized are the entries that an agent gets: those below it, and below the aliases that its selectors give it.
// An entry that has expired is gone for the agent.
func (s *entryStore) authorized(agent spiffeid.ID, selectors []*types.Selector) []*types.Entry {
	server := s.td.ID().String() + serverPath
	parents := map[string]bool{agent.String(): true}
	all := s.list(func(e *types.Entry) bool { return e.ExpiresAt == 0 || e.ExpiresAt > s.now().Unix() })
	for _, r := range all {
		if idString(r.entry.ParentId) == server && subset(r.entry.Selectors, selectors) {
			parents[idString(r.entry.SpiffeId)] = true
		}
	}
	var out []*types.Entry
	for _, r := range all {
		if parents[idString(r.entry.ParentId)] {
			out = append(out, r.entry)
		}
	}
	return out
}

func (s *entryStore) index(id string) int {
	return slices.IndexFunc(s.rows, func(r row) bool { return r.entry.Id == id })
}

func (s *entryStore) similar(e *types.Entry) (row, bool) {
	i := slices.IndexFunc(s.rows, func(r row) bool {
		return idString(r.entry.SpiffeId) == idString(e.SpiffeId) &&
			idString(r.entry.ParentId) == idString(e.ParentId) &&
			matchSelectors(r.entry.Selectors, &types.SelectorMatch{Match: types.SelectorMatch_MATCH_EXACT, Selectors: e.Selectors})
	})
	if i < 0 {
		return row{}, false
	}
	return s.rows[i], true
}

// page cuts rows as SPIRE does: the token is the last row's number, and a full last page is followed by an empty one.
func page(rows []row, size int32, token string) (cut []row, next string, err error) {
	if size <= 0 {
		return rows, "", nil
	}
	var after int64
	if token != "" {
		if after, err = strconv.ParseInt(token, 10, 64); err != nil {
			return nil, "", status.Errorf(codes.InvalidArgument, "could not parse token '%v'", token)
		}
	}
	start, _ := slices.BinarySearchFunc(rows, after+1, func(r row, n int64) int { return cmp.Compare(r.sequence, n) })
	cut = rows[start:min(start+int(size), len(rows))]
	if len(cut) == 0 {
		return nil, "", nil
	}
	return cut, strconv.FormatInt(cut[len(cut)-1].sequence, 10), nil
}

// proto is the configured entry as the server stores it.
func (e Entry) proto() (*types.Entry, error) {
	id, err := spiffeid.FromString(e.SPIFFEID)
	if err != nil {
		return nil, fmt.Errorf("spiffe_id: %w", err)
	}
	parent, err := spiffeid.FromString(e.ParentID)
	if err != nil {
		return nil, fmt.Errorf("parent_id: %w", err)
	}
	selectors, err := parseSelectors(e.Selectors)
	if err != nil {
		return nil, fmt.Errorf("selectors: %w", err)
	}
	return &types.Entry{
		SpiffeId: idProto(id), ParentId: idProto(parent), Selectors: selectors, Hint: e.Hint, DnsNames: e.DNSNames,
		JwtSvidTtl: seconds(e.JWTTTL), X509SvidTtl: seconds(e.X509TTL),
	}, nil
}

func seconds(d Duration) int32 { return int32(time.Duration(d) / time.Second) }

// parseSelectors reads type:value texts.
func parseSelectors(texts []string) ([]*types.Selector, error) {
	if len(texts) == 0 {
		return nil, errors.New("is empty, give at least one type:value")
	}
	var out []*types.Selector
	for _, text := range texts {
		kind, value, found := strings.Cut(text, ":")
		if !found || kind == "" || value == "" {
			return nil, fmt.Errorf("%q is not type:value", text)
		}
		out = append(out, &types.Selector{Type: kind, Value: value})
	}
	return out, nil
}

func clone(e *types.Entry) *types.Entry { return proto.Clone(e).(*types.Entry) }

func idProto(id spiffeid.ID) *types.SPIFFEID {
	return &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()}
}

func idString(id *types.SPIFFEID) string { return "spiffe://" + id.GetTrustDomain() + id.GetPath() }
