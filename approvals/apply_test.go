package approvals_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/approvals"
)

// Whatever happens in whatever order, a request begins to be carried out only
// when as many distinct other people as its terms ask for approve of it.
func TestApplyNeedsTheQuorum(t *testing.T) { rapid.Check(t, walk) }

func FuzzApply(f *testing.F) { f.Fuzz(rapid.MakeFuzz(walk)) }

func walk(t *rapid.T) {
	now := time.Unix(1_700_000_000, 0).UTC()
	r := approvals.Request{
		ID: "r", State: approvals.Pending, Requester: anyone(t, "requester"), Asked: now, Expires: now.Add(30 * time.Minute),
		Terms: approvals.Terms{
			Quorum: rapid.IntRange(0, 3).Draw(t, "quorum"), Reactions: rapid.Bool().Draw(t, "reactions"), Reason: rapid.Bool().Draw(t, "reason"),
		},
		Reviews: rapid.SampledFrom([]string{"", "", "", "other"}).Draw(t, "reviews"),
	}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
		e := anything(t, now)
		before, votes := r, slices.Clone(r.Votes)
		next, err := approvals.Apply(r, e)
		if !slices.EqualFunc(before.Votes, votes, func(a, b approvals.Vote) bool { return a.ID == b.ID && a.Choice == b.Choice }) {
			t.Fatal("the request that was given was changed")
		}
		if err != nil {
			continue
		}
		holds(t, before, next, e)
		r = next
	}
}

func holds(t *rapid.T, before, next approvals.Request, e approvals.Event) {
	if before.State != next.State && !before.State.Leads(next.State) {
		t.Fatalf("%s became %s by %T", before.State, next.State, e)
	}
	if before.State.Ended() && before.State != next.State {
		t.Fatalf("%s was the end", before.State)
	}
	if next.State != approvals.Approved && next.State != approvals.Executing && next.State != approvals.Reviewed {
		return
	}
	if next.Reviews != "" && next.State != approvals.Reviewed {
		t.Fatal("a review is to be carried out")
	}
	yes := next.Approvals()
	if len(yes) < max(1, next.Terms.Quorum) {
		t.Fatalf("%s with %d of %d approvals", next.State, len(yes), next.Terms.Quorum)
	}
	for i, v := range yes {
		if v.Same(next.Requester) || slices.ContainsFunc(yes[:i], func(o approvals.Vote) bool { return o.Same(v.Voter) }) {
			t.Fatalf("%s by %+v", next.State, yes)
		}
		if v.Via == approvals.ByReaction && !next.Terms.Reactions || v.Reason == "" && next.Terms.Reason {
			t.Fatalf("%s by a vote that does not count: %+v", next.State, v)
		}
	}
}

// anyone is one of few people, under one of few accounts.
func anyone(t *rapid.T, label string) approvals.Voter {
	return approvals.Voter{
		ID:   rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, label),
		Keys: []string{rapid.SampledFrom([]string{"mail:1", "mail:2", "mail:3", "mail:4"}).Draw(t, label+"'s mail")},
	}
}

// anything is one of all events but the breaking of glass, which is the one way
// around a second person.
func anything(t *rapid.T, now time.Time) approvals.Event {
	reason := rapid.SampledFrom([]string{"", "why"}).Draw(t, "reason")
	vote := approvals.Voted{Vote: approvals.Vote{
		Voter:  anyone(t, "voter"),
		Choice: rapid.SampledFrom([]approvals.Choice{approvals.Approve, approvals.Approve, approvals.Approve, approvals.Deny, "", "maybe"}).Draw(t, "choice"),
		Via:    rapid.SampledFrom([]approvals.Via{approvals.ByReaction, approvals.ByButton, approvals.ByCommand}).Draw(t, "via"),
		Reason: reason, At: now,
	}}
	return rapid.SampledFrom([]approvals.Event{
		vote, vote, vote, vote, vote, vote,
		approvals.Withdrawn{ID: vote.Vote.ID, At: now},
		approvals.TimeOut{At: now},
		approvals.CancelledBy{ID: vote.Vote.ID, At: now},
		approvals.Overtaken{At: now},
		approvals.Began{Executor: "x", At: now},
		approvals.Stepped{},
		approvals.Through{At: now},
		approvals.Finished{State: rapid.SampledFrom([]approvals.State{
			approvals.Verified, approvals.Unverified, approvals.Failed, approvals.Interrupted, approvals.Approved, approvals.Executing, approvals.Pending,
		}).Draw(t, "end"), At: now},
		nil,
	}).Draw(t, "event")
}
