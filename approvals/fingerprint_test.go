package approvals_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/approvals"
)

func TestFingerprintBindsWhatWouldBeDone(t *testing.T) {
	plan := func() approvals.Plan {
		return approvals.Plan{
			Remedy: "kv-undelete", Service: "orchestrator", Target: "vault:secret/orchestrator/mongodb", Risk: approvals.Low,
			Params: map[string]string{"path": "orchestrator/mongodb"},
			Calls:  []approvals.Call{{System: "vault", What: "PUT /v1/secret/undelete/orchestrator/mongodb"}},
			Basis:  []approvals.Fact{{Name: "current version", Value: "3"}},
			Why:    []approvals.Evidence{{Observed: "deleted", At: time.Unix(1, 0)}},
		}
	}
	same := plan()
	same.Why[0].At = time.Unix(2, 0)
	if plan().Fingerprint() != same.Fingerprint() {
		t.Error("the time at which something was seen changes the fingerprint")
	}
	for what, change := range map[string]func(*approvals.Plan){
		"target":       func(p *approvals.Plan) { p.Target += "2" },
		"call":         func(p *approvals.Plan) { p.Calls[0].What += "2" },
		"basis":        func(p *approvals.Plan) { p.Basis[0].Value = "4" },
		"parameter":    func(p *approvals.Plan) { p.Params["path"] = "other" },
		"risk":         func(p *approvals.Plan) { p.Risk = approvals.High },
		"precondition": func(p *approvals.Plan) { p.Preconditions = []approvals.Precondition{{Holds: true}} },
	} {
		other := plan()
		change(&other)
		if plan().Fingerprint() == other.Fingerprint() {
			t.Errorf("another %s has the same fingerprint", what)
		}
	}
}

// The plan that runs was in the store meanwhile.
func TestFingerprintOutlivesTheStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := approvals.Plan{
			Target: rapid.String().Draw(t, "target"),
			Params: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "params"),
			Calls:  rapid.SliceOf(rapid.Make[approvals.Call]()).Draw(t, "calls"),
			Basis:  rapid.SliceOf(rapid.Make[approvals.Fact]()).Draw(t, "basis"),
			Proof:  rapid.SliceOf(rapid.String()).Draw(t, "proof"),
		}
		raw, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		var back approvals.Plan
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if back.Fingerprint() != plan.Fingerprint() {
			t.Fatalf("%+v came back as %+v", plan, back)
		}
	})
}
