package probes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
)

// instance is a pod whose calls and fetches all succeed, or all fail.
func instance(t *testing.T, well bool) string {
	t.Helper()
	status := "error"
	if well {
		status = "success"
	}
	var scrapes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, `# TYPE process_start_time_seconds gauge
process_start_time_seconds %d
# TYPE spiffe_svid_fetch_total counter
spiffe_svid_fetch_total{status=%q} %d
# TYPE grpc_jwt_auth_attempts_total counter
grpc_jwt_auth_attempts_total{service="registry",status="success"} %d
`, time.Now().Add(-time.Hour).Unix(), status, n, 9*n)
		if !well {
			fmt.Fprintf(w, "# TYPE grpc_jwt_auth_failures_total counter\ngrpc_jwt_auth_failures_total{reason=\"unauthenticated\"} %d\n", 9*n)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// One instance of many that gets nothing must not be hidden by those that do.
func TestOneInstanceOfManyIsSeen(t *testing.T) {
	broken := instance(t, false)
	all := []string{broken}
	for range 11 {
		all = append(all, instance(t, true))
	}
	jobs := map[string]string{"worker": strings.Join(all, ","), "well": strings.Join(all[1:], ",")}
	loaded, err := diagnostics.LoadCatalog([]diagnostics.CatalogSource{{Name: "built-in", FS: catalog.FS}},
		All(Deps{Prometheus: Prometheus{API: startPrometheus(t, jobs), URL: "http://prometheus:9090"}, Now: time.Now}))
	if err != nil {
		t.Fatal(err)
	}
	judge := func(job, code string) (diagnostics.Result, error) {
		target := guideTarget("worker")
		target.Job = job
		report, err := (&diagnostics.Runner{Catalog: loaded, Now: time.Now}).Run(soon(t), target, diagnostics.RunOptions{Only: []string{code}})
		for _, r := range report.Checks {
			if r.Code == code {
				return r, err
			}
		}
		return diagnostics.Result{}, fmt.Errorf("%s did not run: %w", code, err)
	}
	for code, words := range map[string]string{"SPF-006": "in 1 of 12 instances: " + broken, "GRP-006": "most calls of 1 of 12 instances were refused"} {
		await(t, func() error {
			r, err := judge("worker", code)
			if err == nil && (r.Status != diagnostics.Fail || !strings.Contains(r.Summary.EN, words)) {
				err = fmt.Errorf("%s is %s: %s", code, r.Status, r.Summary.EN)
			}
			return err
		})
		await(t, func() error {
			r, err := judge("well", code)
			if err == nil && r.Status != diagnostics.Pass {
				err = fmt.Errorf("%s of those that are well is %s: %s", code, r.Status, r.Summary.EN)
			}
			return err
		})
	}
}
