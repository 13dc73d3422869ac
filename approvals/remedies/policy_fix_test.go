package remedies

import (
	"strings"
	"testing"

	"tandem/approvals"
)

const storedPolicy = "path \"secret/data/orchestrator/mongodb\" {\n  capabilities = [\"deny\"]\n}\nEOF\n# \u202esomebody's joke"

func (b *bench) storedPolicy(t *testing.T) string {
	t.Helper()
	text, err := b.root.Sys().GetPolicyWithContext(soon(t), "orchestrator-policy")
	check(t, err)
	return text
}

func (b *bench) testPolicy(t *testing.T) {
	missing := b.plan(t, "policy-fix", nil)
	if want := "vault policy delete orchestrator-policy"; missing.WayBack.EN != want {
		t.Errorf("the way back is %s, want %s", missing.WayBack.EN, want)
	}
	check(t, b.root.Sys().PutPolicyWithContext(soon(t), "orchestrator-policy", strings.Replace(storedPolicy, "\nEOF", "\n# EOF", 1)))
	p := b.plan(t, "policy-fix", map[string]string{"policy": "orchestrator-policy"})
	if p.Fingerprint() == missing.Fingerprint() {
		t.Error("what is stored does not count in the fingerprint")
	}
	if !strings.Contains(p.Calls[0].ByHand, reviewedPolicy) || !strings.Contains(p.WayBack.EN, strings.Replace(storedPolicy, "\nEOF", "\n# EOF", 1)) {
		t.Errorf("the texts are not whole: %+v", p)
	}
	for _, line := range []string{`-   capabilities = ["deny"]`, `+   capabilities = ["read"]`, "- # somebody's joke"} {
		if !strings.Contains(p.Why[0].Observed, line) {
			t.Errorf("the difference lacks %s: %s", line, p.Why[0].Observed)
		}
	}
	b.carryOut(t, p)
	if got := b.storedPolicy(t); got != reviewedPolicy {
		t.Errorf("afterwards it is %s", got)
	}
	b.again(t, p)
	b.wantRefused(t, "policy-fix", nil, approvals.WhyHealthy)
	check(t, b.root.Sys().PutPolicyWithContext(soon(t), "orchestrator-policy", "\n"+reviewedPolicy+"\n\n"))
	b.wantRefused(t, "policy-fix", nil, approvals.WhyHealthy)
	for _, policy := range []string{"another", "standing", "default", "root", "tandem-policy-fix", canary} {
		b.wantRefused(t, "policy-fix", map[string]string{"policy": policy}, approvals.WhyParameters)
	}
	b.testReviewedAnew(t, p)
}

// testReviewedAnew has the configuration change after the approval.
func (b *bench) testReviewedAnew(t *testing.T, p approvals.Plan) {
	b.deps.Vault.Policies["orchestrator-policy"] = "path \"*\" {}"
	defer func() { b.deps.Vault.Policies["orchestrator-policy"] = reviewedPolicy }()
	if text := b.fails(t, p, &record{}); !strings.Contains(text, "nothing was changed") {
		t.Errorf("it says: %s", text)
	}
	// What the operator did not apply cannot be written either.
	if text := b.fails(t, b.plan(t, "policy-fix", nil), &record{}); !strings.Contains(text, "answers 403") || !strings.Contains(text, "bot policy vault") {
		t.Errorf("it says: %s", text)
	}
}
