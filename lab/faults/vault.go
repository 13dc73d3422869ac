package faults

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/world"
)

const (
	workerPolicy  = "worker-agents-policy"
	workerRole    = "auth/jwt/role/worker-agents"
	databaseRole  = "database/roles/temporal-orchestrator"
	databaseMount = "database/config/temporal-db"
)

// tokenFaults are row 3: the worker's token is not renewed.
func tokenFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 3, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		row("renew-self-denied", "TOK-002", "The worker's policy does not grant renew-self.",
			policyWithout(workerPolicy, "auth/token/renew-self"), policyAsWritten(workerPolicy)),
		row("policy-missing", "POL-001", "The worker's policy does not exist.",
			deleteAt("sys/policies/acl/"+workerPolicy), policyAsWritten(workerPolicy)),
		row("token-dead", "TOK-001", "The worker's token was revoked, and the worker never logs in again.",
			all(behave(worker, map[string]any{"token_renewal": "never_relogin"}), revokeToken(worker)),
			all(behave(worker, map[string]any{"token_renewal": "ok"}), restart(worker))),
		row("login-role-missing", "LGN-001", "The worker's role at auth/jwt is gone, and the worker was rolled out.",
			saved(workerRole, restart(worker)), restored(workerRole)),
	}
}

// databaseFaults are row 4: a dynamic credential that expired.
func databaseFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 4, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		row("renewal-task-dead", "DBC-003", "The worker's renewal task stopped.",
			behave(worker, map[string]any{"renewal_task": "dead"}), behave(worker, map[string]any{"renewal_task": "ok"})),
		row("pool-stale", "DBC-004", "The worker's pool never takes up renewed credentials.",
			behave(worker, map[string]any{"pool": "stale"}), all(behave(worker, map[string]any{"pool": "ok"}), restart(worker))),
		row("database-role-missing", "DBC-002", "The role temporal-orchestrator is gone.",
			saved(databaseRole, nil), restored(databaseRole)),
		row("database-role-not-allowed", "DBC-001", "The connection does not allow the role any more.",
			allowRoles("another-role"), allowRoles("temporal-orchestrator")),
		row("postgres-down", "PGS-001", "PostgreSQL is stopped.", stop("postgres"), restart("postgres")),
	}
}

// admin acts with the lab's root token.
func admin(do func(context.Context, *api.Client) error) act {
	return func(ctx context.Context, w *world.World) error {
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		return do(ctx, client)
	}
}

func deleteAt(path string) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		_, err := c.Logical().DeleteWithContext(ctx, path)
		return wrap("delete "+path, err)
	})
}

// policyWithout writes a policy of the lab without the block of one path.
func policyWithout(name, path string) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		text, err := world.Policy(name)
		if err != nil {
			return err
		}
		block := regexp.MustCompile(`path "` + regexp.QuoteMeta(path) + `" \{[^}]*\}`)
		if !block.MatchString(text) {
			return fmt.Errorf("policy %s has no block for %s", name, path)
		}
		return wrap("write policy "+name, c.Sys().PutPolicyWithContext(ctx, name, block.ReplaceAllString(text, "")))
	})
}

func policyAsWritten(name string) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		text, err := world.Policy(name)
		if err != nil {
			return err
		}
		return wrap("write policy "+name, c.Sys().PutPolicyWithContext(ctx, name, text))
	})
}

// revokeToken revokes the token of a service, by its accessor.
func revokeToken(service string) act {
	return func(ctx context.Context, w *world.World) error {
		accessor, err := os.ReadFile(w.State().Services[service].AccessorFile)
		if err != nil {
			return fmt.Errorf("read the accessor of %s: %w", service, err)
		}
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		return wrap("revoke the token of "+service, client.Auth().Token().RevokeAccessorWithContext(ctx, strings.TrimSpace(string(accessor))))
	}
}

// saved deletes what is at a path, having kept it for restored, and then does
// the rest.
func saved(path string, then act) act {
	return func(ctx context.Context, w *world.World) error {
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		secret, err := client.Logical().ReadWithContext(ctx, path)
		if err != nil {
			return wrap("read "+path, err)
		}
		if secret == nil {
			return nil // it is gone already, and kept
		}
		if err := keep(w, path, secret.Data); err != nil {
			return err
		}
		if err := deleteAt(path)(ctx, w); err != nil || then == nil {
			return err
		}
		return then(ctx, w)
	}
}

// restored writes back what saved or changed kept; with nothing kept it does
// nothing. A role is deleted first: a write leaves the fields that it does not
// name as they are.
func restored(path string) act {
	return func(ctx context.Context, w *world.World) error {
		data, err := kept(w, path)
		if err != nil || data == nil {
			return err
		}
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		if strings.Contains(path, "/role") {
			if err := deleteAt(path)(ctx, w); err != nil {
				return err
			}
		}
		_, err = client.Logical().WriteWithContext(ctx, path, data)
		return wrap("write "+path, err)
	}
}

func allowRoles(roles string) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		_, err := c.Logical().WriteWithContext(ctx, databaseMount, map[string]any{"allowed_roles": roles, "verify_connection": false})
		return wrap("write "+databaseMount, err)
	})
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
