package remedies

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

// serviceToken makes a token as a service has it.
func (b *bench) serviceToken(t *testing.T, r api.TokenCreateRequest) *api.SecretAuth {
	t.Helper()
	if r.Policies == nil {
		r.Policies = []string{"orchestrator-policy"}
	}
	secret, err := b.root.Auth().Token().CreateWithContext(soon(t), &r)
	check(t, err)
	return secret.Auth
}

func accessor(auth *api.SecretAuth) map[string]string {
	return map[string]string{"accessor": auth.Accessor}
}

// aged is a token of an hour of which ten minutes are left.
func (b *bench) aged(t *testing.T) *api.SecretAuth {
	t.Helper()
	auth := b.serviceToken(t, api.TokenCreateRequest{TTL: "1h", NoDefaultPolicy: true})
	_, err := b.root.Auth().Token().RenewAccessorWithContext(soon(t), auth.Accessor, 600)
	check(t, err)
	return auth
}

func (b *bench) testRenew(t *testing.T) {
	auth := b.aged(t)
	p := b.plan(t, "token-renew", accessor(auth))
	if strings.Contains(p.Target+p.Calls[0].What+p.Calls[0].ByHand, auth.ClientToken) {
		t.Error("the plan has the token itself")
	}
	b.carryOut(t, p)
	now, known, err := b.deps.Vault.token(soon(t), auth.Accessor)
	if err != nil || !known || now.left() < 30*time.Minute {
		t.Errorf("afterwards it is %+v, %v", now, err)
	}
	b.wantRefused(t, "token-renew", accessor(auth), approvals.WhyHealthy)
	b.again(t, p)
	other := b.aged(t)
	drifted := b.plan(t, "token-renew", accessor(other))
	_, err = b.root.Auth().Token().RenewAccessorWithContext(soon(t), other.Accessor, 700)
	check(t, err)
	if again := b.plan(t, "token-renew", accessor(other)); again.Fingerprint() == drifted.Fingerprint() {
		t.Error("a token that was renewed meanwhile has the same fingerprint")
	}
	b.testNotRenewed(t, other)
}

func (b *bench) testNotRenewed(t *testing.T, auth *api.SecretAuth) {
	b.wantRefused(t, "token-renew", nil, approvals.WhyParameters)
	b.wantRefused(t, "token-renew", map[string]string{"accessor": "no accessor"}, approvals.WhyParameters)
	b.wantRefused(t, "token-renew", map[string]string{"accessor": auth.ClientToken}, approvals.WhyPrecondition) // nor a token
	for _, policies := range [][]string{{"standing"}, {"orchestrator-policy", "standing"}, {"default"}} {
		foreign := b.serviceToken(t, api.TokenCreateRequest{Policies: policies, TTL: "1h"})
		b.wantRefused(t, "token-renew", accessor(foreign), approvals.WhyParameters)
	}
	withDefault := b.serviceToken(t, api.TokenCreateRequest{TTL: "1h"})
	b.wantRefused(t, "token-renew", accessor(withDefault), approvals.WhyHealthy)
	renewable := false
	never := b.serviceToken(t, api.TokenCreateRequest{TTL: "5s", Renewable: &renewable})
	b.awaitAged(t, never)
	b.wantUnmet(t, "token-renew", accessor(never))
	limited := b.serviceToken(t, api.TokenCreateRequest{TTL: "1h", ExplicitMaxTTL: "8s"})
	b.awaitAged(t, limited)
	b.wantUnmet(t, "token-renew", accessor(limited))
	check(t, b.root.Auth().Token().RevokeAccessorWithContext(soon(t), auth.Accessor))
	b.wantRefused(t, "token-renew", accessor(auth), approvals.WhyPrecondition)
}

// awaitAged waits until a renewal of a short token would be worth asking for.
func (b *bench) awaitAged(t *testing.T, auth *api.SecretAuth) {
	t.Helper()
	await(t, func() error {
		_, err := b.remedy(t, "token-renew").Plan(soon(t), approvals.Want{Service: "orchestrator", Params: accessor(auth)})
		return err
	})
}
