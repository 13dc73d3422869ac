package remedies

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

const (
	botID    = "spiffe://neural-hive.local/ns/tandem/sa/tandem"
	audience = "vault.neural-hive.local"
)

// jwtWay has Vault verify the tokens of a key that is made for the test, and
// logs in as the bot does with its JWT-SVID.
func (b *bench) jwtWay(t *testing.T) Way {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	public := must[[]byte](t)(x509.MarshalPKIXPublicKey(key.Public()))
	b.write(t, "auth/jwt/config", map[string]any{
		"jwt_validation_pubkeys": []string{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))},
	})
	signer := must[jose.Signer](t)(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil))
	return Way{Name: "jwt_svid", Login: func(ctx context.Context, client *api.Client, role string) (*api.Secret, error) {
		claims := jwt.Claims{Subject: botID, Audience: jwt.Audience{audience}, IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute))}
		svid, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			return nil, err
		}
		return client.Logical().WriteWithContext(ctx, "auth/jwt/login", map[string]any{"role": role, "jwt": svid})
	}}
}

// deleted leaves the secret so that kv-undelete has something to do.
func (b *bench) deleted(t *testing.T) approvals.Plan {
	t.Helper()
	b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{1}})
	return b.plan(t, "kv-undelete", mongodb())
}

func TestLoginByJWTAndByAppRoleWhenSPIREIsBroken(t *testing.T) {
	b := startBench(t)
	way := b.jwtWay(t)
	b.login.JWT = &JWTLogin{Mount: "jwt", Audience: audience, Subject: botID}
	b.apply(t)
	second := b.deps.Vault.Elevator.Ways[0]
	b.deps.Vault.Elevator.Ways = []Way{way, second}
	p := b.deleted(t)
	if act := b.carryOut(t, p); !strings.Contains(act.Identities[1], "by jwt_svid") {
		t.Errorf("the identities are %q", act.Identities)
	}
	for name, broken := range map[string]struct {
		login func(context.Context, *api.Client, string) (*api.Secret, error)
		why   string
	}{
		"the key is another":   {b.anotherKey(t, way), "Vault answers 400"},
		"no SVID":              {func(context.Context, *api.Client, string) (*api.Secret, error) { return nil, errors.New(canary) }, "no answer that could be read"},
		"no SVID, in words":    {func(context.Context, *api.Client, string) (*api.Secret, error) { return nil, trouble(nil, "no agent") }, "no agent"},
		"an answer of nothing": {func(context.Context, *api.Client, string) (*api.Secret, error) { return nil, nil }, "no token"},
		"a token without end":  {b.tokenOf(t, api.TokenCreateRequest{Policies: []string{p.Remedy}}), "apply the output"},
		"a role that is wider": {b.tokenOf(t, api.TokenCreateRequest{Policies: []string{"tandem-kv-undelete"}, TTL: "1m"}), "default, tandem-kv-undelete"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.deleted(t)
			b.deps.Vault.Elevator.Ways = []Way{{Name: "jwt_svid", Login: broken.login}, second}
			act := &record{}
			check(t, b.remedy(t, p.Remedy).Execute(soon(t), p, act))
			noCanary(t, act)
			if !strings.Contains(act.Identities[1], "since it could not by jwt_svid: ") || !strings.Contains(act.Identities[1], broken.why) || !strings.Contains(act.Identities[2], "by approle") {
				t.Errorf("the identities are %q, want %q in them", act.Identities, broken.why)
			}
			b.wantGivenBack(t, act)
		})
	}
}

// anotherKey signs by a key that Vault does not know.
func (b *bench) anotherKey(t *testing.T, known Way) func(context.Context, *api.Client, string) (*api.Secret, error) {
	t.Helper()
	return func(ctx context.Context, client *api.Client, role string) (*api.Secret, error) {
		b.jwtWay(t) // Vault forgets the key before
		return known.Login(ctx, client, role)
	}
}

// tokenOf logs in and is given a token of that make. That it is not used is held
// by its being revoked.
func (b *bench) tokenOf(t *testing.T, r api.TokenCreateRequest) func(context.Context, *api.Client, string) (*api.Secret, error) {
	t.Helper()
	return func(ctx context.Context, _ *api.Client, _ string) (*api.Secret, error) {
		secret, err := b.root.Auth().Token().CreateWithContext(ctx, &r)
		if err == nil {
			t.Cleanup(func() {
				if _, err := b.root.Auth().Token().LookupAccessorWithContext(context.WithoutCancel(t.Context()), secret.Auth.Accessor); err == nil {
					t.Error("a token that is too wide lives on")
				}
			})
		}
		return secret, err
	}
}

