// Package services runs the three services that the runbook is about, small but real: orchestrator, worker and
// service-registry. Each fetches its identity over the SPIFFE Workload API, logs in to Vault with it, keeps its token
// and its dynamic database credentials alive, and speaks gRPC to the registry with a JWT-SVID in metadata. Each exports
// the metrics and writes the log events of the public system that the runbook describes, traps included.
//
// Run serves one of them until its context ends, and returns nil then. Nothing that a service depends on needs to be
// there when it starts: every failure is logged as an event, counted, and tried again for ever. No token, password or
// URI is ever logged. Behaviour says how a service can be made to misbehave while it runs.
package services

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	"golang.org/x/sync/errgroup"
)

// Run runs the service that cfg names until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("service configuration: %w", err)
	}
	behaviour, err := newSwitches(cfg.Behaviour)
	if err != nil {
		return fmt.Errorf("service configuration: %w", err)
	}
	ops := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("part", cfg.Name)
	journal, err := openJournal(cfg, ops)
	if err != nil {
		return err
	}
	defer journal.close()
	admin, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	part := newPart(cfg, behaviour, journal.events())
	defer journal.shipInBackground(ctx)()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveAdmin(ctx, admin, part.metrics, behaviour) })
	if err := part.start(ctx, group); err != nil {
		group.Go(func() error { return err })
	}
	defer part.close()
	return group.Wait()
}
