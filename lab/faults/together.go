package faults

import (
	"context"
	"errors"
	"slices"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// together are several faults at once. Where they are independent both must be
// named; where one hides the other, only the one that hides.
func together() []Fault {
	return []Fault{
		both("policy-and-audience", worker, "The worker may not renew its token, and the registry expects another audience.",
			[]string{"TOK-002", "GRP-002"}, "renew-self-denied", "audience-mismatch"),
		both("pool-and-allow-list", worker, "The worker's pool is stale, and the registry does not let it in.",
			[]string{"GRP-003", "DBC-004"}, "not-allowed", "pool-stale"),
		both("jwks-and-renewal", worker, "The key document is old, and the worker's renewal task stopped.",
			[]string{"BND-001", "DBC-003"}, "jwks-stale", "renewal-task-dead"),
		both("placeholder-and-postgres", worker, "The worker sends a placeholder, and PostgreSQL is stopped.",
			[]string{"GRP-004", "PGS-001"}, "svid-placeholder", "postgres-down"),
		both("secret-and-mongodb", orchestrator, "The secret lacks its key, and MongoDB refuses.",
			[]string{"KVS-003", "MDB-001"}, "kv-key-missing", "mongodb-down"),
		both("denied-and-mongodb", orchestrator, "The policy does not grant the secret, and MongoDB has no primary.",
			[]string{"KVS-004", "MDB-001"}, "kv-denied", "mongodb-without-primary"),
		both("sealed-and-agent-dead", worker, "Vault is sealed, and the agent is dead.",
			[]string{"VLT-002", "SPF-001"}, "agent-dead", "vault-sealed"),
		both("sealed-and-secret-missing", orchestrator, "Vault is sealed; that the secret is gone nobody can see.",
			[]string{"VLT-002"}, "kv-missing", "vault-sealed"),
		both("down-and-pool-stale", worker, "Vault is down; what else is wrong behind it is not told as a cause.",
			[]string{"VLT-001"}, "renew-self-denied", "vault-down"),
		both("entry-and-registry", worker, "The worker has no entry, and the registry is stopped.",
			[]string{"SPF-003", "GRP-005"}, "spire-entry-missing", "registry-down"),
	}
}

// both injects faults one after the other, and clears them the other way round.
func both(name, service, about string, codes []string, parts ...string) Fault {
	return Fault{
		Name: name, Service: service, Status: diagnostics.Fail, Codes: codes, About: about, Parts: parts,
		Inject: func(ctx context.Context, w *world.World) error {
			for _, part := range parts {
				if err := named(part).Inject(ctx, w); err != nil {
					return err
				}
			}
			return nil
		},
		Clear: func(ctx context.Context, w *world.World) error {
			var errs []error
			for _, part := range slices.Backward(parts) {
				errs = append(errs, named(part).Clear(ctx, w))
			}
			return errors.Join(errs...)
		},
	}
}

// named is a single fault; its name is in this package, so that it exists.
func named(name string) Fault {
	faults := single()
	return faults[slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })]
}
