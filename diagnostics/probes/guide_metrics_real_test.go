package probes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
	"tandem/lab/servers"
)

// startPrometheus runs a Prometheus that scrapes targets, by job and separated
// by commas, each second.
// It builds Prometheus when nobody has yet, which takes minutes.
func startPrometheus(t *testing.T, jobs map[string]string) promv1.API {
	t.Helper()
	binary, err := servers.Find(t.Context(), servers.Prometheus, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	var scrapes []any
	for job, addresses := range jobs {
		scrapes = append(scrapes, map[string]any{"job_name": job, "static_configs": []any{map[string]any{"targets": strings.Split(addresses, ",")}}})
	}
	config, err := json.Marshal(map[string]any{"global": map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": scrapes})
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), closedPort(t)
	file := filepath.Join(dir, "prometheus.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := promapi.NewClient(promapi.Config{Address: "http://" + address, RoundTripper: transport})
	if err != nil {
		t.Fatal(err)
	}
	return promv1.NewAPI(client)
}

// exporter is a service that has failed one of four requests to Vault at each
// scrape, and never renewed a credential; its calls are all accepted.
func exporter(t *testing.T) string {
	t.Helper()
	var scrapes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, `# TYPE process_start_time_seconds gauge
process_start_time_seconds %d
# TYPE vault_requests_total counter
vault_requests_total{operation="read_secret",status="success"} %d
vault_requests_total{operation="read_secret",status="error"} %d
# TYPE vault_request_duration_seconds histogram
vault_request_duration_seconds_bucket{operation="read_secret",le="0.1"} %d
vault_request_duration_seconds_bucket{operation="read_secret",le="+Inf"} %d
vault_request_duration_seconds_sum{operation="read_secret"} 1
vault_request_duration_seconds_count{operation="read_secret"} %d
# TYPE vault_token_ttl_seconds gauge
vault_token_ttl_seconds 1200
# TYPE spiffe_svid_ttl_seconds gauge
spiffe_svid_ttl_seconds{svid_type="jwt_svid"} 300
spiffe_svid_ttl_seconds{svid_type="x509_svid"} 3600
# TYPE spiffe_trust_bundle_updates_total counter
spiffe_trust_bundle_updates_total{status="success"} 1
# TYPE grpc_jwt_auth_attempts_total counter
grpc_jwt_auth_attempts_total{service="registry",status="success"} %d
`, time.Now().Add(-time.Hour).Unix(), 3*n, n, 4*n, 4*n, 4*n, n)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func guideTarget(name string) diagnostics.Target {
	return diagnostics.Target{
		Name: name, Job: name, MetricPrefix: "orchestrator", SPIFFEID: "spiffe://x/" + name, Window: 5 * time.Second,
		Login: diagnostics.Login{Role: "r", TTL: time.Hour}, Database: diagnostics.Database{Role: "d", TTL: 4 * time.Second},
		Peer: diagnostics.Peer{Name: "registry", Job: "registry"},
	}
}

func TestMetricsOfRealPrometheus(t *testing.T) {
	p := Prometheus{API: startPrometheus(t, map[string]string{"orchestrator": exporter(t), "dead": closedPort(t)}), URL: "http://prometheus:9090"}
	g := NewMetricGuide(p, time.Now)
	ask := func(target diagnostics.Target) map[string]guide.Reading {
		found, err := g.Metrics(soon(t), guide.MetricsAsk{About: target.Name, Since: time.Minute}, []diagnostics.Target{target})
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]guide.Reading{}
		for _, r := range found.Readings {
			if r.Blind != nil {
				t.Logf("%s: %v", r.Metric, r.Blind)
			}
			byName[r.Metric] = r
		}
		return byName
	}
	want := map[string]diagnostics.Status{
		"up":                             diagnostics.Pass,
		"vault_requests_total":           diagnostics.Fail, // a quarter
		"vault_request_duration_seconds": diagnostics.Pass,
		"vault_token_renewals_total":     diagnostics.Pass, // absent: no error yet
		"vault_token_ttl_seconds":        diagnostics.Warn, // less than half of an hour
		"orchestrator_vault_credentials_fetched_total": diagnostics.Pass,
		"orchestrator_vault_renewal_task_runs_total":   diagnostics.Fail, // never, in a process of an hour
		"vault_credential_renewals_total":              diagnostics.Pass,
		"spiffe_svid_fetch_total":                      diagnostics.Skipped, // none at all
		"spiffe_svid_ttl_seconds":                      diagnostics.Pass,
		"spiffe_trust_bundle_updates_total":            diagnostics.Pass, // flat is not stale
		"grpc_jwt_auth_attempts_total":                 diagnostics.Pass,
		"grpc_jwt_auth_failures_total":                 diagnostics.Pass, // absent, and calls were made
		"grpc_auth_failures_total":                     diagnostics.Skipped,
	}
	await(t, func() error {
		got := ask(guideTarget("orchestrator"))
		for name, status := range want {
			if got[name].Status != status {
				return fmt.Errorf("%s is %s at %g, want %s: %s", name, got[name].Status, got[name].Now, status, got[name].Query)
			}
		}
		if share := got["vault_requests_total"].Now; share < 0.2 || share > 0.3 {
			return fmt.Errorf("the share of errors is %g", share)
		}
		if n := len(got["spiffe_svid_ttl_seconds"].Series); n != 2 {
			return fmt.Errorf("%d kinds of SVID", n)
		}
		return nil
	})
	for name, r := range ask(guideTarget("dead")) {
		if r.Status != diagnostics.Unknown && name != "up" || name == "up" && r.Status != diagnostics.Fail {
			t.Errorf("of a target that is down %s is %s", name, r.Status)
		}
	}
}
