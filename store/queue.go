package store

import (
	"context"
	"slices"
	"sync"

	"tandem/approvals"
)

// batchLimit is how many changes are written in one transaction.
const batchLimit = 32

// ticket is a change that waits to be written.
type ticket struct {
	change approvals.Change
	rows   []row

	entries []approvals.Entry // that its notes became
	last    approvals.Entry   // the end of the chain behind them
	err     error

	lead    chan struct{} // closed: whoever waits with it writes the next batch
	done    chan struct{} // closed: it was written, or err says why not
	leading bool
}

func newTicket(c approvals.Change, rows []row) *ticket {
	return &ticket{change: c, rows: rows, lead: make(chan struct{}), done: make(chan struct{})}
}

// sociable says whether it may be written together with others: the one part
// that can be refused is the first that is written.
func (t *ticket) sociable() bool {
	return len(t.rows) == 0 || len(t.rows) == 1 && t.change.Card == nil
}

// queue has changes that come at the same time written together. It has no
// goroutine of its own: whoever comes first writes, for those as well who came
// meanwhile, and then the next.
type queue struct {
	mu      sync.Mutex
	busy    bool
	waiting []*ticket
}

// pass waits until the ticket is written, and returns its error. A context that
// ends takes a ticket back only while it waits: what is being written is waited
// for, which takes no longer than the deadline of one call.
func (q *queue) pass(ctx context.Context, t *ticket, write func(batch []*ticket)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !q.first(t) {
		select {
		case <-t.lead:
		case <-t.done:
			return t.err
		case <-ctx.Done():
			if q.leave(t) {
				return ctx.Err()
			}
			select {
			case <-t.lead:
			case <-t.done:
				return t.err
			}
		}
	}
	batch := q.take(t)
	defer q.next()
	defer func() {
		for _, other := range batch {
			close(other.done)
		}
	}()
	write(batch)
	return t.err
}

// first puts a ticket into the queue, and says whether nobody is writing.
func (q *queue) first(t *ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	if q.busy {
		return false
	}
	q.busy, t.leading = true, true
	return true
}

// take is the batch of whoever leads: their own ticket, and others that may be
// written with it.
func (q *queue) take(t *ticket) []*ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := []*ticket{t}
	q.waiting = slices.DeleteFunc(q.waiting, func(other *ticket) bool {
		if other == t {
			return true
		}
		if !t.sociable() || !other.sociable() || len(batch) == batchLimit {
			return false
		}
		batch = append(batch, other)
		return true
	})
	return batch
}

// next lets the one that waits longest lead.
func (q *queue) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].leading = true
		close(q.waiting[0].lead)
	}
}

// leave takes a ticket out of the queue, unless it is taken or leads already.
func (q *queue) leave(t *ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, t)
	if i < 0 || t.leading {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}
