package slack

import (
	"context"
	"time"
)

// crew bounds how many asks are answered at once, lets a bounded number wait
// for that, and waits for them all.
type crew struct {
	places   chan struct{} // of those who are answered or wait
	hands    chan struct{} // of those who are answered
	patience time.Duration // nobody waits longer to be answered
}

func newCrew(width, queue int, patience time.Duration) *crew {
	return &crew{places: make(chan struct{}, width+max(queue, 0)), hands: make(chan struct{}, width), patience: patience}
}

// reserve takes a seat, or says that there is none. One of the seat's methods
// is to be called, once.
func (c *crew) reserve() (*seat, bool) {
	select {
	case c.places <- struct{}{}:
		return &seat{crew: c}, true
	default:
		return nil, false
	}
}

// wait returns when every seat is free. Nobody is given one any more, so that
// nothing begins after it. Call it once.
func (c *crew) wait() {
	for range cap(c.places) {
		c.places <- struct{}{}
	}
}

// begin waits for its turn to be answered, or says that it waited in vain.
func (c *crew) begin(ctx context.Context) bool {
	select { // most need not wait
	case c.hands <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case c.hands <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (c *crew) end() { <-c.hands }

// seat is the right to run one function.
type seat struct{ crew *crew }

// run calls a function in a goroutine of its own: f when its turn comes soon,
// else late.
func (s *seat) run(ctx context.Context, f, late func(context.Context)) {
	go func() {
		defer s.free()
		if !s.crew.begin(ctx) {
			late(ctx)
			return
		}
		defer s.crew.end()
		f(ctx)
	}()
}

// free gives the seat back unused.
func (s *seat) free() { <-s.crew.places }
