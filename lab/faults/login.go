package faults

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/world"
)

const (
	jwtConfig = "auth/jwt/config"
	loginRate = "sys/quotas/rate-limit/lab-logins"
)

// loginFaults are row 3 as far as the login goes: the worker has an identity, and
// Vault does not let it in, or lets it in with less.
func loginFaults() []Fault {
	row := func(name string, status diagnostics.Status, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 3, Service: worker, Status: status, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	const fail, warn = diagnostics.Fail, diagnostics.Warn
	again := restart(worker) // so that the worker must log in again, as at a rollout
	return []Fault{
		row("login-bound-to-another", fail, "LGN-001", "The worker's role is bound to another SPIFFE ID.",
			changed(workerRole, map[string]any{"bound_subject": "spiffe://" + trustDomain + "/ns/neural-hive-execution/sa/worker-v2"}, again), restored(workerRole)),
		row("login-claim", fail, "LGN-005", "The worker's role asks for a claim that no JWT-SVID has.",
			changed(workerRole, map[string]any{"bound_claims": map[string]any{"team": "execution"}}, again), restored(workerRole)),
		row("login-audience", fail, "LGN-005", "The worker's role expects another audience.",
			changed(workerRole, map[string]any{"bound_audiences": []string{"another.neural-hive.local"}}, again), restored(workerRole)),
		row("login-role-mistyped", fail, "LGN-008", "The worker asks for a role that is not there.",
			behave(worker, map[string]any{"vault_role": "worker-agent"}), behave(worker, map[string]any{"vault_role": ""})),
		row("login-from-elsewhere", fail, "LGN-010", "The worker's role lets only another network in.",
			changed(workerRole, map[string]any{"token_bound_cidrs": []string{"10.9.9.0/24"}}, again), restored(workerRole)),
		row("login-quota", fail, "VLT-010", "A rate limit quota on logins is used up.",
			all(writeAt(loginRate, map[string]any{"path": "auth/jwt/login", "rate": 0.001, "interval": "10m", "block_interval": "10m"}), useUpLogins, again),
			deleteAt(loginRate)),
		row("login-keys-of-another", fail, "BND-003", "Vault verifies logins with a key that SPIRE does not have.",
			changed(jwtConfig, map[string]any{"jwks_url": "", "jwt_validation_pubkeys": []string{strangersKey}}, again), restored(jwtConfig)),
		row("entity-disabled", fail, "LGN-010", "Somebody disabled the worker's entity.", entity(true), entity(false)),
		row("token-without-policy", fail, "TOK-006", "The worker's token is from before its role gave the policy.",
			all(changed(workerRole, map[string]any{"token_policies": []string{"lab-before"}}, nil), loginWith(workerRole)),
			all(restored(workerRole), restart(worker))),
		row("token-ttl-capped", warn, "TOK-005", "The mount of the logins gives less than the worker's role says.",
			all(tune("auth/jwt", "6s"), restart(worker)), all(tune("auth/jwt", "768h"), restart(worker), restart(orchestrator), restart(registry))),
	}
}

// strangersKey is a public key whose private half nobody kept.
const strangersKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkz2XUcZ/TEzn6yC5NZXSaRL9NEEV
W+tGQotQ+M0lFUpJNsD5L+ZugdZpd+8C1aXe66KFckMGElHfNfsWRCOnFw==
-----END PUBLIC KEY-----`

// changed writes fields over what is at a path, having kept it for restored, and
// then does the rest.
func changed(path string, fields map[string]any, then act) act {
	return func(ctx context.Context, w *world.World) error {
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		secret, err := client.Logical().ReadWithContext(ctx, path)
		if err != nil || secret == nil {
			return wrap("read "+path, orMissing(err))
		}
		before := withoutEmpty(secret.Data)
		if err := keep(w, path, before); err != nil {
			return err
		}
		after := maps.Clone(before)
		maps.Copy(after, fields)
		if _, err := client.Logical().WriteWithContext(ctx, path, after); err != nil || then == nil {
			return wrap("write "+path, err)
		}
		return then(ctx, w)
	}
}

func orMissing(err error) error {
	if err == nil {
		return fmt.Errorf("nothing is there")
	}
	return err
}

func writeAt(path string, data map[string]any) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		_, err := c.Logical().WriteWithContext(ctx, path, data)
		return wrap("write "+path, err)
	})
}

// useUpLogins takes what the quota allows, with a login that is refused anyhow.
func useUpLogins(ctx context.Context, w *world.World) error {
	client, err := w.VaultAdmin()
	if err != nil {
		return err
	}
	client.ClearToken()
	_, err = client.Logical().WriteWithContext(ctx, "auth/jwt/login", map[string]any{"role": "worker-agents", "jwt": "none"})
	if err == nil {
		return fmt.Errorf("log in without a JWT: nobody refused it")
	}
	return nil
}

// loginWith has the worker log in by its role as it is now, and then puts the
// role back: what the login gave stays in the token.
func loginWith(role string) act {
	return all(restart(worker), restored(role))
}

// entity disables or enables the worker's entity, which Vault made at its login.
func entity(disabled bool) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		mounts, err := c.Sys().ListAuthWithContext(ctx)
		if err != nil {
			return wrap("list the auth mounts", err)
		}
		found, err := c.Logical().WriteWithContext(ctx, "identity/lookup/entity", map[string]any{
			"alias_name": "spiffe://" + trustDomain + workerPath, "alias_mount_accessor": mounts["jwt/"].Accessor,
		})
		if err != nil || found == nil {
			return wrap("find the worker's entity", orMissing(err))
		}
		path := fmt.Sprintf("identity/entity/id/%v", found.Data["id"])
		_, err = c.Logical().WriteWithContext(ctx, path, map[string]any{"disabled": disabled})
		return wrap("write "+path, err)
	})
}

// tune sets the longest life of what a mount gives.
func tune(mount, longest string) act {
	return writeAt("sys/mounts/"+mount+"/tune", map[string]any{"max_lease_ttl": longest})
}
