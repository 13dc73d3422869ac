package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/lab/servers"
	"tandem/lab/services"
)

// The orchestrator's account on MongoDB.
const (
	mongoUser   = "orchestrator"
	mongoAuthDB = "admin"
)

// atOnce is how many servers may be looked for, and so built, at once: a
// linker takes gigabytes.
const atOnce = 2

// builder is a world in the making. Its steps run in the order of build.
type builder struct {
	options    Options
	folder     folder
	supervisor *supervisor
	state      State

	binaries        binaries
	postgresUser    *syscall.Credential
	superuserDSN    string
	vaultDBPassword string
	mongoPassword   string
	signingSecret   string
	lokiGRPC        string
	etcd            etcdAddresses
	cluster         cluster
	temporary       []string // folders outside the world's own, to remove at its end
}

// binaries are the real servers' programs.
type binaries struct {
	vault, prometheus, loki, etcd, kubernetes string

	postgres string // a folder
}

// build finds and starts everything. What it started is in the supervisor even
// when it fails.
func (b *builder) build(ctx context.Context) error {
	return inOrder(ctx, b.findServers, b.plan, b.writeConfig, b.startParts, b.startCluster, b.writeFiles, b.startBot)
}

func inOrder(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startParts starts Kubernetes beside all else: it takes as long as the rest
// together, and nothing of the rest asks it.
func (b *builder) startParts(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if !b.options.NoKubernetes {
		b.inGroup(group, partKubernetes, func() error { return b.startKubernetes(ctx) })
	}
	group.Go(func() error {
		return inOrder(ctx, b.startServers, b.configureVault, b.startServices, b.awaitSeen)
	})
	return group.Wait()
}

// say reports progress.
func (b *builder) say(format string, args ...any) {
	b.options.Progress(fmt.Sprintf(format, args...))
}

// serialised makes a progress function safe for several goroutines.
func serialised(progress func(string)) func(string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		progress(line)
	}
}

