package services

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// planEvery is how many ticks the orchestrator lets pass between two plans.
const planEvery = 3

// part is one running service: the pieces that its kind is made of.
type part struct {
	cfg       Config
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger
	id        *identity
}

func newPart(cfg Config, behaviour *switches, log *slog.Logger) *part {
	m := newMetrics(cfg.Name)
	return &part{cfg: cfg, behaviour: behaviour, metrics: m, log: log, id: newIdentity(cfg, m, log)}
}

// close lets go of what the pieces share, once their loops are over.
func (p *part) close() { p.id.close() }

// start builds the pieces and hands their loops to group.
func (p *part) start(ctx context.Context, group *errgroup.Group) error {
	var vault *vaultClient
	if p.cfg.VaultAddr != "" {
		var err error
		if vault, err = newVaultClient(p.cfg, p.metrics); err != nil {
			return err
		}
	}
	p.log.InfoContext(ctx, "service_started", "pod", p.cfg.Pod)
	if p.cfg.Name == ServiceRegistry {
		return p.startRegistry(ctx, group, vault)
	}
	group.Go(func() error { return p.id.run(ctx) })
	return p.startClient(ctx, group, vault)
}

func (p *part) startClient(ctx context.Context, group *errgroup.Group, vault *vaultClient) error {
	registry, err := newRegistryClient(p.cfg, p.id, p.behaviour, p.metrics, p.log)
	if err != nil {
		return err
	}
	login := newSession(p.cfg, vault, p.id, p.behaviour, p.metrics, p.log)
	group.Go(func() error { return login.run(ctx) })
	p.startDatabase(ctx, group, login, vault)
	if p.cfg.Name == Orchestrator {
		mongo := &mongoCheck{secret: vault.secretValue, epoch: login.current, metrics: p.metrics, log: p.log, cfg: p.cfg}
		group.Go(func() error { return mongo.run(ctx) })
		group.Go(func() error { defer registry.close(); return p.makePlans(ctx, registry) })
		return nil
	}
	group.Go(func() error { defer registry.close(); return p.work(ctx, registry) })
	return nil
}

func (p *part) startDatabase(ctx context.Context, group *errgroup.Group, login *session, vault *vaultClient) {
	if p.cfg.PostgresAddr == "" {
		return
	}
	database := &pool{cfg: p.cfg, log: p.log}
	renewal := &credentials{
		vault: vault, epoch: login.current, use: database.use,
		behaviour: p.behaviour, metrics: p.metrics, log: p.log, cfg: p.cfg,
	}
	group.Go(func() error { return renewal.run(ctx) })
	group.Go(func() error { return database.run(ctx) })
}

func (p *part) startRegistry(ctx context.Context, group *errgroup.Group, vault *vaultClient) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.cfg.GRPCAddr)
	if err != nil {
		return fmt.Errorf("listen for grpc: %w", err)
	}
	bundle := &trustBundle{
		socket: p.cfg.WorkloadSocket, retry: p.cfg.tick(), behaviour: p.behaviour, metrics: p.metrics, log: p.log,
	}
	guard := &verifier{bundles: bundle, behaviour: p.behaviour, metrics: p.metrics, log: p.log, cfg: p.cfg, now: time.Now}
	group.Go(func() error { return bundle.run(ctx) })
	group.Go(func() error { return bundle.follow(ctx) })
	group.Go(func() error { return p.id.keepX509(ctx) })
	group.Go(func() error { return serveRegistry(ctx, listener, guard, p.log) })
	if vault != nil {
		login := newSession(p.cfg, vault, p.id, p.behaviour, p.metrics, p.log)
		group.Go(func() error { return login.run(ctx) })
	}
	return nil
}

// makePlans is the orchestrator's work: every few ticks a plan, announced to the registry.
func (p *part) makePlans(ctx context.Context, registry *registryClient) error {
	for wait(ctx, planEvery*p.cfg.tick()) {
		f := flow{requestID: newID("req"), planID: newID("plan")}
		p.log.InfoContext(ctx, "plan_created", f.fields()...)
		if _, ok := registry.call(ctx, methodAnnounce, f.planID, f); ok {
			p.log.InfoContext(ctx, "plan_dispatched", f.fields()...)
		}
	}
	return nil
}

// work is the worker's: every tick it asks the registry, and takes up the latest plan once.
func (p *part) work(ctx context.Context, registry *registryClient) error {
	last := ""
	for wait(ctx, p.cfg.tick()) {
		f := flow{requestID: newID("req")}
		plan, ok := registry.call(ctx, methodDiscover, "", f)
		if ok && plan != "" && plan != last {
			last = plan
			p.log.InfoContext(ctx, "plan_taken", flow{requestID: f.requestID, planID: clip(plan)}.fields()...)
		}
	}
	return nil
}

func newID(kind string) string { return kind + "-" + rand.Text()[:12] }
