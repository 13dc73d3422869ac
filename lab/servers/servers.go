// Package servers finds the real servers that the lab runs: Vault, Prometheus,
// Loki, PostgreSQL, and Kubernetes' API server with its etcd.
//
// Each is looked for in its environment variable, then on PATH (only if its
// version suits), and otherwise built from the Go module that pins it, once for
// each combination of sources, build flags and Go version. PostgreSQL and etcd
// are never built: they come from the system's packages.
package servers

import (
	"context"
	"fmt"
	"strings"
)

// The names that Find knows.
const (
	Vault         = "vault"
	Prometheus    = "prometheus"
	Promtool      = "promtool" // Prometheus' own tester of rules; it runs no server
	Loki          = "loki"
	KubeAPIServer = "kube-apiserver"
	Etcd          = "etcd"
	Postgres      = "postgres"
)

// Names lists what Find knows, those that are never built first: their absence
// is known at once.
func Names() []string {
	return []string{Postgres, Etcd, Vault, Prometheus, Promtool, Loki, KubeAPIServer}
}

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
		return "", fmt.Errorf("unknown server %q: the lab knows %s", name, strings.Join(Names(), ", "))
	}
	return finder.find(ctx, server)
}
