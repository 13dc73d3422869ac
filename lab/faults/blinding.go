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
		blind("bot-without-rights", "VLT-003", "Somebody emptied the bot's own policy.",
			changed("sys/policies/acl/tandem-diagnose", map[string]any{"policy": "# nothing\n"}, nil), restored("sys/policies/acl/tandem-diagnose")),
	}
}

// pause and resume freeze a process of the world and let it go on.
func pause(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Pause(ctx, name) }
}

func resume(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Continue(ctx, name) }
}