// findServers looks first for what is never built, since its absence ends it at
// once.
func (b *builder) findServers(ctx context.Context) error {
	var err error
	if b.binaries.postgres, err = servers.Find(ctx, servers.Postgres, b.options.Progress); err != nil {
		return err
	}
	wanted := map[string]*string{
		servers.Vault: &b.binaries.vault, servers.Prometheus: &b.binaries.prometheus, servers.Loki: &b.binaries.loki,
	}
	if !b.options.NoKubernetes {
		wanted[servers.KubeAPIServer] = &b.binaries.kubernetes
		if b.binaries.etcd, err = servers.Find(ctx, servers.Etcd, b.options.Progress); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for name, path := range wanted {
		group.Go(func() (err error) {
			*path, err = servers.Find(ctx, name, b.options.Progress)
			return err
		})
	}
	group.Go(func() error { return errors.Join(b.findLab(ctx), b.findBot(ctx)) })
	return group.Wait()
}

// findBot builds the bot unless the caller brings one. A world without a running
// one needs it too: it says what rights it is to be given.
func (b *builder) findBot(ctx context.Context) error {
	if b.options.Bot != "" {
		return nil
	}
	b.options.Bot = b.folder.path("bin", partBot)
	return servers.BuildBot(ctx, b.options.Bot, b.options.Progress)
}

// startBot starts the bot last: it finds a world that is complete.
func (b *builder) startBot(ctx context.Context) error {
	if b.options.NoBot {
		return nil
	}
	began := time.Now()
	if err := b.supervisor.add(ctx, b.botSpec()); err != nil {
		return err
	}
	b.say("bot is up (%s)", time.Since(began).Round(10*time.Millisecond))
	return nil
}

// findLab builds the lab's own binary if the caller is not it.
func (b *builder) findLab(ctx context.Context) error {
	if b.options.LabBinary != "" {
		return nil
	}
	b.options.LabBinary = b.folder.path("run", "lab")
	return servers.BuildLab(ctx, b.options.LabBinary, b.options.Progress)
}

// plan decides on all addresses, folders and secrets.
func (b *builder) plan(context.Context) error {
	if err := b.planFolders(); err != nil {
		return err
	}
	b.vaultDBPassword, b.mongoPassword, b.signingSecret = rand.Text(), rand.Text(), strings.ToLower(rand.Text())
	b.state.Dir, b.state.PID, b.state.StartedAt = string(b.folder), os.Getpid(), time.Now().UTC()
	b.state.TTL, b.state.TrustDomain = b.options.TTL.String(), trustDomain
	b.state.Vault.JWTMount, b.state.Vault.Audience = "jwt", "vault."+trustDomain
	b.state.Postgres.Database = temporalDatabase
	b.state.Slack.BotToken = "xoxb-1000000000001-1000000000002-" + rand.Text()
	b.state.Slack.AppToken = "xapp-1-A0TANDEM-1000000000003-" + strings.ToLower(rand.Text())
	b.state.Bot = b.botFiles()
	return b.planAddresses()
}

func (b *builder) planFolders() error {
	sockets, err := b.folder.socketDir()
	if err != nil {
		return err
	}
	b.dropAtEnd(sockets)
	b.state.SPIFFE.WorkloadSocket = filepath.Join(sockets, "agent.sock")
	b.state.SPIFFE.ServerSocket = filepath.Join(sockets, "server.sock")
	b.state.ControlSock = filepath.Join(sockets, "control.sock")
	if b.postgresUser, err = postgresCredential(); err != nil {
		return err
	}
	b.state.Postgres.DataDir, err = postgresDataDir(b.folder, b.postgresUser)
	b.dropAtEnd(b.state.Postgres.DataDir)
	return err
}

// dropAtEnd has a folder removed at the end if it is not in the world's own.
func (b *builder) dropAtEnd(dir string) {
	if dir != "" && !strings.HasPrefix(dir, string(b.folder)+string(filepath.Separator)) {
		b.temporary = append(b.temporary, dir)
	}
}

// planAddresses hands out the addresses: the well-known ones where they are free.
func (b *builder) planAddresses() error {
	ports := newPorts(b.options.FreePorts)
	b.state.Services = map[string]ServiceState{}
	wanted := []address{
		{18200, "http://", &b.state.Vault.URL},
		{15432, "", &b.state.Postgres.Addr},
		{19090, "http://", &b.state.Prometheus.URL},
		{13100, "http://", &b.state.Loki.URL},
		{13195, "", &b.lokiGRPC},
		{12379, "http://", &b.etcd.client},
		{12380, "http://", &b.etcd.peer},
		{16443, "https://", &b.state.Kubernetes.URL},
		{18443, "http://", &b.state.SPIFFE.OIDCURL},
		{18444, "http://", &b.state.SPIFFE.AdminURL},
		{17017, "", &b.state.MongoDB.Addr},
		{17018, "http://", &b.state.MongoDB.AdminURL},
		{18080, "http://", &b.state.Slack.URL},
		{19464, "http://", &b.state.Bot.HealthURL},
		{19465, "http://", &b.state.Bot.AlertsURL},
	}
	for _, want := range wanted {
		if err := want.assign(ports); err != nil {
			return err
		}
	}
	b.planKubernetes()
	b.state.MongoDB.URI = fmt.Sprintf("mongodb://%s:%s@%s/?authSource=%s",
		mongoUser, b.mongoPassword, b.state.MongoDB.Addr, mongoAuthDB)
	for _, s := range catalogue() {
		if err := b.planService(ports, s); err != nil {
			return err
		}
	}
	return nil
}

// address is a place in the state that waits for an address.
type address struct {
	preferred int
	scheme    string
	into      *string
}

func (a address) assign(ports *ports) error {
	addr, err := ports.addr(a.preferred)
	*a.into = a.scheme + addr
	return err
}

func (b *builder) planService(ports *ports, s service) error {
	state := ServiceState{
		LogFile: b.folder.path("logs", s.name+".jsonl"), AccessorFile: b.folder.path("run", s.name+".accessor"),
		Pod: s.name + "-0", SPIFFEID: s.id(),
	}
	if err := (address{s.port, "http://", &state.AdminURL}).assign(ports); err != nil {
		return err
	}
	if s.name == services.ServiceRegistry {
		if err := (address{18113, "", &state.GRPCAddr}).assign(ports); err != nil {
			return err
		}
	}
	b.state.Services[s.name] = state
	return nil
}

// startServers starts all that the services depend on, at once.
func (b *builder) startServers(ctx context.Context) error {
	workspace, err := b.slackSpec()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []spec{b.prometheusSpec(), b.lokiSpec(), b.spiffeSpec(), b.mongoSpec(), workspace} {
		b.inGroup(group, part.name, func() error { return b.supervisor.add(ctx, part) })
	}
	b.inGroup(group, servers.Postgres, func() error { return b.startPostgres(ctx) })
	b.inGroup(group, servers.Vault, func() error { return b.startVault(ctx) })
	return group.Wait()
}

// startServices starts the three services, the one that is called first.
func (b *builder) startServices(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range catalogue() {
		b.inGroup(group, s.name, func() error { return b.startService(ctx, s) })
	}
	return group.Wait()
}

// inGroup runs one start and says when it is done.
func (b *builder) inGroup(group *errgroup.Group, name string, start func() error) {
	group.Go(func() error {
		began := time.Now()
		if err := start(); err != nil {
			return err
		}
		b.say("%s is up (%s)", name, time.Since(began).Round(10*time.Millisecond))
		return nil
	})
}

// startVault starts Vault, and initialises and unseals it.
func (b *builder) startVault(ctx context.Context) error {
	if err := b.supervisor.add(ctx, b.vaultSpec()); err != nil {
		return err
	}
	var err error
	vault := &b.state.Vault
	if vault.RootToken, vault.UnsealKey, err = initialise(ctx, vault.URL); err != nil {
		return err
	}
	return unseal(ctx, *vault)
}
