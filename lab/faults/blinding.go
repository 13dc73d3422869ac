package faults

import (
	"context"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// blinding are faults of what the bot looks with: of the service nobody can tell,
// and to say that is the right answer.
func blinding() []Fault {
	blind := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Service: worker, Status: diagnostics.Unknown, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		blind("prometheus-down", "PRM-001", "Prometheus is stopped.", stop("prometheus"), restart("prometheus")),
		blind("prometheus-frozen", "PRM-001", "Prometheus accepts and never answers.", pause("prometheus"), resume("prometheus")),
		blind("loki-down", "LOG-001", "Loki is stopped.", stop("loki"), restart("loki")),
		blind("loki-frozen", "LOG-001", "Loki accepts and never answers.", pause("loki"), resume("loki")),
		blind("vault-frozen", "VLT-001", "Vault accepts and never answers.", pause("vault"), resume("vault")),
		blind("postgres-frozen", "PGS-001", "PostgreSQL accepts and never answers.", pause("postgres"), resume("postgres")),
		blind("worker-silent", "PRM-001", "The worker's process is gone: nothing measures it any more.", stop(worker), restart(worker)),
		blind("bot-without-rights", "VLT-003", "Somebody emptied the bot's own policy.",
			changed("sys/policies/acl/tandem-diagnose", map[string]any{"policy": "# nothing\n"}, nil), restored("sys/policies/acl/tandem-diagnose")),
		blind("workload-api-hangs", "SPF-001", "The agent accepts and never answers.",
			spiffe(map[string]any{"agent_down": "hang"}), spiffe(map[string]any{"agent_down": ""})),
		blind("spire-server-hangs", "SPR-001", "The SPIRE server accepts and never answers.",
			spiffe(map[string]any{"server_hang": true}), spiffe(map[string]any{"server_hang": false})),
	}
}

// pause and resume freeze a process of the world and let it go on.
func pause(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Pause(ctx, name) }
}

func resume(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Continue(ctx, name) }
}
