package remedies

import (
	"slices"
	"strings"
	"testing"

	"tandem/approvals"
)

// credential takes one of the role, as the service does.
func (b *bench) credential(t *testing.T) (lease, user string) {
	t.Helper()
	secret, err := b.root.Logical().ReadWithContext(soon(t), "database/creds/temporal-orchestrator")
	check(t, err)
	user, _ = secret.Data["username"].(string)
	return secret.LeaseID, user
}

func (b *bench) testRevoke(t *testing.T) {
	id, user := b.credential(t)
	other, otherUser := b.credential(t)
	p := b.plan(t, "lease-revoke", map[string]string{"lease": id})
	if p.Fingerprint() == b.plan(t, "lease-revoke", map[string]string{"lease": other}).Fingerprint() {
		t.Error("another lease has the same fingerprint")
	}
	b.carryOut(t, p)
	users := b.dynamicUsers(t)
	if slices.Contains(users, user) || !slices.Contains(users, otherUser) {
		t.Errorf("afterwards there are %q", users)
	}
	b.again(t, p)
	b.wantRefused(t, "lease-revoke", map[string]string{"lease": id}, approvals.WhyHealthy)
	for _, lease := range []string{
		"", "database/creds/temporal-orchestrator", "database/creds/temporal-orchestrator/", "database/creds/another/abc", other + "/", other + "*",
		"auth/token/create/abc", "database/creds/temporal-orchestrator/../another/abc", strings.TrimPrefix(other, "database/"), other + "\n",
	} {
		b.wantRefused(t, "lease-revoke", map[string]string{"lease": lease}, approvals.WhyParameters)
	}
}
