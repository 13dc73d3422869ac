package approvals_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tandem/approvals"
)

func TestTheWorldChangedAfterTheApproval(t *testing.T) {
	for name, tc := range map[string]struct {
		turn     func(w *world)
		replaced bool
	}{
		"the plan":                  {func(w *world) { w.basis = "4" }, true},
		"the target":                {func(w *world) { w.params = map[string]string{"path": "secret/other"} }, true},
		"the approver's group":      {func(w *world) { w.groups["approvers"] = []string{"carla"} }, true},
		"the approver's account":    {func(w *world) { w.become("bruno", "deactivated") }, true},
		"the approver is ana now":   {func(w *world) { w.mail("bruno", "ana@example.com") }, true},
		"the finding is gone":       {func(w *world) { w.status = "pass" }, false},
		"the requester's account":   {func(w *world) { w.become("ana", "deactivated") }, false},
		"the requester's group":     {func(w *world) { w.groups["sre"] = nil }, false},
		"the remedy knows no more":  {func(w *world) { w.planErr = &approvals.Refusal{Why: approvals.WhyParameters} }, false},
		"the finding offers others": {func(w *world) { w.params = map[string]string{"path": "secret/worker", "version": "2"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.approved()
				w.set(func() { tc.turn(w) })
				r = w.ends(r.ID, approvals.Superseded)
				if w.mended != 0 {
					t.Fatal("it was carried out")
				}
				if (r.ReplacedBy != "") != tc.replaced {
					t.Fatalf("replaced by %q: %s", r.ReplacedBy, r.Ending)
				}
				if !tc.replaced {
					return
				}
				next := w.find(r.ReplacedBy)
				if next.State != approvals.Pending || len(next.Votes) != 0 || next.Replaces != r.ID || w.shown[next.ID] == 0 {
					t.Errorf("%+v", next)
				}
				if _, err := w.s.Vote(t.Context(), react(next, "ana.plus", approvals.Approve)); err == nil {
					t.Error("the requester's other account approves the replacement")
				}
				w.vote(react(next, "carla", approvals.Approve))
				w.ends(next.ID, approvals.Verified)
			})
		})
	}
}

func (w *world) become(id, standing string) {
	a := w.accounts[id]
	a.Standing = standing
	w.accounts[id] = a
}

func (w *world) mail(id, address string) {
	a := w.accounts[id]
	a.Email = address
	w.accounts[id] = a
}

func TestWhatAnApprovedRequestWaitsFor(t *testing.T) {
	for name, tc := range map[string]struct{ turn, back func(w *world) }{
		"a precondition": {func(w *world) { w.unmet = true }, func(w *world) { w.unmet = false }},
		"the checks":     {func(w *world) { w.status = "unknown" }, func(w *world) { w.status = "fail" }},
		"the workspace":  {func(w *world) { w.deaf = errors.New("down") }, func(w *world) { w.deaf = nil }},
		"the chain":      {func(w *world) { w.store.broken = &approvals.Break{} }, func(w *world) { w.store.broken = nil }},
		"the remedy":     {func(w *world) { w.planErr = errors.New("sealed") }, func(w *world) { w.planErr = nil }},
		"a freeze": {
			func(w *world) { w.store.frozen = []approvals.Freeze{{Target: "vault:secret/worker"}} },
			func(w *world) { w.store.frozen = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.approved()
				w.set(func() { tc.turn(w) })
				for range 3 { // it says so once
					w.ends(r.ID, approvals.Approved)
					w.pass(6 * time.Second)
					w.sweep()
				}
				if n := len(w.deeds(r.ID)); n != 3 {
					t.Errorf("deeds %v", w.deeds(r.ID))
				}
				w.set(func() { tc.back(w) })
				w.sweep()
				w.ends(r.ID, approvals.Verified)

				w = newWorld(t)
				r = w.approved()
				w.set(func() { tc.turn(w) })
				w.work()
				w.pass(approvals.Grace)
				w.sweep()
				if w.ends(r.ID, approvals.Expired); w.mended != 0 {
					t.Error("it was carried out")
				}
			})
		})
	}
}

