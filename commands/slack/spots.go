package slack

import (
	"context"
	"slices"
	"sync"
)

// spot is where a card of a run stands: one for each channel or thread in which
// somebody asked.
type spot struct {
	run             string
	channel, thread string
	asker           string

	placed chan struct{} // closed when ts is known, or it is known that there will be none

	mu     sync.Mutex
	ts     string
	joined []string // user ids of the others who asked here
	filed  bool     // all evidence is in its thread as a file
}

// wait returns the ts of the card; empty when there is none.
func (s *spot) wait(ctx context.Context) string {
	select {
	case <-s.placed:
	case <-ctx.Done():
	}
	return s.at()
}

func (s *spot) at() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ts
}

func (s *spot) moved(ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts = ts
}

// join notes one more person who waits for this card.
func (s *spot) join(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user != "" && user != s.asker && !slices.Contains(s.joined, user) {
		s.joined = append(s.joined, user)
	}
}

func (s *spot) others() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.joined)
}

// file says whether the caller is to upload the evidence, because nobody did.
func (s *spot) file() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.filed
	s.filed = true
	return first
}

// unfile lets somebody try again.
func (s *spot) unfile() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filed = false
}

// maxSpots is how many cards are remembered.
const maxSpots = 1000

// spots remembers where cards stand. It is safe for use by several goroutines.
type spots struct {
	mu  sync.Mutex
	all []*spot // the latest last
}

// claim returns the spot for a run's card where the ask belongs, and whether it
// is the caller's to place the card there. Who claims it calls place or leave.
func (s *spots) claim(run string, a ask) (at *spot, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range slices.Backward(s.all) {
		if old.run == run && old.channel == a.channel && old.thread == a.thread {
			return old, false
		}
	}
	at = &spot{run: run, channel: a.channel, thread: a.thread, asker: a.asker(), placed: make(chan struct{})}
	s.remember(at)
	return at, true
}

func (s *spots) remember(at *spot) {
	s.all = append(s.all, at)
	if surplus := len(s.all) - maxSpots; surplus > 0 {
		s.all = slices.Delete(s.all, 0, surplus)
	}
}

// place tells those who wait where the card is.
func (s *spots) place(at *spot, ts string) {
	at.moved(ts)
	close(at.placed)
}

// leave gives a spot up on which no card could be placed.
func (s *spots) leave(at *spot) {
	s.forget(at)
	close(at.placed)
}

// forget makes the spot free again, because its card is gone.
func (s *spots) forget(at *spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(other *spot) bool { return other == at })
}

// known returns the spot of the card with that ts; one that nobody remembers is
// remembered from now on.
func (s *spots) known(run string, a ask, ts string) *spot {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range slices.Backward(s.all) {
		if at.run == run && at.channel == a.channel && at.at() == ts {
			return at
		}
	}
	at := &spot{run: run, channel: a.channel, thread: a.thread, ts: ts, placed: make(chan struct{})}
	close(at.placed)
	s.remember(at)
	return at
}
