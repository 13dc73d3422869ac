package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tandem/approvals"
	"tandem/approvals/store"
	"tandem/config"
)

// openStore opens the database of the approvals.
func openStore(ctx context.Context, c *config.Approvals, log *slog.Logger, now func() time.Time) (*store.Store, error) {
	opts := store.Options{SQLite: string(c.Store.SQLite), Log: log, Now: now}
	if !c.Store.Postgres.IsZero() {
		url, err := c.Store.Postgres.Read()
		if err != nil {
			return nil, &setupError{err}
		}
		opts.Postgres = url.Reveal()
	}
	s, err := store.Open(ctx, opts)
	if err != nil {
		return nil, &setupError{fmt.Errorf("approvals.store: %w", err)}
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
func (w *wired) approvals(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time, told func(approvals.Change)) (*approving, error) {
	if c.Approvals == nil {
		return nil, nil
	}
	s, err := openStore(ctx, c.Approvals, log, now)
	if err != nil {
		return nil, err
	}
	service, err := approvals.New(approvals.Options{
		Policy: policyOf(c.Approvals), Remedies: w.remedies, Store: s, Leases: s,
		Examine: w.diagnoser.examine, Replica: replica(), Now: now, Log: log, Told: told,
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

// work moves the requests until the context is done.
func (a *approving) work(ctx context.Context) error {
	return a.store.Run(ctx, a.service)
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
