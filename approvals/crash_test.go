package approvals_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tandem/approvals"
)

var errDead = errors.New("the process is dead")

// Every commit of an execution is tried as the last thing that a process does,
// before it is written and after; another replica then finds what was left.
func TestAProcessDiesAtEachCommit(t *testing.T) {
	for _, repeatable := range []bool{false, true} {
		for _, written := range []bool{false, true} {
			for n := 1; n <= 6; n++ {
				t.Run(fmt.Sprintf("commit %d written %t repeatable %t", n, written, repeatable), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						diesAt(t, n, written, repeatable)
					})
				})
			}
		}
	}
}

func diesAt(t *testing.T, n int, written, repeatable bool) {
	w := newWorld(t, func(w *world) { w.opts.Remedies[0].Repeatable = repeatable })
	r := w.approved()
	dead, commits := false, 0
	die := func(approvals.Change) error {
		if commits++; dead || commits == n {
			dead = true
			return errDead
		}
		return nil
	}
	if w.store.fail = die; written {
		w.store.fail = func(approvals.Change) error {
			if dead {
				return errDead
			}
			return nil
		}
		w.store.after = die
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	opts := w.opts
	opts.Store = mortal{w.store, &dead}
	victim, err := approvals.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	victim.Meet(w, w, team)
	w.store.take()
	_ = victim.Work(ctx, approvals.Job{Kind: approvals.JobExecute, Request: r.ID})
	w.store.fail, w.store.after = nil, nil
	w.pass(time.Minute) // the lease of the dead one is over
	for range 2 {
		w.sweep()
		w.work()
	}
	w.wholeAfterACrash(r.ID, repeatable)
}

// mortal is the store as a process sees it that dies: it answers nothing more.
type mortal struct {
	*memory
	dead *bool
}

func (m mortal) Request(ctx context.Context, id string) (approvals.Request, error) {
	if *m.dead {
		return approvals.Request{}, errDead
	}
	return m.memory.Request(ctx, id)
}

func (w *world) wholeAfterACrash(id string, repeatable bool) {
	w.t.Helper()
	r := w.find(id)
	switch {
	case !r.State.Ended():
		w.t.Errorf("the request is stuck: %s", r.State)
	case repeatable && r.State != approvals.Verified && r.State != approvals.Superseded:
		w.t.Errorf("what may be repeated ended as %s: %s", r.State, r.Ending)
	case !repeatable && w.mended > 1:
		w.t.Errorf("it was carried out %d times", w.mended)
	case r.State == approvals.Verified && w.mended == 0:
		w.t.Error("it was never carried out")
	}
	if !slices.Contains(w.deeds(id), approvals.DeedVoted) {
		w.t.Error("the vote is lost")
	}
	if err := w.store.intact(); err != nil {
		w.t.Error(err)
	}
}

func TestWhatADeadExecutorLeft(t *testing.T) {
	step := approvals.Step{Call: "PUT /v1/secret/worker"}
	done := step
	done.Result = "204"
	for name, tc := range map[string]struct {
		steps      []approvals.Step
		through    bool
		attempts   int
		repeatable bool
		want       approvals.State
		mended     int
	}{
		"before the first call":              {want: approvals.Verified, mended: 1},
		"in a call":                          {steps: []approvals.Step{step}, want: approvals.Interrupted},
		"after a call":                       {steps: []approvals.Step{done}, want: approvals.Interrupted},
		"in a call that may be repeated":     {steps: []approvals.Step{step}, repeatable: true, want: approvals.Verified, mended: 1},
		"while it looked for the proof":      {steps: []approvals.Step{done}, through: true, want: approvals.Unverified},
		"again and again, though repeatable": {attempts: 5, repeatable: true, want: approvals.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(w *world) { w.opts.Remedies[0].Repeatable = tc.repeatable })
				r := w.approved()
				events := []approvals.Event{approvals.Began{Executor: "dead", At: w.now()}}
				for range tc.attempts {
					events = append(events, approvals.Began{Executor: "dead", At: w.now()})
				}
				for _, s := range tc.steps {
					events = append(events, approvals.Stepped{Step: s})
				}
				if tc.through {
					events = append(events, approvals.Through{At: w.now()})
				}
				for _, e := range events {
					r = w.apply(r, e)
				}
				if w.store.take(); w.sweepAndWork() != nil {
					t.Fatal("the sweep failed")
				}
				if r = w.ends(r.ID, tc.want); w.mended != tc.mended {
					t.Errorf("mended %d times", w.mended)
				}
				if r.State == approvals.Interrupted && r.Ending == "" {
					t.Error("it does not say what to do next")
				}
			})
		})
	}
}

// apply writes an event as a replica that died did.
func (w *world) apply(r approvals.Request, e approvals.Event) approvals.Request {
	w.t.Helper()
	next, err := approvals.Apply(r, e)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Commit(w.t.Context(), approvals.Change{Request: &next, Notes: []approvals.Note{{Request: r.ID, Deed: "test"}}}); err != nil {
		w.t.Fatal(err)
	}
	return w.find(r.ID)
}

func (w *world) sweepAndWork() error {
	err := w.s.Sweep(w.t.Context())
	w.work()
	return err
}

func TestAStolenLeaseStopsTheExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		started, stopped := make(chan struct{}), make(chan error, 1)
		w.set(func() {
			w.execute = func(ctx context.Context, _ approvals.Act) error {
				close(started)
				<-ctx.Done()
				return ctx.Err()
			}
		})
		go func() {
			stopped <- w.s.Work(t.Context(), approvals.Job{Kind: approvals.JobExecute, Request: r.ID})
		}()
		<-started
		w.store.steal("target:vault:secret/worker")
		if err := <-stopped; err == nil {
			t.Error("the executor did not notice")
		}
		if got := w.find(r.ID); got.State != approvals.Executing {
			t.Errorf("the executor ended what is somebody else's: %s", got.State)
		}
	})
}

func TestAShutdownHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		ctx, shutdown := context.WithCancel(t.Context())
		w.set(func() {
			w.execute = func(ctx context.Context, _ approvals.Act) error {
				shutdown()
				<-ctx.Done()
				return ctx.Err()
			}
		})
		if err := w.s.Work(ctx, approvals.Job{Kind: approvals.JobExecute, Request: r.ID}); err == nil {
			t.Fatal("it says that it is done")
		}
		w.set(func() { w.execute = nil })
		w.store.take()
		w.sweep()
		if w.ends(r.ID, approvals.Verified); w.mended != 1 {
			t.Errorf("mended %d times", w.mended)
		}
	})
}

func TestAShutdownInTheMiddleOfACallIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		ctx, shutdown := context.WithCancel(t.Context())
		w.set(func() {
			w.execute = func(ctx context.Context, act approvals.Act) error {
				return act.Call(ctx, "PUT", "", func(ctx context.Context) (string, error) {
					shutdown()
					<-ctx.Done()
					return "", ctx.Err()
				})
			}
		})
		if err := w.s.Work(ctx, approvals.Job{Kind: approvals.JobExecute, Request: r.ID}); err != nil {
			t.Fatal(err)
		}
		if got := w.find(r.ID); got.State != approvals.Interrupted || got.Run.Steps[0].Result != "stopped in the middle" {
			t.Errorf("%s, %+v", got.State, got.Run.Steps)
		}
	})
}
