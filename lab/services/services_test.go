package services

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/lab/spiffe"
)

// lab is the three services as processes would run, on real identities, MongoDB and gRPC, and a stub of Vault.
type lab struct {
	t      *testing.T
	logs   map[string]string
	admins map[string]string
	loki   *fakeLoki
	stop   func()
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, logs: map[string]string{}, admins: map[string]string{}, loki: newFakeLoki(t)}
	vault, postgres := newStubVault(t), newFakePostgres(t)
	mongo, _ := startMongo(t)
	vault.kv = func(w http.ResponseWriter) {
		answer(w, 200, secretBody(`{"uri":"mongodb://app:canary-mongo-password@`+mongo+`/?authSource=admin"}`))
	}
	postgres.allow("v-x")
	shared := Config{
		WorkloadSocket: startSPIFFE(t), VaultAddr: vault.URL, RegistryAddr: freeAddr(t), LokiURL: l.loki.URL,
		PostgresAddr: postgres.listener.Addr().String(), TTL: Duration(5 * time.Second), Tick: Duration(50 * time.Millisecond),
	}
	l.start(shared)
	return l
}

// startSPIFFE runs a Workload API at which every caller is a worker.
func startSPIFFE(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	server, err := spiffe.Start(t.Context(), spiffe.Config{
		TrustDomain: "neural-hive.local", WorkloadSocket: filepath.Join(dir, "w.sock"), ServerSocket: filepath.Join(dir, "s.sock"),
		OIDCAddr: freeAddr(t), AdminAddr: freeAddr(t), SyncInterval: spiffe.Duration(20 * time.Millisecond),
	}, spiffe.WithAttestor(func(context.Context, spiffe.Peer) ([]string, error) { return []string{workerNS, workerSA}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return filepath.Join(dir, "w.sock")
}

func (l *lab) start(shared Config) {
	dir := l.t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 3)
	for _, name := range []string{ServiceRegistry, Worker, Orchestrator} {
		cfg := shared
		cfg.Name, cfg.AdminAddr = name, freeAddr(l.t)
		cfg.LogFile, cfg.AccessorFile = filepath.Join(dir, name+".log"), filepath.Join(dir, name+".accessor")
		if name == ServiceRegistry {
			cfg.GRPCAddr, cfg.RegistryAddr = cfg.RegistryAddr, ""
		}
		l.logs[name], l.admins[name] = cfg.LogFile, "http://"+cfg.AdminAddr
		go func() { done <- Run(ctx, cfg) }()
	}
	stopped := false
	l.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range 3 {
			if err := <-done; err != nil {
				l.t.Errorf("Run() = %v, want nil", err)
			}
		}
		http.DefaultClient.CloseIdleConnections()
	}
	l.t.Cleanup(l.stop)
}

func (l *lab) log(service string) string {
	text, err := os.ReadFile(l.logs[service])
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return string(text)
}

// saw waits for an event in a service's log file.
func (l *lab) saw(service, event string) {
	l.t.Helper()
	until(l.t, service+" logs "+event, func() bool { return strings.Contains(l.log(service), `"event":"`+event+`"`) })
}

func (l *lab) get(service, path string) string {
	l.t.Helper()
	resp, err := http.Get(l.admins[service] + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		l.t.Fatalf("GET %s = %d, %v", path, resp.StatusCode, err)
	}
	return string(body)
}

func TestServicesWorkTogetherAndSayNoSecret(t *testing.T) {
	l := newLab(t)
	for service, events := range map[string][]string{
		Orchestrator:    {"spiffe_initialized", "vault_integration_initialized", "mongodb_connected", "postgres_connected", "plan_created", "jwt_svid_attached"},
		Worker:          {"vault_integration_initialized", "postgres_connected", "jwt_svid_added_to_metadata", "plan_taken"},
		ServiceRegistry: {"vault_integration_initialized", "trust_bundle_loaded", "plan_announced", "service_discovered"},
	} {
		for _, event := range events {
			l.saw(service, event)
		}
	}
	if got := l.get(Orchestrator, "/healthz"); got != "ok\n" {
		t.Errorf("healthz = %q", got)
	}
	for _, service := range []string{Orchestrator, Worker, ServiceRegistry} {
		if !strings.Contains(l.get(service, "/metrics"), "process_start_time_seconds") {
			t.Errorf("%s exports no process_start_time_seconds", service)
		}
	}
	l.stop()
	l.wantNoSecret()
	if _, lines := l.loki.got(); !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "plan_taken") }) {
		t.Error("loki has no plan_taken")
	}
}

func (l *lab) wantNoSecret() {
	l.t.Helper()
	_, shipped := l.loki.got()
	all := l.log(Orchestrator) + l.log(Worker) + l.log(ServiceRegistry) + strings.Join(shipped, "\n")
	for _, canary := range []string{canaryToken, canaryPassword, "canary-mongo-password", "eyJ", "mongodb://"} {
		if strings.Contains(all, canary) {
			l.t.Errorf("%q is in the logs", canary)
		}
	}
}

func TestBehaviourIsChangedWhileAServiceRuns(t *testing.T) {
	l := newLab(t)
	l.saw(Worker, "plan_taken")
	if err := put(t, l.admins[Worker]+"/lab/behaviour", `{"audience":"other.audience"}`); err != nil {
		t.Fatal(err)
	}
	l.saw(ServiceRegistry, "jwt_invalid")
	l.saw(Worker, "authentication_failed")
	if got := l.get(Worker, "/lab/behaviour"); !strings.Contains(got, `"audience":"other.audience"`) {
		t.Errorf("behaviour = %s", got)
	}
}

func TestServiceThatDependsOnNothingThereStillServes(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{
		Name: Orchestrator, AdminAddr: freeAddr(t), WorkloadSocket: filepath.Join(dir, "missing.sock"), VaultAddr: "http://" + freeAddr(t),
		RegistryAddr: freeAddr(t), PostgresAddr: freeAddr(t), LokiURL: "http://" + freeAddr(t), LogFile: filepath.Join(dir, "o.log"),
		Tick: Duration(50 * time.Millisecond),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	l := &lab{t: t, logs: map[string]string{Orchestrator: cfg.LogFile}, admins: map[string]string{Orchestrator: "http://" + cfg.AdminAddr}}
	for _, event := range []string{"spiffe_initialization_failed", "vault_initialization_failed", "jwt_auth_required_fallback_disabled"} {
		l.saw(Orchestrator, event)
	}
	if got := l.get(Orchestrator, "/healthz"); got != "ok\n" {
		t.Errorf("healthz = %q", got)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run() = %v", err)
	}
}
