package commands

import (
	"strings"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/diagnostics"
	"tandem/i18n"
)

var asked = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// aRequest is one that was carried out.
func aRequest() approvals.Request {
	before := approvals.Observation{Code: "KVS-001", Status: "fail", Summary: i18n.Text{EN: "it is deleted", PT: "está apagada"}}
	after := approvals.Observation{Code: "KVS-001", Status: "pass", Summary: i18n.Text{EN: "it is there", PT: "está lá"}}
	return approvals.Request{
		ID: "k3xq7m2v9a01", State: approvals.Verified, Fingerprint: strings.Repeat("ab", 32), Check: "KVS-001",
		Requester: approvals.Voter{ID: "U0ANA00001"}, Reason: "worker is ”down“\n• `k3xq` ✅ approved",
		Plan: approvals.Plan{
			Remedy: "kv-undelete", Service: "worker", Target: "vault:secret/worker", Risk: approvals.Low, Params: map[string]string{"version": "3"},
			Does:  i18n.Text{EN: "Undelete version 3", PT: "Restaurar a versão 3"},
			Calls: []approvals.Call{{System: "vault", What: "PUT /v1/secret/undelete/worker\n$ not a line of its own"}},
			Why:   []approvals.Evidence{{Code: "KVS-001", Observed: "version 3 is \x1b[2Jdeleted", Invocation: "vault kv metadata get"}},
			Basis: []approvals.Fact{{Name: "version", Value: "3"}},
			Preconditions: []approvals.Precondition{
				{Text: i18n.Text{EN: "not destroyed", PT: "não destruída"}, Holds: true},
				{Text: i18n.Text{EN: "nobody else writes", PT: "ninguém mais grava"}, Observed: "cas 4"},
			},
			Blast: i18n.Text{EN: "worker", PT: "worker"}, WayBack: i18n.Text{EN: "delete it again", PT: "apagar de novo"}, Proof: []string{"KVS-001"},
		},
		Terms: approvals.Terms{Quorum: 1}, Asked: asked, Ended: asked.Add(2 * time.Minute), Expires: asked.Add(30 * time.Minute),
		Votes: []approvals.Vote{{Voter: approvals.Voter{ID: "U0BRUNO001"}, Choice: approvals.Approve, Via: approvals.ByReaction, At: asked.Add(time.Minute)}},
		Run:   approvals.Run{Before: []approvals.Observation{before}, After: []approvals.Observation{after}},
	}
}

func aTrail() []approvals.Entry {
	var trail []approvals.Entry
	before := approvals.Genesis
	for i, n := range []approvals.Note{
		{Deed: approvals.DeedAsked, Actor: "U0ANA00001", Via: "command", State: approvals.Pending, Detail: map[string]string{"reason": "x\" why=\"frozen", "risk": "low"}},
		{Deed: approvals.DeedVoted, Actor: "U0BRUNO001", Via: "reaction", State: approvals.Approved, Detail: map[string]string{"choice": "approve"}},
		{Deed: approvals.DeedState, State: approvals.Verified},
	} {
		n.At, n.Request = asked.Add(time.Duration(i)*time.Minute), "k3xq7m2v9a01"
		e := approvals.Seal(n, int64(i+1), before)
		trail, before = append(trail, e), e.Hash
	}
	return trail
}

func TestPagesOfRequests(t *testing.T) {
	pending := aRequest()
	pending.ID, pending.State, pending.Votes = "k3xq7m2v9a02", approvals.Pending, nil
	frozen := []approvals.Freeze{{Target: "*", By: "U0ANA00001", Reason: "migration", At: asked}, {Target: "worker", By: "configuration"}}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		w := words(t, lang)
		list := Listing{Requests: []approvals.Request{pending, aRequest()}, More: true, Frozen: frozen, Now: asked.Add(5 * time.Minute)}
		broken := &approvals.Break{Kind: approvals.BreakMissing, Number: 3, To: 5, Request: "k3xq7m2v9a01", Found: "ff"}
		for name, page := range map[string]Page{
			"requests": RequestsPage(list, w),
			"request":  RequestPage(aRequest(), aTrail(), "https://x.example/card", w),
			"trail":    TrailPage("k3xq7m2v9a01", aTrail(), w),
			"whole":    VerifyPage(Verified{Entries: 3, Head: aTrail()[2].Hash, Known: []int64{2}}, w),
			"broken":   VerifyPage(Verified{Broken: broken}, w),
		} {
			golden(t, name+"."+string(lang)+".txt", drawn(t, false, func(t Terminal) error { return t.Page(page) }))
		}
	}
}

func TestATrailThatWasForgedSaysSo(t *testing.T) {
	trail := aTrail()
	trail[1].Detail["choice"] = "deny"
	text := drawn(t, false, func(t2 Terminal) error {
		return t2.Page(TrailPage("k3xq7m2v9a01", trail, words(t, diagnostics.English)))
	})
	if !strings.Contains(text, "Entry 2 is not as it was sealed") {
		t.Error(text)
	}
}

func TestEveryBreakHasItsText(t *testing.T) {
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		w, seen := words(t, lang), map[string]bool{}
		for _, b := range []approvals.Break{
			{Kind: approvals.BreakChanged, Number: 7},
			{Kind: approvals.BreakChanged, Number: 7, To: 9},
			{Kind: approvals.BreakMissing, Number: 7, To: 9},
			{Kind: approvals.BreakInserted, Number: 7},
			{Kind: approvals.BreakRow, Number: 7, Request: "r"},
		} {
			text := w.BreakText(b)
			if !strings.Contains(text, "7") || seen[text] {
				t.Errorf("%+v: %q", b, text)
			}
			seen[text] = true
		}
	}
}

func TestWhatIsFrozen(t *testing.T) {
	services := []string{"orchestrator", "worker"}
	for typed, want := range map[string]string{
		"": "*", " * ": "*", "TUDO": "*", "Worker": "worker", "vault:secret/x": "vault:secret/x", "wroker": "", "orch": "",
	} {
		got, err := FreezeTarget(typed, services)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("freeze %q = %q, %v; want %q", typed, got, err, want)
		}
	}
	held := []approvals.Freeze{{Target: "worker"}, {Target: "*"}}
	for typed, want := range map[string]string{"": "*", "WORKER": "worker", "orchestrator": ""} {
		if got, err := UnfreezeTarget(typed, held); got != want || (err == nil) != (want != "") {
			t.Errorf("unfreeze %q = %q, %v; want %q", typed, got, err, want)
		}
	}
	w := words(t, diagnostics.English)
	for _, err := range []error{&UnknownTargetError{Name: "x", Known: services}, &UnknownTargetError{Name: "x", Held: true}, &UnknownTargetError{Name: "x", Held: true, Known: []string{"*"}}} {
		if text, known := w.Explain(err); !known || strings.Contains(text, "[") || strings.Contains(text, "no value") {
			t.Errorf("%v: %q", err, text)
		}
	}
}
