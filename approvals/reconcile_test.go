package approvals_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/approvals"
)

func TestReactionsThatWereMissed(t *testing.T) {
	yes, no := []approvals.Choice{approvals.Approve}, []approvals.Choice{approvals.Deny}
	for name, tc := range map[string]struct {
		before  []string // who approved while connected
		reacted map[string][]approvals.Choice
		want    approvals.State
		votes   int
	}{
		"one came":                   {nil, map[string][]approvals.Choice{"bruno": yes}, approvals.Pending, 1},
		"two came":                   {nil, map[string][]approvals.Choice{"bruno": yes, "carla": yes}, approvals.Approved, 2},
		"one went":                   {[]string{"bruno"}, nil, approvals.Pending, 0},
		"one went and one came":      {[]string{"bruno"}, map[string][]approvals.Choice{"carla": yes}, approvals.Pending, 1},
		"a no among yeses":           {nil, map[string][]approvals.Choice{"bruno": yes, "carla": yes, "davi": no}, approvals.Denied, 1},
		"who says both says no":      {nil, map[string][]approvals.Choice{"bruno": {approvals.Approve, approvals.Deny}}, approvals.Denied, 1},
		"they who may not":           {nil, map[string][]approvals.Choice{"ana": yes, "guest": yes, "outsider": no}, approvals.Pending, 0},
		"what stands already stands": {[]string{"bruno"}, map[string][]approvals.Choice{"bruno": yes}, approvals.Pending, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, risk(approvals.Medium))
			r := w.asked()
			for _, by := range tc.before {
				w.vote(react(r, by, approvals.Approve))
			}
			w.reacted = tc.reacted
			var told int
			for i := range 3 { // the second and third change nothing
				if err := w.s.Reconcile(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(w.deeds(r.ID)); i > 0 && n != told {
					t.Errorf("it told %d things again", n-told)
				}
				told = len(w.deeds(r.ID))
			}
			if got := w.find(r.ID); got.State != tc.want || len(got.Votes) != tc.votes {
				t.Errorf("%s with the votes %+v", got.State, got.Votes)
			}
		})
	}
}

func TestRefusedReactionsThatWereMissedAreAnsweredOnce(t *testing.T) {
	w := newWorld(t, risk(approvals.Medium))
	w.asked()
	w.reacted = map[string][]approvals.Choice{"ana": {approvals.Approve}, "bruno": {approvals.Approve}, "guest": {approvals.Deny}}
	for range 2 {
		if err := w.s.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"guest: not_member", "ana: own_request"}, w.told); diff != "" {
		t.Error(diff)
	}
}

func TestReactionsThatCannotBeReadTakeNothingBack(t *testing.T) {
	w := newWorld(t, risk(approvals.Medium))
	r := w.asked()
	w.vote(react(r, "bruno", approvals.Approve))
	w.faceErr = errors.New("down")
	if err := w.s.Reconcile(t.Context()); err == nil {
		t.Error("it says nothing of it")
	}
	if len(w.find(r.ID).Votes) != 1 {
		t.Error("the vote is gone")
	}
	w.faceErr = approvals.ErrNoCard
	if err := w.s.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.faceErr = nil
	w.store.cards[r.ID] = approvals.Card{Channel: channel, TS: "another"} // posted again, without reactions
	if err := w.s.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.work(); w.find(r.ID).Card.TS == "" || len(w.find(r.ID).Votes) != 1 {
		t.Errorf("%+v", w.find(r.ID))
	}
}
