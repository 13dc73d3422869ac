package remedies

import (
	"slices"
	"testing"

	"tandem/approvals"
)

// mongodb names the first secret of the bench.
func mongodb(more ...string) map[string]string {
	params := map[string]string{"mount": "secret", "path": "orchestrator/mongodb"}
	for i := 0; i < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	return params
}

// state is what the metadata of the bench's first secret tell.
func (b *bench) state(t *testing.T) kvState {
	t.Helper()
	return must[kvState](t)(b.deps.Vault.kvState(soon(t), b.deps.Services[0].Secrets[0]))
}

func (b *bench) testUndelete(t *testing.T) {
	b.wantRefused(t, "kv-undelete", mongodb(), approvals.WhyHealthy)
	b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{1}})
	p := b.plan(t, "kv-undelete", mongodb())
	if again := b.plan(t, "kv-undelete", mongodb()); again.Fingerprint() != p.Fingerprint() {
		t.Error("the same plan has another fingerprint")
	}
	act := b.carryOut(t, p)
	if !slices.Equal(act.Calls, []string{"log in to Vault's role tandem-kv-undelete", p.Calls[0].What, "PUT /v1/auth/token/revoke-self"}) {
		t.Errorf("the calls are %q", act.Calls)
	}
	if k := b.state(t); k.state(1, b.deps.Now()) != live {
		t.Errorf("afterwards it is %+v", k)
	}
	b.again(t, p)
	if k := b.state(t); k.Current != 1 || k.state(1, b.deps.Now()) != live {
		t.Errorf("after the second time it is %+v", k)
	}
	// The world moves on: what was approved is not what would be done.
	b.put(t, canary+"-2")
	b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if drifted := b.plan(t, "kv-undelete", mongodb()); drifted.Fingerprint() == p.Fingerprint() {
		t.Error("another version has the same fingerprint")
	}
	b.write(t, "secret/destroy/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	b.wantUnmet(t, "kv-undelete", mongodb())
	b.wantRefused(t, "kv-undelete", map[string]string{"path": "another/secret"}, approvals.WhyParameters)
	b.wantRefused(t, "kv-undelete", nil, approvals.WhyParameters) // there are two
	b.wantRefused(t, "kv-undelete", map[string]string{"path": "orchestrator/flags"}, approvals.WhyPrecondition)
}
