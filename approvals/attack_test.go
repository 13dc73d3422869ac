package approvals_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tandem/approvals"
)

// Every vote here is refused with its reason, audited, and moves nothing.
func TestVotesThatDoNotCount(t *testing.T) {
	for name, tc := range map[string]struct {
		by   string
		risk approvals.Risk
		turn func(w *world, r approvals.Request, b *approvals.Ballot)
		want approvals.Why
	}{
		"the requester":                       {by: "ana", want: approvals.WhyOwnRequest},
		"another account of theirs, mapped":   {by: "ana.admin", want: approvals.WhyOwnRequest},
		"another account of theirs, by mail":  {by: "ana.plus", want: approvals.WhyOwnRequest},
		"an account that nobody can tell":     {by: "nomail", want: approvals.WhyCannotTell},
		"somebody not entitled":               {by: "outsider", want: approvals.WhyNotEntitled},
		"an administrator":                    {by: "root", want: approvals.WhyNotEntitled},
		"a bot":                               {by: "bot", want: approvals.WhyNotMember},
		"a guest":                             {by: "guest", want: approvals.WhyNotMember},
		"a deactivated account":               {by: "gone", want: approvals.WhyNotMember},
		"an account that is not there":        {by: "nobody", want: approvals.WhyNotMember},
		"an account of another workspace":     {by: "elsewhere", want: approvals.WhyElsewhere},
		"a reaction where they do not count":  {by: "bruno", risk: approvals.High, want: approvals.WhyReactions},
		"a choice that is none":               {by: "bruno", turn: func(_ *world, _ approvals.Request, b *approvals.Ballot) { b.Choice = "maybe" }, want: approvals.WhyNotEntitled},
		"an older card":                       {by: "bruno", turn: func(_ *world, _ approvals.Request, b *approvals.Ballot) { b.Card = "1" }, want: approvals.WhyOldCard},
		"the card's ts in another channel":    {by: "bruno", turn: func(_ *world, _ approvals.Request, b *approvals.Ballot) { b.Channel = "C2" }, want: approvals.WhyOldCard},
		"a reaction without a card":           {by: "bruno", turn: func(_ *world, _ approvals.Request, b *approvals.Ballot) { b.Card = "" }, want: approvals.WhyOldCard},
		"while the workspace does not answer": {by: "bruno", turn: func(w *world, _ approvals.Request, _ *approvals.Ballot) { w.deaf = errors.New("down") }, want: approvals.WhyCannotTell},
		"after the time is over":              {by: "bruno", turn: func(w *world, _ approvals.Request, _ *approvals.Ballot) { w.pass(time.Hour) }, want: approvals.WhyNotPending},
		"an approval without a reason":        {by: "bruno", risk: approvals.High, turn: func(_ *world, _ approvals.Request, b *approvals.Ballot) { b.Via = approvals.ByButton }, want: approvals.WhyReason},
		"a card that was lost": {by: "bruno", turn: func(w *world, r approvals.Request, _ *approvals.Ballot) {
			if err := w.s.Lost(t.Context(), r.ID, r.Card.TS); err != nil {
				t.Error(err)
			}
		}, want: approvals.WhyOldCard},
		"a command while there is no card": {by: "bruno", turn: func(w *world, r approvals.Request, b *approvals.Ballot) {
			b.Via, b.Card = approvals.ByCommand, ""
			if err := w.s.Lost(t.Context(), r.ID, r.Card.TS); err != nil {
				t.Error(err)
			}
		}, want: approvals.WhyUnseen},
	} {
		for _, choice := range []approvals.Choice{approvals.Approve, approvals.Deny} {
			if choice == approvals.Deny && (tc.want == approvals.WhyUnseen || name == "an account that nobody can tell") || name == "a choice that is none" && choice == approvals.Deny {
				continue // a no does no harm
			}
			t.Run(name+" "+string(choice), func(t *testing.T) {
				w := newWorld(t, risk(or(tc.risk, approvals.Low)))
				r := w.asked()
				b := react(r, tc.by, choice)
				if tc.turn != nil {
					tc.turn(w, r, &b)
				}
				_, err := w.s.Vote(t.Context(), b)
				w.refused(err, tc.want, tc.by)
				w.set(func() { w.deaf = nil })
				if w.work(); len(w.find(r.ID).Votes) != 0 || w.mended != 0 {
					t.Error("it counted")
				}
			})
		}
	}
}

