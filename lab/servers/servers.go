// Package servers finds the real servers that the lab runs: Vault, Prometheus,
// Loki and PostgreSQL.
//
// Each is looked for in its environment variable, then on PATH (only if its
// version suits), and otherwise built from the Go module that pins it, once for
// each combination of sources, build flags and Go version. PostgreSQL is never
// built: it comes from the system's package.
package servers

import (
	"context"
	"fmt"
)

// The names that Find knows.
const (
	Vault      = "vault"
	Prometheus = "prometheus"
	Loki       = "loki"
	Postgres   = "postgres"
)

// Progress takes one line about work that lasts; it must not block.
type Progress func(line string)

// Find returns the path of the named server's binary; for Postgres, of the
// folder that holds initdb and postgres. It may build for minutes: progress is
// told every few seconds. It is safe to call from several processes at once.
func Find(ctx context.Context, name string, progress Progress) (string, error) {
	finder, err := newFinder(progress)
	if err != nil {
		return "", err
	}
	if name == Postgres {
		return finder.postgres()
	}
	server, ok := finder.servers[name]
	if !ok {
		return "", fmt.Errorf("unknown server %q: the lab knows vault, prometheus, loki and postgres", name)
	}
	return finder.find(ctx, server)
}
