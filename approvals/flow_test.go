package approvals_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/approvals"
	"tandem/i18n"
)

func TestASecondPersonMovesIt(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	if w.work(); w.mended != 0 {
		t.Fatal("it was carried out without an approval")
	}
	w.vote(react(r, "bruno", approvals.Approve))
	r = w.ends(r.ID, approvals.Verified)
	if w.mended != 1 || len(r.Run.Steps) != 1 || r.Run.Steps[0].Result != "204" {
		t.Errorf("mended %d times, steps %+v", w.mended, r.Run.Steps)
	}
	if r.Run.Before[0].Status != "fail" || r.Run.After[0].Status != "pass" {
		t.Errorf("before %+v, after %+v", r.Run.Before, r.Run.After)
	}
	want := []approvals.Deed{"asked", "voted", "judged", "state", "calling", "called", "through", "proved", "state"}
	if diff := cmp.Diff(want, w.deeds(r.ID)); diff != "" {
		t.Error(diff)
	}
	if err := w.store.intact(); err != nil {
		t.Error(err)
	}
	if r.Card.Shown != int64(len(want)) {
		t.Errorf("the card has shown up to %d", r.Card.Shown)
	}
}

func TestQuorumIsOfDistinctPeople(t *testing.T) {
	w := newWorld(t, risk(approvals.Medium))
	w.accounts["bruno2"] = approvals.Account{Team: team, Email: "bruno@example.com", Standing: approvals.Member}
	w.groups["approvers"] = append(w.groups["approvers"], "bruno2")
	r := w.asked()
	if r = w.vote(react(r, "bruno", approvals.Approve)); r.State != approvals.Pending {
		t.Fatalf("after one of two the request is %s", r.State)
	}
	_, err := w.s.Vote(t.Context(), react(r, "bruno2", approvals.Approve))
	w.refused(err, approvals.WhySamePerson, "bruno2")
	if r = w.vote(react(r, "carla", approvals.Approve)); r.State != approvals.Approved {
		t.Fatalf("after two of two the request is %s", r.State)
	}
	w.ends(r.ID, approvals.Verified)
}

func TestVotesAreTakenBack(t *testing.T) {
	w := newWorld(t, risk(approvals.Medium))
	r := w.asked()
	w.vote(react(r, "bruno", approvals.Approve))
	r, err := w.s.Withdraw(t.Context(), react(r, "bruno", approvals.Approve))
	if err != nil || len(r.Votes) != 0 {
		t.Fatalf("votes %+v, %v", r.Votes, err)
	}
	if r = w.vote(react(r, "carla", approvals.Approve)); r.State != approvals.Pending {
		t.Fatal("a vote that was taken back counts")
	}
	w.vote(say(r, "bruno", approvals.Approve, ""))
	if _, err := w.s.Withdraw(t.Context(), react(r, "carla", approvals.Approve)); err != nil {
		t.Fatal(err)
	}
	if got := w.find(r.ID); got.State != approvals.Approved || len(got.Votes) != 2 {
		t.Fatalf("a vote was taken back after the decision: %s, %+v", got.State, got.Votes)
	}
}

func TestAVoteByButtonOutlivesTheReaction(t *testing.T) {
	w := newWorld(t, risk(approvals.Medium))
	r := w.asked()
	w.vote(react(r, "bruno", approvals.Approve))
	w.vote(say(r, "bruno", approvals.Approve, ""))
	r, err := w.s.Withdraw(t.Context(), react(r, "bruno", approvals.Approve))
	if err != nil || len(r.Approvals()) != 1 {
		t.Fatalf("votes %+v, %v", r.Votes, err)
	}
}

func TestTheSameVoteTwiceIsOneVote(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	for range 2 {
		if r := w.vote(react(r, "bruno", approvals.Approve)); r.State != approvals.Approved {
			t.Fatalf("the request is %s", r.State)
		}
	}
	if n := slices.Index(w.deeds(r.ID), approvals.DeedVoted); n != 1 || len(w.deeds(r.ID)) != 2 {
		t.Errorf("deeds %v", w.deeds(r.ID))
	}
}