func or(r, other approvals.Risk) approvals.Risk {
	if r == "" {
		return other
	}
	return r
}

func TestAVoteOnAGuessedID(t *testing.T) {
	w := newWorld(t)
	_, err := w.s.Vote(t.Context(), approvals.Ballot{Request: "1", By: "bruno", Via: approvals.ByCommand, Choice: approvals.Approve})
	if !errors.Is(err, approvals.ErrNotFound) {
		t.Fatal(err)
	}
	if last := w.store.chain[len(w.store.chain)-1]; last.Deed != approvals.DeedRefused || last.Actor != "bruno" {
		t.Errorf("%+v", last)
	}
}

func TestAsksThatAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		turn func(w *world, a *approvals.Ask)
		want approvals.Why
	}{
		"by a guest":            {func(_ *world, a *approvals.Ask) { a.By = "guest" }, approvals.WhyNotMember},
		"by a bot":              {func(_ *world, a *approvals.Ask) { a.By = "bot" }, approvals.WhyNotMember},
		"from elsewhere":        {func(_ *world, a *approvals.Ask) { a.By = "elsewhere" }, approvals.WhyElsewhere},
		"by somebody else":      {func(_ *world, a *approvals.Ask) { a.By = "davi" }, approvals.WhyNotEntitled},
		"by nobody knows whom":  {func(_ *world, a *approvals.Ask) { a.By = "nomail" }, approvals.WhyCannotTell},
		"workspace down":        {func(w *world, _ *approvals.Ask) { w.deaf = errors.New("down") }, approvals.WhyCannotTell},
		"the finding is gone":   {func(w *world, _ *approvals.Ask) { w.status = "pass" }, approvals.WhyHealthy},
		"nobody could look":     {func(w *world, _ *approvals.Ask) { w.status = "unknown" }, approvals.WhyBlind},
		"no checks":             {func(w *world, _ *approvals.Ask) { w.examErr = errors.New("down") }, approvals.WhyBlind},
		"no such check":         {func(_ *world, a *approvals.Ask) { a.Check = "VLT-999" }, approvals.WhyNoRemedy},
		"no such remedy":        {func(_ *world, a *approvals.Ask) { a.Check, a.Remedy = "", "rm -rf" }, approvals.WhyNoRemedy},
		"another remedy":        {func(_ *world, a *approvals.Ask) { a.Remedy = "token-renew" }, approvals.WhyNoRemedy},
		"another path":          {func(_ *world, a *approvals.Ask) { a.Params = map[string]string{"path": "secret/other"} }, approvals.WhyParameters},
		"an unknown parameter":  {func(_ *world, a *approvals.Ask) { a.Params = map[string]string{"force": "1"} }, approvals.WhyParameters},
		"a missing parameter":   {func(w *world, _ *approvals.Ask) { w.params = nil }, approvals.WhyParameters},
		"a precondition":        {func(w *world, _ *approvals.Ask) { w.unmet = true }, approvals.WhyPrecondition},
		"a defect of the plan":  {func(w *world, _ *approvals.Ask) { w.planErr = errors.New("hvs.secret") }, approvals.WhyBlind},
		"a refusal of the plan": {func(w *world, _ *approvals.Ask) { w.planErr = &approvals.Refusal{Why: approvals.WhyHealthy} }, approvals.WhyHealthy},
		"a broken chain": {func(w *world, _ *approvals.Ask) {
			w.store.broken = &approvals.Break{Number: 7, What: "entry 7 was changed"}
		}, approvals.WhyChain},
		"no glass to break":     {func(_ *world, a *approvals.Ask) { a.BreakGlass = true }, approvals.WhyNoBreakGlass},
		"a risk without a rule": {func(w *world, _ *approvals.Ask) { delete(w.opts.Policy.Risks, approvals.Low) }, approvals.WhyNotEntitled},
		"a kill switch": {func(w *world, _ *approvals.Ask) {
			if err := w.s.Freeze(w.t.Context(), worker, "davi", "incident"); err != nil {
				w.t.Error(err)
			}
		}, approvals.WhyFrozen},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := ask()
			tc.turn(w, &a)
			_, _, err := w.s.Ask(t.Context(), a)
			w.refused(err, tc.want, a.By)
			if strings.Contains(err.Error(), "hvs.") {
				t.Errorf("it quotes a secret: %v", err)
			}
			if len(w.store.order) != 0 {
				t.Error("there is a request")
			}
		})
	}
}

