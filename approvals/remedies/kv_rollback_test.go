package remedies

import (
	"strings"
	"testing"

	"tandem/approvals"
)

// value is what a version holds, as its owner reads it.
func (b *bench) value(t *testing.T) string {
	t.Helper()
	secret, err := b.root.Logical().ReadWithContext(soon(t), "secret/data/orchestrator/mongodb")
	check(t, err)
	data, _ := secret.Data["data"].(map[string]any)
	uri, _ := data["uri"].(string)
	return uri
}

// It follows testUndelete: version 1 can be read, version 2 is destroyed.
func (b *bench) testRollback(t *testing.T) {
	p := b.plan(t, "kv-rollback", mongodb())
	b.carryOut(t, p)
	if k := b.state(t); k.Current != 3 || !strings.Contains(b.value(t), canary+"-1") {
		t.Errorf("afterwards it is %+v", k)
	}
	b.again(t, p)
	if k := b.state(t); k.Current != 3 {
		t.Errorf("the second time it is %+v", k)
	}
	b.wantRefused(t, "kv-rollback", mongodb(), approvals.WhyHealthy)
	b.put(t, canary+"-wrong")
	if text := b.fails(t, p, &record{}); !strings.Contains(text, "nothing was changed") || !strings.Contains(text, "version 4") {
		t.Errorf("of a plan that is overtaken it says: %s", text)
	}
	if _, err := b.remedy(t, "kv-rollback").Plan(soon(t), approvals.Want{
		Service: "orchestrator", Params: mongodb(), Seen: []approvals.Observation{{Code: "MDB-002", Status: "fail"}},
	}); err != nil {
		t.Errorf("what a finding says is wrong cannot be rolled back: %v", err)
	}
	told := b.plan(t, "kv-rollback", mongodb("version", "1"))
	if told.Fingerprint() == b.plan(t, "kv-rollback", mongodb("version", "3")).Fingerprint() {
		t.Error("another version has the same fingerprint")
	}
	b.wantUnmet(t, "kv-rollback", mongodb("version", "2"))
	for _, version := range []string{"4", "5", "0", "-1", "one", canary} {
		b.wantRefused(t, "kv-rollback", mongodb("version", version), approvals.WhyParameters)
	}
	b.wantRefused(t, "kv-rollback", map[string]string{"path": "orchestrator/flags"}, approvals.WhyPrecondition)
	b.testOvertaken(t, told)
}

// testOvertaken has somebody else write in the very moment.
func (b *bench) testOvertaken(t *testing.T, p approvals.Plan) {
	act := &record{before: func(call string) {
		if call == p.Calls[1].What {
			b.put(t, canary+"-other")
		}
	}}
	text := b.fails(t, p, act)
	if !strings.Contains(text, "nothing was changed by PUT") || !strings.Contains(text, "ask again") {
		t.Errorf("it says: %s", text)
	}
	if k := b.state(t); k.Current != 5 || !strings.Contains(b.value(t), canary+"-other") {
		t.Errorf("what somebody else wrote is gone: %+v", k)
	}
	b.wantGivenBack(t, act)
	// The same, but that the bot cannot tell whether the version is its own.
	if text := b.fails(t, p, &record{}); !strings.Contains(text, "holds something else") {
		t.Errorf("of another's version it says: %s", text)
	}
}
