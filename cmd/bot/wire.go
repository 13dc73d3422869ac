package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"tandem/approvals"
	"tandem/approvals/remedies"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/probes"
	"tandem/diagnostics/throttle"
)

// wired is what a configuration becomes: something that can diagnose, and the
// identity that it does so with.
type wired struct {
	diagnoser *diagnoser
	reader    *reader
	identity  *identity // nil when the configuration has no Vault
	throttles throttles
	remedies  []approvals.Remedy

	cluster remedies.Kubernetes // zero when the configuration has none
	leave   func()              // lets go of the connections to it
}

// wire makes the clients, the catalogue and the runner, or says all that is
// wrong with them. It asks no system yet.
func wire(c *config.Config, log *slog.Logger, now func() time.Time) (*wired, error) {
	var grants atomic.Pointer[[]diagnostics.Grant]
	w := &wired{leave: func() {}, throttles: newThrottles(c)}
	deps, unmade := w.clients(c, log, now)
	deps.Now, deps.Grants = now, func() []diagnostics.Grant { return *grants.Load() }
	loaded, err := loadCatalog(c, probes.All(deps))
	if err := errors.Join(unmade, err); err != nil {
		return nil, &setupError{err}
	}
	services := targets(c)
	mending, err := w.mending(c, log, now, services)
	if err != nil {
		return nil, err
	}
	w.remedies = remedies.All(mending)
	needed, err := grantsOf(loaded, services, mending)
	if err != nil {
		return nil, err
	}
	grants.Store(&needed)
	w.reader = newReader(c, deps, services)
	w.diagnoser = &diagnoser{
		runner: &diagnostics.Runner{Catalog: loaded, Now: now, Width: c.Diagnosis.Width, Timeout: c.Diagnosis.Timeout},
		since:  c.Diagnosis.Since, services: services, log: log,
	}
	return w, nil
}

// clients makes a client for each system of the configuration. The probes of
// one that cannot be made are as if it was not configured.
func (w *wired) clients(c *config.Config, log *slog.Logger, now func() time.Time) (probes.Deps, error) {
	deps := probes.Deps{SPIFFE: spiffeDeps(c.SPIFFE), MongoURIs: mongoURIs(c.MongoDB)}
	var vault, prometheus error
	cluster := w.enter(c)
	deps.Kubernetes.Client = w.cluster.Client
	deps.Logs = logSource(c, deps.Kubernetes.Client, w.throttles.loki, now)
	if c.Vault != nil {
		if w.identity, vault = newIdentity(c, w.throttles.vault, log); vault == nil {
			deps.Vault = probes.Vault{Client: w.identity.client, Nodes: c.Vault.Nodes, CLIAddr: c.Vault.Address}
		}
	}
	deps.Prometheus, prometheus = prometheusDeps(c.Prometheus, w.throttles.prometheus)
	if c.Postgres != nil {
		deps.Postgres = postgresDeps(c.Postgres)
	}
	return deps, errors.Join(vault, prometheus, cluster)
}

// close gives back what a single diagnosis took.
func (w *wired) close(ctx context.Context) {
	w.identity.release(ctx)
	w.leave()
}

// mending are what the remedies work with: they look with the identity that
// diagnoses.
func (w *wired) mending(c *config.Config, log *slog.Logger, now func() time.Time, services []diagnostics.Target) (remedies.Deps, error) {
	deps, err := remedyDeps(c, log, now, services)
	if err != nil {
		return deps, err
	}
	if w.identity != nil {
		deps.Vault.Client = w.identity.client
	}
	deps.Kubernetes = w.cluster
	return deps, nil
}

// enter makes the client of the cluster, if there is one.
func (w *wired) enter(c *config.Config) error {
	if c.Kubernetes == nil {
		return nil
	}
	entry, err := clusterConfig(c.Kubernetes)
	if err != nil {
		return err
	}
	accounts := accountsOf(c)
	w.cluster, w.leave, err = remedies.NewKubernetes(entry, accounts.Namespace, accounts.Account)
	if err != nil {
		return &setupError{fmt.Errorf("kubernetes: %w", err)}
	}
	return nil
}

// grantsOf are the rights at Vault that the checks and the plans need.
func grantsOf(loaded *diagnostics.Catalog, services []diagnostics.Target, mending remedies.Deps) ([]diagnostics.Grant, error) {
	uses, err := standing(loaded, services, mending)
	if err != nil {
		return nil, err
	}
	grants := make([]diagnostics.Grant, 0, len(uses))
	for _, use := range uses {
		grants = append(grants, use.Grant)
	}
	return grants, nil
}

func spiffeDeps(c *config.SPIFFE) probes.SPIFFE {
	if c == nil {
		return probes.SPIFFE{}
	}
	return probes.SPIFFE{
		WorkloadSocket: string(c.WorkloadAPISocket), ServerAddress: string(c.ServerAddress),
		JWKSURL: c.JWKSURL, TrustDomain: c.TrustDomain,
	}
}

func prometheusDeps(c *config.Prometheus, bound *throttle.Throttle) (probes.Prometheus, error) {
	if c == nil {
		return probes.Prometheus{}, nil
	}
	client, err := api.NewClient(api.Config{Address: c.URL, RoundTripper: bound.Over(withBearer(c.URL, c.BearerToken))})
	if err != nil {
		return probes.Prometheus{}, &setupError{fmt.Errorf("prometheus.url: %w", err)}
	}
	return probes.Prometheus{API: promv1.NewAPI(client), URL: c.URL}, nil
}

func logSource(c *config.Config, cluster probes.ClusterAPI, bound *throttle.Throttle, now func() time.Time) probes.LogSource {
	logs := c.Logs
	switch {
	case logs == nil:
		return nil
	case logs.Loki != nil:
		client := &http.Client{Transport: bound.Over(withBearer(logs.Loki.URL, logs.Loki.BearerToken))}
		return probes.NewLoki(logs.Loki.URL, logs.Loki.Selector, client)
	case logs.Kubernetes != nil:
		if cluster == nil { // it could not be made, which is said already
			return nil
		}
		workloads := map[string]diagnostics.Workload{}
		for _, t := range targets(c) {
			workloads[t.Name] = t.Workload
		}
		return probes.NewPodLogs(cluster, workloads, logs.Kubernetes.Container, now)
	default:
		globs := map[string][]string{}
		for service, patterns := range logs.Files {
			for _, p := range patterns {
				globs[service] = append(globs[service], string(p))
			}
		}
		return probes.NewFiles(globs)
	}
}

func mongoURIs(c *config.MongoDB) map[string]func(context.Context) (string, error) {
	if c == nil {
		return nil
	}
	uris := map[string]func(context.Context) (string, error){}
	for service, ref := range c.URIs {
		uris[service] = func(context.Context) (string, error) {
			uri, err := ref.Read()
			return uri.Reveal(), err
		}
	}
	return uris
}