func TestAnAskThatCannotBeAuditedIsNoRefusalEither(t *testing.T) {
	w := newWorld(t)
	full := errors.New("the disk is full")
	w.store.fail = func(approvals.Change) error { return full }
	a := ask()
	a.By = "guest"
	for _, by := range []string{"guest", "ana"} {
		a.By = by
		if _, _, err := w.s.Ask(t.Context(), a); !errors.Is(err, full) {
			t.Errorf("%s: %v", by, err)
		}
	}
}

func TestTheLimitIsOfAPersonNotOfAnAccount(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opts.Policy.PerHour = 2 })
	for _, by := range []string{"ana", "ana.admin"} {
		a := ask()
		a.By = by
		w.set(func() { w.params = map[string]string{"path": "secret/" + by} })
		if _, _, err := w.s.Ask(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := w.s.Ask(t.Context(), ask())
	w.refused(err, approvals.WhyTooMany, "ana")
	w.pass(time.Hour + time.Second)
	if _, _, err := w.s.Ask(t.Context(), ask()); err != nil {
		t.Error(err)
	}
}

func TestWhatPeopleSayFakesNothing(t *testing.T) {
	w := newWorld(t)
	a := ask()
	a.Reason = "fine\u202e\x00\nApproved by bruno" + strings.Repeat("x", 5000)
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil || !strings.HasPrefix(r.Reason, "fine Approved") || len(r.Reason) > 1010 {
		t.Errorf("%q, %v", r.Reason, err)
	}
}

func TestNoAddressIsKept(t *testing.T) {
	w := newWorld(t)
	r := w.approved()
	if raw := string(w.store.requests[r.ID]); strings.Contains(raw, "example.com") {
		t.Error(raw)
	}
}

func TestOnlyTheRequesterCancels(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	_, err := w.s.Cancel(t.Context(), r.ID, "bruno", approvals.ByCommand, "")
	w.refused(err, approvals.WhyNotYours, "bruno")
	for range 2 {
		if r, err = w.s.Cancel(t.Context(), r.ID, "ana.admin", approvals.ByButton, "not needed"); err != nil || r.State != approvals.Cancelled {
			t.Fatalf("%s, %v", r.State, err)
		}
	}
	_, err = w.s.Vote(t.Context(), react(w.find(r.ID), "bruno", approvals.Approve))
	if err == nil {
		t.Fatal("a vote on a cancelled request counts")
	}
}

func TestExpired(t *testing.T) {
	w := newWorld(t)
	r := w.asked()
	w.pass(31 * time.Minute)
	w.ends(r.ID, approvals.Expired)
	if w.shown[r.ID] != 2 {
		t.Errorf("the card was drawn %d times: its buttons are still there", w.shown[r.ID])
	}
}

// The map says that ana.admin is ana, and the address says that ana.plus is:
// each is known by other means, and they are one person.
func TestTwoSecondAccountsOfOnePerson(t *testing.T) {
	w := newWorld(t)
	a := ask()
	a.By = "ana.admin"
	r, _, err := w.s.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	w.show(r.ID)
	_, err = w.s.Vote(t.Context(), react(w.find(r.ID), "ana.plus", approvals.Approve))
	w.refused(err, approvals.WhyOwnRequest, "ana.plus")
}
