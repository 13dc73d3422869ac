package approvals

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// What a sweep looks at, and leaves to the jobs that are under way.
const (
	sweepLimit = 1000
	sweepGrace = 5 * time.Second
	showGrace  = 15 * time.Second // a job that fails is done again by itself
	showAgain  = 5 * time.Minute  // and while Slack is away, jobs must not pile up
)

// calls remembers for which cards this process made a job lately.
type calls struct {
	mu   sync.Mutex
	made map[string]time.Time
}

func (c *calls) due(id string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, lately := c.made[id]; lately {
		return false
	}
	if c.made == nil {
		c.made = map[string]time.Time{}
	}
	c.made[id] = now
	return true
}

// forget lets go of what was made long ago.
func (c *calls) forget(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.made, func(_ string, at time.Time) bool { return now.Sub(at) >= showAgain })
}

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
	now := s.now()
	s.calls.forget(now)
	for _, r := range behind {
		if now.Sub(r.touched()) >= showGrace && s.calls.due(r.ID, now) {
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
