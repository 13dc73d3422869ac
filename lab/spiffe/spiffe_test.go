package spiffe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	testDomain    = "neural-hive.local"
	botID         = "spiffe://neural-hive.local/ns/tandem/sa/bot"
	workerID      = "spiffe://neural-hive.local/ns/neural-hive-execution/sa/worker-agents"
	vaultAudience = "vault.neural-hive.local"
	// patience bounds every wait; no test takes near as long.
	patience = 20 * time.Second
)

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) != "" {
		os.Exit(helperMain())
	}
	goleak.VerifyTestMain(m)
}

// world is a started Server with what tests ask of it.
type world struct {
	*Server
	t   *testing.T
	ctx context.Context
}

func testConfig(t *testing.T) Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "spiffe") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return Config{
		TrustDomain:    testDomain,
		WorkloadSocket: filepath.Join(dir, "agent", "api.sock"),
		ServerSocket:   filepath.Join(dir, "server", "api.sock"),
		OIDCAddr:       "127.0.0.1:0",
		AdminAddr:      "127.0.0.1:0",
		JWTTTL:         Duration(20 * time.Second),
		X509TTL:        Duration(20 * time.Second),
		SyncInterval:   Duration(20 * time.Millisecond),
	}
}

func startWorld(t *testing.T, options ...Option) *world {
	t.Helper()
	return startWith(t, testConfig(t), options...)
}

func startWith(t *testing.T, cfg Config, options ...Option) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	options = append([]Option{WithLogger(slog.New(slog.DiscardHandler))}, options...)
	s, err := Start(ctx, cfg, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &world{Server: s, t: t, ctx: ctx}
}

// client is a go-spiffe client on the world's Workload API.
func (w *world) client() *workloadapi.Client {
	w.t.Helper()
	c, err := workloadapi.New(w.ctx, workloadapi.WithAddr(w.WorkloadAddr()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// dial is a plain gRPC connection.
func (w *world) dial(address string) *grpc.ClientConn {
	w.t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// faults puts a JSON object and fails the test unless the world took it.
func (w *world) put(object string) {
	w.t.Helper()
	if code, body := w.http(http.MethodPut, w.AdminURL()+"/admin/faults", object); code != http.StatusOK {
		w.t.Fatalf("put %s: %d %s", object, code, body)
	}
}

func (w *world) http(method, url, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func (w *world) getJSON(url string, into any) {
	w.t.Helper()
	code, body := w.http(http.MethodGet, url, "")
	if code != http.StatusOK {
		w.t.Fatalf("get %s: %d %s", url, code, body)
	}
	if err := json.NewDecoder(bytes.NewBufferString(body)).Decode(into); err != nil {
		w.t.Fatalf("get %s: %v in %q", url, err, body)
	}
}

// eventually waits for a condition that the world reaches by itself, as at its next sync.
func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.t.Fatalf("never came: %s", what)
		}
	}
}

// wantStatus fails unless err has exactly this gRPC code and text.
func wantStatus(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	got := status.Convert(err)
	if got.Code() != code || got.Message() != text {
		t.Errorf("got %v %q, want %v %q", got.Code(), got.Message(), code, text)
	}
}

func protoID(t *testing.T, id string) *types.SPIFFEID {
	t.Helper()
	parsed, err := spiffeid.FromString(id)
	if err != nil {
		t.Fatal(err)
	}
	return idProto(parsed)
}

// as is an attestor that takes everybody for a pod.
func as(ns, sa string) Attestor {
	return func(context.Context, Peer) ([]string, error) {
		return []string{"k8s:ns:" + ns, "k8s:sa:" + sa, "k8s:pod-label:app:x"}, nil
	}
}

func TestStartRefusesConfig(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no trust domain", func(c *Config) { c.TrustDomain = "" }, "trust_domain: "},
		{"no socket", func(c *Config) { c.ServerSocket = "" }, "server_socket: is missing"},
		{"long socket", func(c *Config) { c.WorkloadSocket = "/" + strings.Repeat("x", 200) }, "use a shorter folder"},
		{"no port", func(c *Config) { c.OIDCAddr = "localhost" }, `oidc_addr: "localhost" is not host:port`},
		{"negative", func(c *Config) { c.JWTTTL = -1 }, "jwt_ttl: is negative"},
		{"bad entry", func(c *Config) { c.Entries = []Entry{{SPIFFEID: workerID}} }, "selectors: is empty"},
		{"bad ID", func(c *Config) { c.Entries = []Entry{{SPIFFEID: "worker", Selectors: []string{"a:b"}}} }, "spiffe_id: "},
		{"taken", func(c *Config) { c.AdminAddr = "192.0.2.1:1" }, "listen on 192.0.2.1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t)
			tt.change(&cfg)
			s, err := Start(t.Context(), cfg)
			if err == nil {
				_ = s.Close()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestStartLeavesFilesThatAreNoSockets(t *testing.T) {
	cfg := testConfig(t)
	if err := os.MkdirAll(filepath.Dir(cfg.ServerSocket), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.ServerSocket, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), cfg)
	if err == nil {
		_ = s.Close()
		t.Fatal("started")
	}
	if kept, _ := os.ReadFile(cfg.ServerSocket); string(kept) != "precious" {
		t.Errorf("the file was touched: %q", kept)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	cfg := testConfig(t)
	cfg.RotateInterval = Duration(time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, cfg) }()
	w := &world{t: t, ctx: t.Context()}
	w.eventually("the server socket", func() bool { _, err := os.Stat(cfg.ServerSocket); return err == nil })
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("still running")
	}
	if _, err := os.Stat(cfg.WorkloadSocket); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestConfigJSON(t *testing.T) {
	var cfg Config
	if err := json.Unmarshal([]byte(`{"trust_domain":"a.test","jwt_ttl":"20s","entries":[{"spiffe_id":"spiffe://a.test/x","selectors":["a:b:c"]}]}`), &cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.JWTTTL != Duration(20*time.Second) || cfg.Entries[0].Selectors[0] != "a:b:c" {
		t.Errorf("got %+v", cfg)
	}
	if err := json.Unmarshal([]byte(`{"jwt_ttl":"soon"}`), &cfg); err == nil || !strings.Contains(err.Error(), "use a form like 20s") {
		t.Errorf("got %v", err)
	}
	out, err := json.Marshal(Config{JWTTTL: Duration(time.Minute)})
	if err != nil || !strings.Contains(string(out), `"jwt_ttl":"1m0s"`) {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestDefaultEntries(t *testing.T) {
	var got []string
	for _, e := range DefaultEntries(testDomain, 42) {
		got = append(got, fmt.Sprintf("%s %v", strings.TrimPrefix(e.SPIFFEID, "spiffe://"+testDomain), e.Selectors))
	}
	want := []string{
		"/ns/neural-hive-orchestration/sa/orchestrator-dynamic [k8s:ns:neural-hive-orchestration k8s:sa:orchestrator-dynamic]",
		"/ns/neural-hive-execution/sa/worker-agents [k8s:ns:neural-hive-execution k8s:sa:worker-agents]",
		"/ns/neural-hive-core/sa/service-registry [k8s:ns:neural-hive-core k8s:sa:service-registry]",
		"/ns/tandem/sa/bot [unix:uid:42]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
