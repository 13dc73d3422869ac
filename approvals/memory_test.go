package approvals_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"tandem/approvals"
)

// memory is a store for tests: exact in what Store and Leases promise, and
// durable as long as the test. Jobs are kept until somebody takes them.
type memory struct {
	now func() time.Time

	mu       sync.Mutex
	requests map[string][]byte // as JSON, so that nobody shares a slice with it
	order    []string
	cards    map[string]approvals.Card
	chain    []approvals.Entry
	frozen   []approvals.Freeze
	jobs     []approvals.Job
	leases   map[string]held
	broken   *approvals.Break
	fail     func(approvals.Change) error // before it writes
	after    func(approvals.Change) error // after it wrote: the answer is lost
}

type held struct {
	owner string
	until time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, requests: map[string][]byte{}, cards: map[string]approvals.Card{}, leases: map[string]held{}}
}

func (m *memory) Commit(ctx context.Context, c approvals.Change) (approvals.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return approvals.Entry{}, err
	}
	if m.fail != nil {
		if err := m.fail(c); err != nil {
			return approvals.Entry{}, err
		}
	}
	if err := told(c); err != nil {
		return approvals.Entry{}, err
	}
	if err := m.writeBoth(c); err != nil {
		return approvals.Entry{}, err
	}
	if c.Card != nil {
		m.cards[c.Card.Request] = c.Card.Card
	}
	m.freeze(c)
	m.jobs = append(m.jobs, c.Jobs...)
	last := m.seal(c.Notes)
	if m.after != nil {
		return last, m.after(c)
	}
	return last, nil
}

// told wants a note about each request that is written, and says in it what the
// request becomes.
func told(c approvals.Change) error {
	for i := range c.Notes {
		c.Notes[i].State = ""
	}
	for _, r := range []*approvals.Request{c.Request, c.Also} {
		if r == nil {
			continue
		}
		if !slices.ContainsFunc(c.Notes, func(n approvals.Note) bool { return n.Request == r.ID }) {
			return errors.New("no note tells of the change")
		}
		for i := range c.Notes {
			if c.Notes[i].Request == r.ID {
				c.Notes[i].State = r.State
			}
		}
	}
	return nil
}

func (m *memory) writeBoth(c approvals.Change) error {
	before, order := map[string][]byte{}, slices.Clone(m.order)
	for id, raw := range m.requests {
		before[id] = raw
	}
	for _, r := range []*approvals.Request{c.Request, c.Also} {
		if r == nil {
			continue
		}
		if err := m.write(*r); err != nil {
			m.requests, m.order = before, order
			return err
		}
	}
	return nil
}

func (m *memory) write(r approvals.Request) error {
	old, ok := m.read(r.ID)
	if ok != (r.Version > 0) || old.Version != r.Version {
		return approvals.ErrConflict
	}
	if slices.Contains(approvals.Open(), r.State) {
		for _, id := range m.order {
			if other, _ := m.read(id); id != r.ID && other.Plan.Target == r.Plan.Target && slices.Contains(approvals.Open(), other.State) {
				return approvals.ErrConflict
			}
		}
	}
	r.Version++
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if !ok {
		m.order = append(m.order, r.ID)
	}
	m.requests[r.ID] = raw
	return nil
}

func (m *memory) read(id string) (approvals.Request, bool) {
	raw, ok := m.requests[id]
	if !ok {
		return approvals.Request{}, false
	}
	var r approvals.Request
	if err := json.Unmarshal(raw, &r); err != nil {
		panic(err)
	}
	r.Card = m.cards[id]
	return r, true
}

func (m *memory) freeze(c approvals.Change) {
	drop := c.Unfreeze
	if c.Freeze != nil {
		drop = c.Freeze.Target
	}
	m.frozen = slices.DeleteFunc(m.frozen, func(f approvals.Freeze) bool { return f.Target == drop })
	if c.Freeze != nil {
		m.frozen = append(m.frozen, *c.Freeze)
	}
}

func (m *memory) seal(notes []approvals.Note) approvals.Entry {
	for _, n := range notes {
		before := approvals.Genesis
		if len(m.chain) > 0 {
			before = m.chain[len(m.chain)-1].Hash
		}
		m.chain = append(m.chain, approvals.Seal(n, int64(len(m.chain)+1), before))
	}
	if len(m.chain) == 0 {
		return approvals.Entry{}
	}
	return m.chain[len(m.chain)-1]
}

func (m *memory) Request(ctx context.Context, id string) (approvals.Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.read(id)
	if !ok {
		return r, approvals.ErrNotFound
	}
	return r, ctx.Err()
}

func (m *memory) Requests(ctx context.Context, f approvals.Filter) ([]approvals.Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []approvals.Request
	for _, id := range slices.Backward(m.order) {
		r, _ := m.read(id)
		if m.matches(r, f) {
			found = append(found, r)
		}
	}
	if f.Limit == 0 {
		f.Limit = 50
	}
	return found[:min(len(found), f.Limit)], ctx.Err()
}

func (m *memory) matches(r approvals.Request, f approvals.Filter) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(f.Requester == "" || f.Requester == r.Requester.ID) &&
		(f.Target == "" || f.Target == r.Plan.Target) &&
		(f.Service == "" || f.Service == r.Plan.Service) &&
		(f.Card == "" || f.Card == r.Card.TS) &&
		(f.Channel == "" || f.Channel == r.Place.Channel) &&
		!r.Asked.Before(f.Since) &&
		(!f.Behind || r.Card.TS == "" || r.Card.Shown < m.last(r.ID))
}

func (m *memory) last(id string) int64 {
	for _, e := range slices.Backward(m.chain) {
		if e.Request == id {
			return e.Number
		}
	}
	return 0
}

func (m *memory) Trail(ctx context.Context, f approvals.TrailFilter) ([]approvals.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []approvals.Entry
	for _, e := range m.chain {
		if (f.Request == "" || e.Request == f.Request) && e.Number > f.After {
			found = append(found, e)
		}
	}
	return found, ctx.Err()
}

func (m *memory) Freezes(ctx context.Context) ([]approvals.Freeze, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.frozen), ctx.Err()
}

func (m *memory) Broken(context.Context) (*approvals.Break, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.broken, nil
}

func (m *memory) Hold(ctx context.Context, name, owner string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if h, ok := m.leases[name]; ok && h.owner != owner && m.now().Before(h.until) {
		return false, nil
	}
	m.leases[name] = held{owner, until}
	return true, nil
}

func (m *memory) Release(_ context.Context, name, owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leases[name].owner == owner {
		delete(m.leases, name)
	}
	return nil
}

// steal gives a lease to somebody else, as after a long pause of its holder.
func (m *memory) steal(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leases[name] = held{"somebody else", m.now().Add(time.Hour)}
}

// take returns the jobs that are due, and forgets them.
func (m *memory) take() []approvals.Job {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []approvals.Job
	m.jobs = slices.DeleteFunc(m.jobs, func(j approvals.Job) bool {
		if j.At.After(m.now()) {
			return false
		}
		due = append(due, j)
		return true
	})
	return due
}

// intact says whether the chain is whole.
func (m *memory) intact() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := approvals.Genesis
	for i, e := range m.chain {
		if !e.Intact(before) || e.Number != int64(i+1) {
			return errors.New("the chain is broken")
		}
		before = e.Hash
	}
	return nil
}
