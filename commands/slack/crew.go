package slack

import "sync"

// crew bounds how many commands are answered at once, and waits for them all.
type crew struct {
	seats chan struct{}
	busy  sync.WaitGroup
}

func newCrew(width int) *crew { return &crew{seats: make(chan struct{}, width)} }

// reserve takes a seat, or says that there is none. One of the seat's methods
// is to be called, once.
func (c *crew) reserve() (*seat, bool) {
	select {
	case c.seats <- struct{}{}:
		c.busy.Add(1)
		return &seat{crew: c}, true
	default:
		return nil, false
	}
}

// wait returns when every seat is free. Nobody reserves any more by then.
func (c *crew) wait() { c.busy.Wait() }

// seat is the right to run one function.
type seat struct{ crew *crew }

// run calls the function in a goroutine of its own.
func (s *seat) run(f func()) {
	go func() {
		defer s.free()
		f()
	}()
}

// free gives the seat back unused.
func (s *seat) free() {
	<-s.crew.seats
	s.crew.busy.Done()
}
