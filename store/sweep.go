package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const sweepLease = "sweep"

// sweep has one replica at a time sweep, until the context is done.
func (s *Store) sweep(ctx context.Context, w Work) {
	tick := time.NewTicker(s.opts.Sweep)
	defer tick.Stop()
	for {
		s.sweepOnce(ctx, w)
		select {
		case <-ctx.Done():
			s.resign(ctx)
			return
		case <-tick.C:
		}
	}
}

func (s *Store) sweepOnce(ctx context.Context, w Work) {
	leads, err := s.Hold(ctx, sweepLease, s.owner, s.opts.Now().Add(3*s.opts.Sweep))
	if err == nil && leads {
		err = s.swept(ctx, w)
	}
	if err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "a sweep failed; the next one looks again", "error", err)
	}
}

func (s *Store) swept(ctx context.Context, w Work) (err error) {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %T", p)
		}
	}()
	var errs []error
	if w.Requests != nil {
		errs = append(errs, w.Requests.Sweep(ctx))
	}
	if w.Watches != nil {
		errs = append(errs, s.remind(ctx))
	}
	return errors.Join(append(errs, s.forgetLeases(ctx))...)
}

// resign lets another replica sweep at once.
func (s *Store) resign(ctx context.Context) {
	if err := s.Release(context.WithoutCancel(ctx), sweepLease, s.owner); err != nil {
		s.opts.Log.WarnContext(ctx, "the sweep's lease was not released; it ends by itself", "error", err)
	}
}
