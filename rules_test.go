package tandem_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tandem/lab/servers"
)

// TestPrometheusRules holds that Prometheus itself takes the rules for operators
// and evaluates each without an error.
func TestPrometheusRules(t *testing.T) {
	rules, err := filepath.Abs("deploy/prometheus/vault-spiffe.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	url := prometheusWith(t, rules)
	deadline := time.Now().Add(time.Minute)
	for {
		waiting, err := unevaluated(t, url)
		switch {
		case err != nil && time.Now().Before(deadline): // it starts still
		case err != nil:
			t.Fatal(err)
		case waiting == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d rules were not evaluated", waiting)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// TestPrometheusRulesSayWhatTheyShould runs Prometheus' own tests of what the
// rules say of numbers: deploy/prometheus/vault-spiffe.test.yaml.
func TestPrometheusRulesSayWhatTheyShould(t *testing.T) {
	promtool, err := servers.Find(t.Context(), servers.Promtool, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "vault-spiffe.rules.yaml"}, {"test", "rules", "vault-spiffe.test.yaml"}} {
		command := exec.CommandContext(t.Context(), promtool, args...)
		command.Dir = "deploy/prometheus"
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// prometheusWith runs a Prometheus that evaluates rules each second, and returns
// its address.
func prometheusWith(t *testing.T, rules string) string {
	t.Helper()
	binary, err := servers.Find(t.Context(), servers.Prometheus, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {evaluation_interval: 1s}\nrule_files: [%q]\n", rules)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=error")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return "http://" + address
}

// unevaluated is how many rules were not evaluated yet. One that is in error
// fails the test.
func unevaluated(t *testing.T, url string) (int, error) {
	t.Helper()
	resp, err := http.Get(url + "/api/v1/rules")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	waiting, seen := 0, 0
	for _, group := range answer.Data.Groups {
		for _, rule := range group.Rules {
			seen++
			switch rule.Health {
			case "ok":
			case "unknown":
				waiting++
			default:
				t.Fatalf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
		}
	}
	if seen == 0 {
		return 0, fmt.Errorf("%s has no rules yet", url)
	}
	return waiting, nil
}
