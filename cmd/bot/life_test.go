package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"tandem/commands"
	face "tandem/commands/slack"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/lab/slack"
)

// slowVault is a sealed Vault that answers when it is let go.
type slowVault struct {
	*httptest.Server
	asked, release chan struct{}
	letGo          func()
}

func newSlowVault(t *testing.T) *slowVault {
	t.Helper()
	v := &slowVault{asked: make(chan struct{}, 100), release: make(chan struct{})}
	v.letGo = sync.OnceFunc(func() { close(v.release) })
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/sys/health") {
			v.asked <- struct{}{}
			select {
			case <-v.release:
			case <-r.Context().Done():
			}
		}
		sealedVault(w, r)
	}))
	t.Cleanup(func() {
		v.letGo()
		v.Close()
	})
	return v
}

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []string // name, and attributes as key=value
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body tracepb.ExportTraceServiceRequest
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			http.Error(w, "not as OTLP has it", http.StatusBadRequest)
			return
		}
		data, err := io.ReadAll(unzipped)
		if err == nil {
			err = proto.Unmarshal(data, &body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.take(&body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(body *tracepb.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range body.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				text := span.GetName()
				for _, a := range span.GetAttributes() {
					text += " " + a.GetKey() + "=" + a.GetValue().GetStringValue()
				}
				c.spans = append(c.spans, text)
			}
		}
	}
}

func (c *collector) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.spans, "\n")
}

// process is `bot run` as operators start it.
type process struct {
	*exec.Cmd
	log    *syncBuffer
	health string
	exit   chan error
}

// startBot starts the real binary with a Slack and a Vault.
func startBot(t *testing.T, slackURL, vault, traces string) *process {
	t.Helper()
	dir := t.TempDir()
	listen := strings.TrimPrefix(unusedAddress(t), "http://")
	for name, text := range map[string]string{
		"bot": "xoxb-CANARY", "app": "xapp-CANARY", "token": canary,
		"tandem.yaml": `
vault: {address: "` + vault + `", identity: {token_file: token}}
slack: {bot_token: {file: bot}, app_token: {file: app}, api_url: "` + slackURL + `/api/"}
health: {listen: "` + listen + `"}
traces: {endpoint: "` + traces + `"}
services: {worker: }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &process{log: &syncBuffer{}, health: "http://" + listen, exit: make(chan error, 1)}
	p.Cmd = exec.Command("bot", "run", "--config", filepath.Join(dir, "tandem.yaml"))
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		p.exit <- p.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-ended
	})
	return p
}

// get returns the status and text of a page of the health server; 0 when nobody
// answers.
func (p *process) get(path string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get(p.health + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func startWorkspace(t *testing.T) *slack.Server {
	t.Helper()
	manifest, err := face.NewManifest(config.DefaultCommand, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	workspace, err := slack.Start(context.Background(), slack.Config{
		Addr: "127.0.0.1:0", BotToken: "xoxb-CANARY", AppToken: "xapp-CANARY", Log: slog.New(slog.DiscardHandler),
		Manifest: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = workspace.Close() })
	return workspace
}

// TestTheLifeOfABot follows a bot from its start to the end of a stop that
// lets a diagnosis finish.
func TestTheLifeOfABot(t *testing.T) {
	workspace, vault, traces := startWorkspace(t), newSlowVault(t), newCollector(t)
	bot := startBot(t, workspace.URL(), vault.URL, traces.URL)
	ready := func(status int, text string) func() bool {
		return func() bool {
			got, page := bot.get("/readyz")
			return got == status && strings.Contains(page, text)
		}
	}
	until(t, "readiness", bot.log, ready(http.StatusOK, `{"ok":true}`))
	if status, page := bot.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, page)
	}
	outcome := workspace.Say(slack.Said{User: "U0BRUNO001", Channel: "C0INCIDENT", Text: "/vault diagnose worker --check VLT-001"})
	if outcome.Error != "" {
		t.Fatal(outcome.Error)
	}
	wait(t, vault.asked, "the question to Vault")
	until(t, "the first word", bot.log, func() bool { // it is on its way while Vault is asked
		_, metrics := bot.get("/metrics")
		return strings.Contains(metrics, "tandem_first_word_seconds_count 1")
	})

	bot.signal(t, syscall.SIGTERM)
	until(t, "the end of readiness", bot.log, ready(http.StatusServiceUnavailable, `"reasons":["the bot is being stopped"]`))
	_, metrics := bot.get("/metrics")
	vault.letGo()
	if err := wait(t, bot.exit, "the end"); err != nil {
		t.Errorf("%v, log:\n%s", err, bot.log.String())
	}
	if text := said(workspace); !strings.Contains(text, "VLT-001") {
		t.Errorf("the diagnosis was not finished:\n%s", text)
	}
	holdsMetrics(t, metrics)
	id := requestIDs(bot.log.String())["diagnosed"]
	if id == "" || !strings.Contains(said(workspace), id) {
		t.Errorf("the card does not have the id %q of the log:\n%s", id, bot.log.String())
	}
	if log := bot.log.String(); !strings.Contains(log, `"trace_id":"`) {
		t.Errorf("no record names the trace:\n%s", log)
	}
	if spans := traces.all(); !strings.Contains(spans, "tandem.request_id="+id) || !strings.Contains(spans, "probe vault.health tandem.probe=vault.health") {
		t.Errorf("traces:\n%s", spans)
	}
	for _, text := range []string{metrics, bot.log.String(), traces.all()} {
		if strings.Contains(text, "CANARY") {
			t.Errorf("a secret was said:\n%s", text)
		}
	}
}

