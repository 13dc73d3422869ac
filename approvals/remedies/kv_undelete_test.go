package remedies

import (
	"slices"
	"testing"

	"tandem/approvals"
)

func (b *bench) testUndelete(t *testing.T) {
	remedy := b.remedy(t, "kv-undelete")
	_, err := remedy.Plan(soon(t), approvals.Want{Service: "orchestrator"})
	if why := refusal(t, err); why != approvals.WhyHealthy {
		t.Errorf("refused since %s", why)
	}
	b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{1}})
	p := b.plan(t, "kv-undelete", map[string]string{"mount": "secret", "path": "orchestrator/mongodb"})
	if again := b.plan(t, "kv-undelete", nil); again.Fingerprint() != p.Fingerprint() {
		t.Error("the same plan has another fingerprint")
	}
	act := b.carryOut(t, p)
	if !slices.Equal(act.Calls, []string{"log in to Vault's role tandem-kv-undelete", p.Calls[0].What, "PUT /v1/auth/token/revoke-self"}) {
		t.Errorf("the calls are %q", act.Calls)
	}
	if k := must[kvState](t)(b.deps.Vault.kvState(soon(t), b.deps.Services[0].Secrets[0])); k.state(1, b.deps.Now()) != "live" {
		t.Errorf("afterwards it is %+v", k)
	}
	// The world moves on: what was approved is not what would be done.
	b.put(t, canary+"-2")
	b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if drifted := b.plan(t, "kv-undelete", nil); drifted.Fingerprint() == p.Fingerprint() {
		t.Error("another version has the same fingerprint")
	}
	b.write(t, "secret/destroy/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if _, unmet := b.plan(t, "kv-undelete", nil).Unmet(); !unmet {
		t.Error("a destroyed version can be undeleted")
	}
	_, err = remedy.Plan(soon(t), approvals.Want{Service: "orchestrator", Params: map[string]string{"path": "another/secret"}})
	if why := refusal(t, err); why != approvals.WhyParameters {
		t.Errorf("a secret of another service is refused since %s", why)
	}
}
