package faults

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// nowhere is an address where nobody listens.
const nowhere = "127.0.0.1:1"

// wayFaults are those between a service and what it uses: the bot, which goes
// another way, sees the other side well.
func wayFaults() []Fault {
	way := func(name string, row int, service, code, about, key string, value any) Fault {
		return Fault{
			Name: name, Row: row, Service: service, Status: diagnostics.Fail, Codes: []string{code}, About: about,
			Inject: configured(service, map[string]any{key: value}), Clear: restart(service),
		}
	}
	gone := func(name string, row int, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: row, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	warn := func(name string, row int, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: row, Service: worker, Status: diagnostics.Warn, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		way("vault-unreachable-for-worker", 0, worker, "NET-001", "The worker's address of Vault leads nowhere; Vault is well.", "vault_addr", "http://"+nowhere),
		way("postgres-unreachable-for-worker", 4, worker, "PGS-003", "The worker's address of PostgreSQL leads nowhere; PostgreSQL is well.", "postgres_addr", nowhere),
		way("socket-not-mounted", 2, worker, "SPF-010", "The agent's socket is not where the worker looks.", "workload_socket", "/run/not-mounted/api.sock"),
		way("secret-looked-for-elsewhere", 1, orchestrator, "KVS-005", "The orchestrator reads another path than the secret has.", "mongo_path", "orchestrator/mongo"),
		way("credentials-of-another-role", 4, worker, "DBC-011", "The worker asks for a database role that is not there.", "database_role", "temporal-worker"),
		{
			Name: "agent-evicted", Row: 2, Service: worker, Status: diagnostics.Fail, Codes: []string{"SPF-005"}, About: "The server forgot the agent.",
			Inject: spiffe(map[string]any{"agent_state": "evicted"}), Clear: all(spiffe(map[string]any{"agent_state": ""}), restartAgent),
		},
		{
			Name: "mongodb-without-primary", Row: 1, Service: orchestrator, Status: diagnostics.Fail, Codes: []string{"MDB-001"}, About: "MongoDB stepped down, and no member is primary.",
			Inject: mongodb(map[string]any{"not_primary": true}), Clear: mongodb(map[string]any{"not_primary": false}),
		},
		{
			Name: "mongodb-hangs", Row: 1, Service: orchestrator, Status: diagnostics.Fail, Codes: []string{"MDB-004"}, About: "MongoDB accepts connections and never answers.",
			Inject: mongodb(map[string]any{"down": "hang"}), Clear: mongodb(map[string]any{"down": ""}),
		},
		{
			Name: "kv-version-1", Row: 1, Service: orchestrator, Status: diagnostics.Fail, Codes: []string{"KVS-006"}, About: "The secret engine was mounted anew, as version 1.",
			Inject: remount("1"), Clear: all(remount("2"), kv(rewrite)),
		},
		gone("vault-frozen", 0, "NET-001", "Vault accepts and never answers, neither the bot nor the worker, which was rolled out.",
			all(pause("vault"), restart(worker)), resume("vault")),
		gone("postgres-frozen", 4, "PGS-003", "PostgreSQL accepts and never answers, neither the bot nor the worker.", pause("postgres"), resume("postgres")),
		gone("workload-api-hangs", 2, "SPF-009", "The agent accepts and never answers, and the worker was rolled out.",
			all(spiffe(map[string]any{"agent_down": "hang"}), restart(worker)), all(spiffe(map[string]any{"agent_down": ""}), restart(worker))),
		gone("spire-server-hangs", 2, "SPF-009", "The SPIRE server accepts and never answers, and the worker was rolled out.",
			all(spiffe(map[string]any{"server_hang": true}), restart(worker)), all(spiffe(map[string]any{"server_hang": false}), restart(worker))),
		gone("worker-crashed", 0, "KUB-001", "The worker's process died, and nothing starts it again.", kill(worker), restart(worker)),
		gone("agent-of-its-node-banned", 2, "SPF-012", "The agent of the worker's node is banned; those of two other nodes are well.",
			peers("banned", "", ""), peers("")),
		warn("agent-behind-its-peers", 2, "SPR-004", "An agent of another version than its peers.", peers("", "", "old"), peers("")),
		warn("agent-banned-among-peers", 2, "SPF-005", "One agent of three is banned; the worker's is well.", peers("", "", "banned"), peers("")),
		warn("jwt-ttl-below-cache", 2, "SPF-007", "The entry's jwt_svid_ttl is what caches renew at.", entryJWTTTL(300), entryJWTTTL(0)),
	}
}

// peers sets the state of the agent of the worker's node, and of agents of other
// nodes, of which there are none otherwise.
func peers(own string, others ...string) act {
	return spiffe(map[string]any{"agent_state": own, "peers": append([]string{}, others...)})
}

// configured restarts a service with another configuration, as a rollout would;
// the next restart is without.
func configured(service string, config map[string]any) act {
	return func(ctx context.Context, w *world.World) error {
		return w.Restart(ctx, service, world.Override{Config: config})
	}
}

// remount unmounts the engine of the secrets and mounts it in a version; nothing
// is left of what was there.
func remount(version string) act {
	return admin(func(ctx context.Context, c *api.Client) error {
		mounts, err := c.Sys().ListMountsWithContext(ctx)
		if err != nil {
			return wrap("list the mounts", err)
		}
		if m := mounts["secret/"]; m != nil && m.Options["version"] == version {
			return nil
		}
		if err := c.Sys().UnmountWithContext(ctx, "secret"); err != nil {
			return wrap("unmount secret", err)
		}
		err = c.Sys().MountWithContext(ctx, "secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": version}})
		if err != nil || version == "1" {
			return wrap("mount secret", err)
		}
		return awaitVersion2(ctx, c)
	})
}

// awaitVersion2 returns when the engine has made itself one of version 2.
func awaitVersion2(ctx context.Context, c *api.Client) error {
	for {
		_, err := c.Logical().ListWithContext(ctx, "secret/metadata/")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for secret/ to be of version 2: %w", err)
		}
	}
}