// When every way fails, people learn why, and that nothing was changed.
func TestNoWayIn(t *testing.T) {
	b := startBench(t)
	p := b.deleted(t)
	b.secrets["tandem-kv-undelete"] = canary
	act := &record{}
	text := b.fails(t, p, act)
	for _, part := range []string{"nothing was changed", "tandem-kv-undelete", "approle: Vault answers 400"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in: %s", part, text)
		}
	}
	if len(act.Calls) != 1 {
		t.Errorf("it made the calls %q", act.Calls)
	}
	b.deps.Vault.Elevator = nil
	if text := b.fails(t, p, &record{}); !strings.Contains(text, "nothing was changed") {
		t.Errorf("without any way it says: %s", text)
	}
	b.wantRefused(t, "kv-undelete", mongodb(), approvals.WhyNoRemedy)
	b.deps.Vault.Client = nil
	b.wantRefused(t, "kv-write", mongodb(), approvals.WhyNoRemedy)
}

// A privilege is given back whatever happens to the remedy.
func TestGivenBackWhateverHappens(t *testing.T) {
	b := startBench(t)
	p := b.deleted(t)
	frozen := &approvals.Trouble{Text: "a call was not made: refused: frozen"}
	t.Run("the call is refused", func(t *testing.T) {
		b.secrets["tandem-kv-undelete"], b.secrets["tandem-policy-fix"] = b.secrets["tandem-policy-fix"], b.secrets["tandem-kv-undelete"]
		defer b.apply(t)
		b.deps.Vault.Elevator.Ways[0].Login = b.asAnother("tandem-policy-fix")
		defer func() { b.deps.Vault.Elevator.Ways[0].Login = b.appRole }()
		act := &record{}
		if text := b.fails(t, p, act); !strings.Contains(text, "should give tandem-kv-undelete alone") {
			t.Errorf("it says: %s", text)
		}
	})
	t.Run("the kill switch is pulled", func(t *testing.T) {
		act := &record{refuse: func(call string) error {
			if call == p.Calls[0].What || strings.Contains(call, "revoke-self") {
				return frozen
			}
			return nil
		}}
		if text := b.fails(t, p, act); text != frozen.Text {
			t.Errorf("it says: %s", text)
		}
		b.wantRevoked(t)
	})
	t.Run("the kill switch is pulled after the change", func(t *testing.T) {
		act := &record{refuse: func(call string) error {
			if strings.Contains(call, "revoke-self") {
				return frozen
			}
			return nil
		}}
		check(t, b.remedy(t, p.Remedy).Execute(soon(t), p, act)) // what it was asked to do is done
		b.wantGivenBack(t, act)
	})
	t.Run("the login cannot be written down", func(t *testing.T) {
		b.lent.take()
		act := &record{after: func(call string) error {
			if strings.HasPrefix(call, "log in") {
				return frozen
			}
			return nil
		}}
		if text := b.fails(t, p, act); text != frozen.Text {
			t.Errorf("it says: %s", text)
		}
		b.wantRevoked(t)
	})
	t.Run("it is cancelled", func(t *testing.T) {
		b.deleted(t)
		ctx, cancel := context.WithCancel(soon(t))
		act := &record{before: func(call string) {
			if call == p.Calls[0].What {
				cancel()
			}
		}}
		err := b.remedy(t, p.Remedy).Execute(ctx, p, act)
		if text := troubleOf(t, err); !strings.HasPrefix(text, "not done, as a look shows") {
			t.Errorf("it says: %s", text)
		}
		b.wantGivenBack(t, act)
	})
	t.Run("it breaks off by a defect", func(t *testing.T) {
		act := &record{before: func(call string) {
			if call == p.Calls[0].What {
				panic("a defect")
			}
		}}
		func() {
			defer func() { _ = recover() }()
			_ = b.remedy(t, p.Remedy).Execute(soon(t), p, act)
			t.Error("it went well")
		}()
		b.wantRevoked(t)
	})
}

// wantRevoked holds that the last thing that was done under a privilege is to
// give it back.
func (b *bench) wantRevoked(t *testing.T) {
	t.Helper()
	made := b.lent.take()
	if len(made) == 0 || made[len(made)-1] != "PUT /v1/auth/token/revoke-self" {
		t.Errorf("the requests are %q", made)
	}
}

// asAnother logs in to the role of another remedy.
func (b *bench) asAnother(role string) func(context.Context, *api.Client, string) (*api.Secret, error) {
	return func(ctx context.Context, client *api.Client, _ string) (*api.Secret, error) {
		return client.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": role, "secret_id": b.secrets["tandem-kv-undelete"]})
	}
}
