package approvals_test

import (
	"testing"
	"time"

	"tandem/approvals"
)

func glass(w *world) {
	w.opts.Policy.BreakGlass = &approvals.BreakGlass{
		Who: approvals.Who{People: []string{"ana", "davi"}}, Risks: []approvals.Risk{approvals.High}, Channel: "C-incident",
	}
	risk(approvals.High)(w)
}

func TestGlassIsBrokenInFrontOfEverybody(t *testing.T) {
	w := newWorld(t, glass)
	a := ask()
	a.BreakGlass = true
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil || r.State != approvals.Approved || !r.BrokeGlass {
		t.Fatalf("%s, %v", r.State, err)
	}
	review := w.reviewOf(r.ID)
	if review.State != approvals.Pending || review.Place.Channel != "C-incident" {
		t.Fatalf("%+v", review)
	}
	w.show(review.ID)
	review = w.find(review.ID)
	_, err = w.s.Vote(t.Context(), say(review, "bruno", approvals.Approve, "looked"))
	w.refused(err, approvals.WhyUnderWay, "bruno") // there is nothing to look at yet
	w.ends(r.ID, approvals.Verified)

	_, err = w.s.Cancel(t.Context(), review.ID, "ana", approvals.ByCommand, "")
	w.refused(err, approvals.WhyNotYours, "ana")
	_, err = w.s.Vote(t.Context(), say(review, "ana.admin", approvals.Approve, "fine"))
	w.refused(err, approvals.WhyOwnRequest, "ana.admin")
	_, err = w.s.Vote(t.Context(), say(review, "ana.plus", approvals.Approve, "fine"))
	w.refused(err, approvals.WhyOwnRequest, "ana.plus")
	w.vote(say(review, "bruno", approvals.Approve, "looked"))
	w.vote(say(review, "carla", approvals.Approve, "looked"))
	if w.ends(review.ID, approvals.Reviewed); w.mended != 1 {
		t.Errorf("mended %d times", w.mended)
	}
}

func (w *world) reviewOf(id string) approvals.Request {
	w.t.Helper()
	all, err := w.s.List(w.t.Context(), approvals.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		if r.Reviews == id {
			return r
		}
	}
	w.t.Fatal("there is no review")
	return approvals.Request{}
}

func TestGlassThatDoesNotBreak(t *testing.T) {
	for name, tc := range map[string]struct {
		turn func(w *world, a *approvals.Ask)
		want approvals.Why
	}{
		"without a reason":   {func(_ *world, a *approvals.Ask) { a.Reason = " " }, approvals.WhyReason},
		"by somebody else":   {func(_ *world, a *approvals.Ask) { a.By = "bruno" }, approvals.WhyNotEntitled},
		"for another risk":   {func(w *world, _ *approvals.Ask) { risk(approvals.Low)(w); w.s = w.service("r1") }, approvals.WhyNoBreakGlass},
		"past a kill switch": {func(w *world, _ *approvals.Ask) { w.store.frozen = []approvals.Freeze{{Target: "*"}} }, approvals.WhyFrozen},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, glass)
			a := ask()
			a.BreakGlass = true
			tc.turn(w, &a)
			_, _, err := w.s.Ask(t.Context(), a)
			w.refused(err, tc.want, a.By)
		})
	}
}

func TestGlassReachesIntoAFreezeWindow(t *testing.T) {
	w := newWorld(t, glass, func(w *world) {
		w.opts.Policy.Windows = []approvals.Window{{From: 0, To: 24 * time.Hour, Reason: "night"}}
	})
	_, _, err := w.s.Ask(t.Context(), ask())
	w.refused(err, approvals.WhyFrozen, "ana")
	a := ask()
	a.BreakGlass = true
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	w.ends(r.ID, approvals.Verified)
}