func (w *world) sweep() {
	w.t.Helper()
	if err := w.s.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestHowAnExecutionEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		execute func(w *world) func(context.Context, approvals.Act) error
		want    approvals.State
		ending  string
	}{
		"trouble": {func(*world) func(context.Context, approvals.Act) error {
			return func(context.Context, approvals.Act) error {
				return &approvals.Trouble{Text: "the login was refused", Err: errors.New("hvs.canary")}
			}
		}, approvals.Failed, "the login was refused"},
		"a foreign error": {func(*world) func(context.Context, approvals.Act) error {
			return func(context.Context, approvals.Act) error { return errors.New("hvs.canary") }
		}, approvals.Failed, "not repeated"},
		"a panic": {func(*world) func(context.Context, approvals.Act) error {
			return func(context.Context, approvals.Act) error { panic("hvs.canary") }
		}, approvals.Failed, "defect"},
		"a call that fails": {func(*world) func(context.Context, approvals.Act) error {
			return func(ctx context.Context, act approvals.Act) error {
				return act.Call(ctx, "PUT /v1/x", "", func(context.Context) (string, error) { return "hvs.canary", errors.New("hvs.canary") })
			}
		}, approvals.Failed, "not repeated"},
		"a kill switch in the middle": {func(w *world) func(context.Context, approvals.Act) error {
			return func(ctx context.Context, act approvals.Act) error {
				if err := w.s.Freeze(ctx, "*", "terminal:root", "stop"); err != nil {
					return err
				}
				return w.mend(ctx, act)
			}
		}, approvals.Failed, "frozen"},
		"nothing mended": {func(*world) func(context.Context, approvals.Act) error {
			return func(context.Context, approvals.Act) error { return nil }
		}, approvals.Unverified, "do not pass"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.approved()
				w.set(func() { w.execute = tc.execute(w) })
				r = w.ends(r.ID, tc.want)
				if !strings.Contains(r.Ending, tc.ending) || len(r.Run.After) != 1 || r.Run.After[0].Status != "fail" || w.mended != 0 {
					t.Errorf("ending %q, after %+v, mended %d", r.Ending, r.Run.After, w.mended)
				}
				for _, e := range w.store.chain {
					for k, v := range e.Detail {
						if strings.Contains(v, "canary") {
							t.Errorf("%s: %s quotes a secret: %s", e.Deed, k, v)
						}
					}
				}
				if raw := string(w.store.requests[r.ID]); strings.Contains(raw, "canary") {
					t.Error(raw)
				}
			})
		})
	}
}

func TestUnknownIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.set(func() {
			w.execute = func(context.Context, approvals.Act) error {
				w.set(func() { w.status = "unknown" })
				return nil
			}
		})
		w.ends(r.ID, approvals.Unverified)
	})
}

func TestACallThatCannotBeRecordedIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.store.fail = func(c approvals.Change) error {
			if len(c.Notes) == 1 && c.Notes[0].Deed == approvals.DeedCalling {
				return approvals.ErrConflict
			}
			return nil
		}
		w.ends(r.ID, approvals.Executing)
		if w.mended != 0 {
			t.Error("the call was made")
		}
		w.store.fail = nil
		w.sweep()
		if w.ends(r.ID, approvals.Verified); w.mended != 1 {
			t.Errorf("mended %d times", w.mended)
		}
	})
}

func TestTheAnswerOfACommitIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		w.store.after = func(c approvals.Change) error {
			if c.Request != nil && c.Request.State != approvals.Approved {
				return errors.New("the connection was lost")
			}
			return nil
		}
		w.work()
		if r = w.find(r.ID); r.State != approvals.Verified || w.mended != 1 || len(r.Run.Steps) != 1 {
			t.Errorf("%s (%s), mended %d times, steps %+v", r.State, r.Ending, w.mended, r.Run.Steps)
		}
	})
}