func TestDenied(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	_, err := w.s.Vote(t.Context(), say(r, "bruno", approvals.Deny, ""))
	w.refused(err, approvals.WhyReason, "bruno")
	w.vote(say(r, "bruno", approvals.Deny, "not on a Friday"))
	got := w.ends(r.ID, approvals.Denied)
	if got.Ending != "not on a Friday" || got.Ender != "bruno" || w.mended != 0 {
		t.Errorf("%+v", got)
	}
	_, err = w.s.Vote(t.Context(), say(r, "carla", approvals.Approve, ""))
	w.refused(err, approvals.WhyNotPending, "carla")
}

func TestTheSameAskIsJoined(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	a := ask()
	a.By = "bruno"
	got, found, err := w.s.Ask(t.Context(), a)
	if err != nil || !found || got.ID != r.ID {
		t.Fatalf("%s, %v, %v", got.ID, found, err)
	}
	w.set(func() { w.basis = "4" })
	_, _, err = w.s.Ask(t.Context(), a)
	w.refused(err, approvals.WhyUnderWay, "bruno")
}

func TestAskingByTheRemedysName(t *testing.T) {
	w := newWorld(t)
	a := ask()
	a.Check, a.Remedy = "", "kv-undelete"
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil || r.Check != "VLT-001" || r.Plan.Params["path"] != "secret/worker" {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestAVoteWhoseCommitNobodyAnsweredIsLookedUp(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	lost := false
	w.store.after = func(approvals.Change) error {
		if lost {
			return nil
		}
		lost = true
		return approvals.ErrUnsure
	}
	if r = w.vote(react(r, "bruno", approvals.Approve)); r.State != approvals.Approved || len(w.deeds(r.ID)) != 2 {
		t.Errorf("%s after %v", r.State, w.deeds(r.ID))
	}
}

func TestAPlanIsShownWithoutAnAsk(t *testing.T) {
	w := newWorld(t)
	p, err := w.s.Plan(t.Context(), ask())
	if err != nil || p.Remedy != "kv-undelete" || p.Risk != approvals.Low || len(p.Calls) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	a := ask()
	a.By = "guest"
	if _, err := w.s.Plan(t.Context(), a); err == nil {
		t.Error("a guest sees the plan")
	}
	if len(w.store.order) != 0 || len(w.store.chain) != 0 {
		t.Error("something was written")
	}
}

func TestAProcedureIsItsOwnProofAndTellsItsProgress(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.opts.Remedies = append(w.opts.Remedies, approvals.Remedy{
			Name: "end-to-end", Risk: approvals.Low, Procedure: true,
			Plan: func(context.Context, approvals.Want) (approvals.Plan, error) {
				return approvals.Plan{Target: "end-to-end"}, nil
			},
			Execute: func(ctx context.Context, _ approvals.Plan, act approvals.Act) error {
				return act.Say(ctx, i18n.Text{EN: "12 of 12 passed"})
			},
		})
	})
	a := ask()
	a.Check, a.Remedy = "", "end-to-end"
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	w.show(r.ID)
	w.vote(react(w.find(r.ID), "bruno", approvals.Approve))
	if w.ends(r.ID, approvals.Verified); len(w.lines) != 1 {
		t.Errorf("%+v", w.lines)
	}
}

func TestSlackIsDownWhileARemedyIsCarriedOut(t *testing.T) {
	w := newWorld(t)
	r := w.approved()
	w.faceErr = errors.New("down")
	w.execute = func(ctx context.Context, act approvals.Act) error {
		return errors.Join(act.Say(ctx, i18n.Text{EN: "beginning"}), w.mend(ctx, act))
	}
	if err := w.s.Work(t.Context(), approvals.Job{Kind: approvals.JobExecute, Request: r.ID}); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Work(t.Context(), approvals.Job{Kind: approvals.JobShow, Request: r.ID}); err == nil {
		t.Error("the card is said to be shown")
	}
	w.faceErr = nil
	w.pass(time.Minute)
	w.sweep()
	if r = w.ends(r.ID, approvals.Verified); r.Card.Shown != int64(len(w.store.chain)) {
		t.Errorf("the card has shown up to %d of %d", r.Card.Shown, len(w.store.chain))
	}
}
