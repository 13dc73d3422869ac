package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
)

// line is a queue whose writer is stopped in its first batch.
type line struct {
	t       *testing.T
	q       queue
	began   chan struct{}
	goOn    chan struct{}
	mu      sync.Mutex
	batches [][]*ticket
	all     sync.WaitGroup
}

func (l *line) write(batch []*ticket) {
	l.mu.Lock()
	l.batches = append(l.batches, batch)
	first := len(l.batches) == 1
	l.mu.Unlock()
	if first {
		close(l.began)
		<-l.goOn
	}
}

// join has a ticket wait in the queue, or be the first to write.
func (l *line) join(ctx context.Context, t *ticket, want error) {
	l.all.Go(func() {
		if err := l.q.pass(ctx, t, l.write); !errors.Is(err, want) {
			l.t.Errorf("got %v, want %v", err, want)
		}
	})
	for deadline := time.Now().Add(time.Minute); !l.inside(t); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatal("it does not come into the queue")
		}
	}
}

func (l *line) inside(t *ticket) bool {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	return t.leading || slices.Contains(l.q.waiting, t)
}

func TestWhoWaitsIsWrittenTogether(t *testing.T) {
	l := &line{t: t, began: make(chan struct{}), goOn: make(chan struct{})}
	single := func() *ticket { return newTicket(approvals.Change{}, make([]row, 1)) }
	first, gone, a, double, b := single(), single(), single(), newTicket(approvals.Change{}, make([]row, 2)), single()
	l.join(t.Context(), first, nil)
	<-l.began
	ctx, cancel := context.WithCancel(t.Context())
	l.join(ctx, gone, context.Canceled)
	l.join(t.Context(), a, nil)
	l.join(t.Context(), double, nil)
	l.join(t.Context(), b, nil)
	cancel()
	for l.inside(gone) {
		time.Sleep(time.Millisecond)
	}
	close(l.goOn)
	l.all.Wait()
	want := [][]*ticket{{first}, {a, b}, {double}}
	if !slices.EqualFunc(l.batches, want, slices.Equal) {
		t.Errorf("written are %v, want %v", l.batches, want)
	}
	if l.q.busy || len(l.q.waiting) > 0 {
		t.Error("somebody is left")
	}
	l.batches = make([][]*ticket, 1)
	l.join(t.Context(), single(), nil)
	l.all.Wait()
}
