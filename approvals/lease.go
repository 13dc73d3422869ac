package approvals

import (
	"context"
	"errors"
	"time"
)

// A lease is prolonged long before it ends, and given up for lost a margin
// before others may take it.
const (
	leaseTime   = 30 * time.Second
	leaseBeat   = 5 * time.Second
	leaseMargin = 5 * time.Second
)

var errLeaseLost = errors.New("the lease on the target was lost")

// lease is a target that this process holds while ctx lives.
type lease struct {
	s           *Service
	name, owner string
	cancel      context.CancelCauseFunc
	beaten      chan struct{} // closed when the heart has stopped
}

// hold takes a lease and keeps it. The context that it returns ends when the
// lease is lost.
func (s *Service) hold(ctx context.Context, name string) (context.Context, *lease, error) {
	l := &lease{s: s, name: name, owner: s.owner(), beaten: make(chan struct{})}
	until := s.opts.Now().Add(leaseTime)
	ok, err := s.opts.Leases.Hold(ctx, name, l.owner, until)
	if err != nil || !ok {
		return ctx, nil, err
	}
	held, cancel := context.WithCancelCause(ctx)
	l.cancel = cancel
	go l.beat(held, until)
	return held, l, nil
}

func (l *lease) beat(ctx context.Context, until time.Time) {
	defer close(l.beaten)
	for sleep(ctx, leaseBeat) == nil {
		next := l.s.opts.Now().Add(leaseTime)
		ok, err := l.prolong(ctx, next)
		switch {
		case err == nil && ok:
			until = next
		case err == nil, l.s.opts.Now().Add(leaseBeat + leaseMargin).After(until):
			l.cancel(errLeaseLost)
			return
		}
	}
}

func (l *lease) prolong(ctx context.Context, until time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, leaseBeat)
	defer cancel()
	return l.s.opts.Leases.Hold(ctx, l.name, l.owner, until)
}

func (l *lease) release(ctx context.Context) {
	l.cancel(nil)
	<-l.beaten
	l.s.letGo(ctx, l.name, l.owner)
}