func holdsMetrics(t *testing.T, page string) {
	t.Helper()
	for _, want := range []string{
		`tandem_build_info{go_version="go`, "go_goroutines ", "process_start_time_seconds ",
		`tandem_slack_acks_total{kind="command",result="ok"} 1`, `tandem_slack_ack_seconds_bucket{kind="command",le="0.001"}`,
		`tandem_slack_calls_total{method="auth.test",result="ok"} 1`,
		"tandem_first_word_seconds_count 1", "tandem_running_diagnoses 1", "tandem_joined_total 0",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics has no %q:\n%s", want, page)
		}
	}
}

// requestIDs are the ids of a log's records, by message.
func requestIDs(log string) map[string]string {
	ids := map[string]string{}
	for line := range strings.Lines(log) {
		var record struct {
			Message string `json:"msg"`
			ID      string `json:"request_id"`
		}
		if json.Unmarshal([]byte(line), &record) == nil {
			ids[record.Message] = record.ID
		}
	}
	return ids
}

func TestASecondSignalEndsTheBotAtOnce(t *testing.T) {
	workspace, vault := startWorkspace(t), newSlowVault(t)
	bot := startBot(t, workspace.URL(), vault.URL, unusedAddress(t))
	until(t, "readiness", bot.log, func() bool { status, _ := bot.get("/readyz"); return status == http.StatusOK })
	workspace.Say(slack.Said{User: "U0BRUNO001", Channel: "C0INCIDENT", Text: "/vault diagnose worker --check VLT-001"})
	wait(t, vault.asked, "the question to Vault")
	bot.signal(t, syscall.SIGTERM)
	until(t, "the first signal to be noticed", bot.log, func() bool {
		status, page := bot.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(page, "being stopped")
	})
	until(t, "the end", bot.log, func() bool { // one that comes in the same instant still counts as the first
		return errors.Is(bot.Process.Signal(syscall.SIGTERM), os.ErrProcessDone)
	})
	var exit *exec.ExitError
	if err := wait(t, bot.exit, "the end"); !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("ended with %v, not by the signal; log:\n%s", err, bot.log.String())
	}
}

func TestABotThatSlackDoesNotAnswerIsAliveButNotReady(t *testing.T) {
	slackDown := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer slackDown.Close()
	bot := startBot(t, slackDown.URL, newSlowVault(t).URL, unusedAddress(t))
	until(t, "life", bot.log, func() bool { status, _ := bot.get("/healthz"); return status == http.StatusOK })
	if status, page := bot.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(page, `"reasons":["slack: `) {
		t.Errorf("/readyz: %d %s", status, page)
	}
	if status, _ := bot.get("/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("/debug/pprof/ is served: %d", status)
	}
	bot.signal(t, syscall.SIGTERM)
	if err := wait(t, bot.exit, "the end"); err != nil {
		t.Errorf("%v, log:\n%s", err, bot.log.String())
	}
}

func TestAnAddressInUseIsAnErrorOfTheConfiguration(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = newHealth(t.Context(), &config.Health{Listen: taken.Addr().String()}, nil, nil, quiet())
	var setup *setupError
	if !errors.As(err, &setup) || !strings.Contains(err.Error(), "health.listen: ") {
		t.Errorf("got %v", err)
	}
}

// TestMetricsAreNamedWell makes every metric of ours have a value and lints
// them.
func TestMetricsAreNamedWell(t *testing.T) {
	registry := newRegistry(thisBuild())
	observer := observeDiagnoses(registry)
	observer.Probed("vault.health", "", time.Second)
	observer.Probed("vault.health", diagnostics.ReasonDenied, time.Second)
	observer.Judged("VLT-001", diagnostics.Pass)
	if _, err := face.New(face.Options{Diagnoser: &diagnoser{runner: &diagnostics.Runner{}}, Metrics: registry}); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	want := `
# HELP tandem_probe_outcomes_total Questions to a system by probe: ok, or the reason why it could not look.
# TYPE tandem_probe_outcomes_total counter
tandem_probe_outcomes_total{outcome="denied",probe="vault.health"} 1
tandem_probe_outcomes_total{outcome="ok",probe="vault.health"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "tandem_probe_outcomes_total"); err != nil {
		t.Error(err)
	}
}

func TestRecordsSayForWhichRequestTheyAre(t *testing.T) {
	var out syncBuffer
	log := newLog(&out).With("part", "slack")
	log.InfoContext(commands.WithRequest(t.Context(), "ABCD2345"), "about a request")
	log.InfoContext(t.Context(), "about none")
	ids := requestIDs(out.String())
	if ids["about a request"] != "ABCD2345" || ids["about none"] != "" {
		t.Errorf("ids %v of:\n%s", ids, out.String())
	}
}
