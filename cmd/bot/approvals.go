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
)

// openStore opens the database.
func openStore(ctx context.Context, c *config.Store, log *slog.Logger, now func() time.Time) (*store.Store, error) {
	opts := store.Options{SQLite: string(c.SQLite), Log: log, Now: now}
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

// approving is the second half of a bot that runs: the service that the face
// asks, and the work on what was asked.
type approving struct {
	store   *store.Store
	service *approvals.Service
	log     *slog.Logger
}

// approvals opens what the configuration says of them; nil when it says nothing.
func (w *wired) approvals(ctx context.Context, c *config.Config, registry prometheus.Registerer, log *slog.Logger, now func() time.Time) (*approving, error) {
	if c.Approvals == nil {
		return nil, nil
	}
	metrics, err := slack.NewApprovalMetrics(registry)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, c.Store, log, now)
	if err != nil {
		return nil, err
	}
	service, err := approvals.New(approvals.Options{
		Policy: policyOf(c.Approvals), Remedies: w.remedies, Store: s, Leases: s,
		Examine: w.diagnoser.examine, Replica: replica(), Now: now, Log: log, Told: metrics.Told,
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &approving{store: s, service: service, log: log}, nil
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

// work moves the requests, and looks after the audit chain, until the context is
// done.
func (a *approving) work(ctx context.Context) error {
	return beside(ctx, func(ctx context.Context) error { return a.store.Run(ctx, a.service) }, a.watchChain)
}

// watchChain verifies the audit chain at the start and from time to time. What is
// broken stops new remedies by itself; the log tells operators.
func (a *approving) watchChain(ctx context.Context) {
	for ctx.Err() == nil {
		broken, err := a.store.Verify(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.WarnContext(ctx, "the audit chain could not be verified", "error", err)
		case broken != nil:
			a.log.ErrorContext(ctx, "the audit chain is broken: no remedy is carried out until somebody acknowledges it",
				"kind", broken.Kind, "entry", broken.Number, "request", broken.Request, "next", "bot audit verify, then bot audit acknowledge REASON")
		}
		sleep(ctx, verifyEvery)
	}
}

// close lets go of the database.
func (a *approving) close() {
	if a == nil {
		return
	}
	if err := a.store.Close(); err != nil {
		a.log.Error("close the store of approvals", "error", err)
	}
}
