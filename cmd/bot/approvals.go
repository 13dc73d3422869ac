package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/approvals"
	"tandem/commands/slack"
	"tandem/config"
	"tandem/store"
	"tandem/watches"
)

// openStore opens the database.
func openStore(ctx context.Context, c *config.Store, log *slog.Logger, now func() time.Time) (*store.Store, error) {
	opts := store.Options{SQLite: string(c.SQLite), Log: log, Now: now, KeepRuns: c.KeepRuns, KeepFor: c.KeepFor}
	if !c.Postgres.IsZero() {
		url, err := c.Postgres.Read()
		if err != nil {
			return nil, &setupError{err}
		}
		opts.Postgres = url.Reveal()
	}
	s, err := store.Open(ctx, opts)
	if err != nil {
		return nil, &setupError{fmt.Errorf("store: %w", err)}
	}
	return s, nil
}

// lasting is the second half of a bot that runs, with what outlives it: the
// services that the face asks, and the work on what was asked.
type lasting struct {
	store     *store.Store
	approvals *approvals.Service // nil when they are not configured
	watches   *watches.Service
	atOnce    int // runs of watches
	log       *slog.Logger
}

// lasting opens the database and what is in it; nil when there is none.
func (w *wired) lasting(ctx context.Context, c *config.Config, registry prometheus.Registerer, log *slog.Logger, now func() time.Time) (*lasting, error) {
	if c.Store == nil {
		return nil, nil
	}
	s, err := openStore(ctx, c.Store, log, now)
	if err != nil {
		return nil, err
	}
	l := &lasting{store: s, atOnce: c.Watch.Parallel, log: log}
	if l.watches, err = w.watches(c, s, registry, log, now); err == nil && c.Approvals != nil {
		l.approvals, err = w.approvals(c, s, registry, log, now)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return l, nil
}

// approvals are what the configuration says of them.
func (w *wired) approvals(c *config.Config, s *store.Store, registry prometheus.Registerer, log *slog.Logger, now func() time.Time) (*approvals.Service, error) {
	metrics, err := slack.NewApprovalMetrics(registry)
	if err != nil {
		return nil, err
	}
	return approvals.New(approvals.Options{
		Policy: policyOf(c.Approvals), Remedies: w.remedies, Store: s, Leases: s,
		Examine: w.diagnoser.examine, Replica: replica(), Now: now, Log: log, Told: metrics.Told,
	})
}

// replica names this process among those of one database.
func replica() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// verifyEvery is how often the audit chain is read whole, beside the start.
const verifyEvery = time.Hour

// work moves the requests, does the runs of watches, and looks after the audit
// chain, until the context is done.
func (l *lasting) work(ctx context.Context) error {
	work := store.Work{Watches: l.watches, AtOnce: l.atOnce}
	if l.approvals == nil {
		return l.store.Run(ctx, work)
	}
	work.Requests = l.approvals
	return beside(ctx, func(ctx context.Context) error { return l.store.Run(ctx, work) }, l.watchChain)
}

// watchChain verifies the audit chain at the start and from time to time. What is
// broken stops new remedies by itself; the log tells operators.
func (l *lasting) watchChain(ctx context.Context) {
	for ctx.Err() == nil {
		broken, err := l.store.Verify(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			l.log.WarnContext(ctx, "the audit chain could not be verified", "error", err)
		case broken != nil:
			l.log.ErrorContext(ctx, "the audit chain is broken: no remedy is carried out until somebody acknowledges it",
				"kind", broken.Kind, "entry", broken.Number, "request", broken.Request, "next", "bot audit verify, then bot audit acknowledge REASON")
		}
		sleep(ctx, verifyEvery)
	}
}

// close lets go of the database.
func (l *lasting) close() {
	if l == nil {
		return
	}
	if err := l.store.Close(); err != nil {
		l.log.Error("close the database", "error", err)
	}
}
