package approvals

import (
	"context"
	"errors"
	"time"
)

// What a sweep looks at, and leaves to the jobs that are under way.
const (
	sweepLimit = 1000
	sweepGrace = 5 * time.Second
)

// Sweep implements Worker: it ends what is overdue, and makes jobs again for
// what nobody is at.
func (s *Service) Sweep(ctx context.Context) error {
	open, err := s.opts.Store.Requests(ctx, Filter{States: Open(), Limit: sweepLimit})
	if err != nil {
		return err
	}
	var errs []error
	var jobs []Job
	for _, r := range open {
		if overdue(r, s.now()) {
			errs = append(errs, s.expire(ctx, r.ID))
			continue
		}
		idle, err := s.idle(ctx, r)
		if err != nil {
			errs = append(errs, err)
		}
		if idle {
			jobs = append(jobs, Job{Kind: JobExecute, Request: r.ID})
		}
	}
	behind, err := s.behind(ctx)
	if jobs = append(jobs, behind...); len(jobs) > 0 {
		errs = append(errs, s.commit(ctx, Change{Jobs: jobs}))
	}
	return errors.Join(append(errs, err)...)
}

// idle says whether somebody should be at a request, and nobody is.
func (s *Service) idle(ctx context.Context, r Request) (bool, error) {
	if r.State == Pending || r.State == Approved && s.now().Sub(r.Decided) < sweepGrace {
		return false, nil
	}
	owner := s.owner()
	free, err := s.opts.Leases.Hold(ctx, targetLease(r), owner, s.opts.Now().Add(sweepGrace))
	if !free || err != nil {
		return false, err
	}
	return true, s.opts.Leases.Release(ctx, targetLease(r), owner)
}

// behind are the jobs for cards that have not shown all.
func (s *Service) behind(ctx context.Context) ([]Job, error) {
	behind, err := s.opts.Store.Requests(ctx, Filter{Behind: true, Limit: sweepLimit})
	var jobs []Job
	for _, r := range behind {
		if s.now().Sub(r.touched()) >= sweepGrace {
			jobs = append(jobs, Job{Kind: JobShow, Request: r.ID})
		}
	}
	return jobs, err
}

// touched is when a request last changed its state.
func (r Request) touched() time.Time {
	last := r.Asked
	for _, at := range []time.Time{r.Decided, r.Run.Began, r.Ended} {
		if at.After(last) {
			last = at
		}
	}
	return last
}
