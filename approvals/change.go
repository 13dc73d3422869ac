package approvals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// attempts bounds how often a change is tried again after somebody else's.
const attempts = 32

// turns lets the goroutines of one process change one request one after the
// other: only other replicas are left to conflict with.
type turns struct {
	seed   maphash.Seed
	queues [64]sync.Mutex
}

func (t *turns) take(id string) (done func()) {
	m := &t.queues[maphash.String(t.seed, id)%uint64(len(t.queues))]
	m.Lock()
	return m.Unlock
}

// change reads a request, lets how say what becomes of it, and commits that; all
// over again when somebody was quicker, or when nobody knows whether it was
// written: how finds then what is there. A change without a request in it is none.
func (s *Service) change(ctx context.Context, id string, how func(Request) (Change, error)) (Request, error) {
	defer s.turns.take(id)()
	var err error
	for try := range attempts {
		r, readErr := s.opts.Store.Request(ctx, id)
		if readErr != nil {
			return Request{}, fmt.Errorf("read request %q: %w", id, readErr)
		}
		c, howErr := how(r)
		if howErr != nil || c.Request == nil {
			return r, howErr
		}
		if err = s.commit(ctx, c); err == nil {
			next := *c.Request
			next.Version++
			return next, nil
		}
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnsure) {
			break
		}
		// Replicas that met once would meet again, if they did not wait.
		if err := sleep(ctx, rand.N(min(time.Millisecond<<try, 100*time.Millisecond))); err != nil {
			return Request{}, err
		}
	}
	return Request{}, err
}

// commit writes a change, logs it and tells it.
func (s *Service) commit(ctx context.Context, c Change) error {
	faultpoint(FaultBeforeCommit)
	if _, err := s.opts.Store.Commit(ctx, c); err != nil {
		return fmt.Errorf("write to the store of approvals: %w", err)
	}
	faultpoint(FaultAfterCommit)
	for _, n := range c.Notes {
		s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "approvals", slog.String("deed", string(n.Deed)),
			slog.String("request", n.Request), slog.String("state", string(c.state(n.Request))), slog.String("actor", n.Actor),
			slog.String("via", n.Via), slog.String("why", n.Detail[KeyWhy]))
	}
	s.opts.Told(c)
	return nil
}

// state is what a request becomes by a change; empty when it does not touch it.
func (c Change) state(id string) State {
	for _, r := range []*Request{c.Request, c.Also} {
		if r != nil && r.ID == id {
			return r.State
		}
	}
	return ""
}

// wrote says whether the store has a request as this change would have left it:
// how the writer of a commit whose outcome it did not learn finds out.
func (s *Service) wrote(ctx context.Context, want Request) bool {
	got, err := s.opts.Store.Request(ctx, want.ID)
	if err != nil || got.Version != want.Version+1 {
		return false
	}
	got.Version, got.Card, want.Card = want.Version, Card{}, Card{}
	a, errA := json.Marshal(got)
	b, errB := json.Marshal(want)
	return errA == nil && errB == nil && string(a) == string(b)
}

// note begins a note about a request as it is after the change.
func (s *Service) note(r Request, d Deed, detail map[string]string) Note {
	for k, v := range detail {
		if v == "" {
			delete(detail, k)
		}
	}
	return Note{At: s.now(), Request: r.ID, Deed: d, Detail: detail}
}

// by says whose deed a note tells of, and how they came.
func (n Note) by(actor string, via Via, channel string) Note {
	n.Actor, n.Via, n.Channel = actor, string(via), channel
	return n
}
