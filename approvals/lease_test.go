package approvals_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tandem/approvals"
)

func TestALongExecutionKeepsItsTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.set(func() {
			w.execute = func(ctx context.Context, act approvals.Act) error {
				time.Sleep(20 * time.Minute)
				return w.mend(ctx, act)
			}
		})
		go func() {
			time.Sleep(10 * time.Minute)
			other := w.service("r2")
			if err := errors.Join(other.Sweep(t.Context()), other.Work(t.Context(), approvals.Job{Kind: approvals.JobExecute, Request: r.ID})); err != nil {
				t.Error(err)
			}
		}()
		if r = w.ends(r.ID, approvals.Verified); w.mended != 1 || r.Run.Attempt != 1 {
			t.Errorf("mended %d times in %d attempts", w.mended, r.Run.Attempt)
		}
	})
}

// unleased are leases that cannot be prolonged any more.
type unleased struct {
	*memory
	after time.Time
}

func (u unleased) Hold(ctx context.Context, name, owner string, until time.Time) (bool, error) {
	if time.Now().After(u.after) {
		return false, errors.New("the database is gone")
	}
	return u.memory.Hold(ctx, name, owner, until)
}

func TestALeaseThatCannotBeProlongedIsGivenUpBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		begin := time.Now()
		w.opts.Leases = unleased{w.store, begin.Add(time.Second)}
		var stopped time.Duration
		w.execute = func(ctx context.Context, _ approvals.Act) error {
			<-ctx.Done()
			stopped = time.Since(begin)
			return ctx.Err()
		}
		err := w.service("r1").Work(t.Context(), approvals.Job{Kind: approvals.JobExecute, Request: r.ID})
		if err == nil || stopped == 0 || stopped >= 30*time.Second {
			t.Errorf("it stopped after %s: %v", stopped, err)
		}
	})
}

func TestARemedyThatDoesNotEndIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.execute = func(ctx context.Context, _ approvals.Act) error {
			<-ctx.Done()
			return ctx.Err()
		}
		if r = w.ends(r.ID, approvals.Failed); r.Ending != "no answer in time" {
			t.Errorf("%q", r.Ending)
		}
	})
}

func TestADatabaseThatIsAwayForAWhileLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.execute = func(ctx context.Context, act approvals.Act) error {
			back := time.Now().Add(10 * time.Second)
			w.store.fail = func(approvals.Change) error {
				if time.Now().Before(back) {
					return errors.New("the database is away")
				}
				return nil
			}
			return w.mend(ctx, act)
		}
		if r = w.ends(r.ID, approvals.Verified); w.mended != 1 || len(r.Run.Steps) != 1 {
			t.Errorf("mended %d times, %+v", w.mended, r.Run.Steps)
		}
	})
}

func TestOneShowsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _, err := w.s.Ask(t.Context(), ask())
		if err != nil {
			t.Fatal(err)
		}
		w.store.steal("show:" + r.ID)
		if err := w.s.Work(t.Context(), approvals.Job{Kind: approvals.JobShow, Request: r.ID}); err == nil || w.shown[r.ID] != 0 {
			t.Errorf("shown %d times, %v", w.shown[r.ID], err)
		}
	})
}

func TestTheSweepShowsWhatIsBehind(t *testing.T) {
	w := newWorld(t)
	r, _, err := w.s.Ask(t.Context(), ask())
	if err != nil {
		t.Fatal(err)
	}
	w.store.take() // the job is lost
	w.pass(20 * time.Second)
	w.faceErr = errors.New("down")
	for range 3 {
		w.sweep()
	}
	if jobs := w.store.take(); len(jobs) != 1 {
		t.Errorf("jobs pile up while Slack is away: %+v", jobs)
	}
	w.faceErr = nil
	w.pass(5 * time.Minute)
	w.sweep()
	if w.work(); w.find(r.ID).Card.TS == "" {
		t.Error("the request has no card")
	}
}
