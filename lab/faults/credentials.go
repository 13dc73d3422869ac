package faults

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// credentialFaults are row 4 as far as the engine, its role and the database go.
func credentialFaults() []Fault {
	row := func(name string, status diagnostics.Status, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 4, Service: worker, Status: status, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	const fail, warn = diagnostics.Fail, diagnostics.Warn
	role := func(field string, statements ...string) act {
		return changed(databaseRole, map[string]any{field: statements}, restart(worker))
	}
	roleBack := all(unhang, restored(databaseRole), restart(worker))
	return []Fault{
		row("renewal-extends-nothing", fail, "DBC-006", "The role's renew_statements do nothing: leases are renewed, VALID UNTIL is not.",
			role("renew_statements", "SELECT 1"), roleBack),
		row("mount-maximum", warn, "DBC-007", "The mount allows less than the role says.",
			tune("database", "300s"), tune("database", "768h")),
		row("root-password-drifted", fail, "DBC-008", "Somebody changed the password of Vault's own user in PostgreSQL.",
			all(sql(`ALTER ROLE "vault-admin" PASSWORD 'drifted'`, endSessions), restart(worker)), all(rootPassword, restart(worker))),
		row("credentials-denied", fail, "DBC-009", "The worker's policy does not grant the credentials.",
			all(policyWithout(workerPolicy, "database/creds/temporal-orchestrator"), restart(worker)), all(policyAsWritten(workerPolicy), restart(worker))),
		row("credentials-hang", fail, "DBC-010", "PostgreSQL answers, and making a user there takes for ever.",
			role("creation_statements", `SELECT pg_sleep(60); CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}';`), roleBack),
		row("credentials-broken", fail, "DBC-011", "The role's creation_statements are no SQL.",
			role("creation_statements", `CREATE ROLE "{{name}}" WITH LOGINS PASSWORD '{{password}}';`), roleBack),
		row("database-full", fail, "PGS-002", "Nobody but a superuser gets another connection to the database.",
			sql(`ALTER DATABASE temporal CONNECTION LIMIT 0`, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'v-%'`),
			sql(`ALTER DATABASE temporal CONNECTION LIMIT -1`)),
	}
}

const endSessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'vault-admin'`

// sql runs statements as PostgreSQL's superuser.
func sql(statements ...string) act {
	return func(ctx context.Context, w *world.World) (err error) {
		conn, err := w.PostgresAdmin(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, conn.Close(ctx)) }()
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("change PostgreSQL: %w", err)
			}
		}
		return nil
	}
}

// unhang ends what still waits for credentials-hang, since the engine makes one
// user after the other.
func unhang(ctx context.Context, w *world.World) error { return sql(endSessions)(ctx, w) }

// rootPassword gives Vault's user and Vault a new password that they agree on.
func rootPassword(ctx context.Context, w *world.World) error {
	password := rand.Text()
	return all(
		sql(fmt.Sprintf(`ALTER ROLE "vault-admin" PASSWORD '%s'`, password)),
		writeAt(databaseMount, map[string]any{"password": password}),
	)(ctx, w)
}
