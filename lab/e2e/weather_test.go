package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
)

// configWith writes the lab's configuration with some lines changed, and
// returns its file.
func configWith(t *testing.T, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile(lab.State().Bot.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(replace); i += 2 {
		changed := regexp.MustCompile(replace[i]).ReplaceAllString(text, replace[i+1])
		if changed == text {
			t.Fatalf("the lab's configuration has nothing like %q", replace[i])
		}
		text = changed
	}
	file := filepath.Join(t.TempDir(), "tandem.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// web is a server that answers everything alike.
func web(t *testing.T, status int, contentType, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestBlindProbesAreUnknown holds that whoever cannot look never says healthy
// and never says broken, and says the next step.
func TestBlindProbesAreUnknown(t *testing.T) {
	awaitHealthy(t)
	const page = "<!doctype html><title>Sign in</title>"
	tests := []struct {
		name    string
		replace []string
		code    string // a check that must be unknown
	}{
		{"Vault answers HTML", []string{`address: http\S+`, "address: " + web(t, 200, "text/html", page)}, "VLT-001"},
		{"Vault answers garbage", []string{`address: http\S+`, "address: " + web(t, 200, "application/json", "{]")}, "VLT-001"},
		{"the bot's token is dead", []string{`token_file: \S+`, "token_file: " + tokenFile(t, "not-a-token")}, "VLT-003"},
		{"the bot's token lacks rights", []string{`token_file: \S+`, "token_file: " + tokenFile(t, tokenFor(t, "default"))}, "VLT-003"},
		{"Prometheus is down", []string{`(prometheus:\s+url:) \S+`, "$1 " + closedPort(t)}, "PRM-001"},
		{"Prometheus answers HTML", []string{`(prometheus:\s+url:) \S+`, "$1 " + web(t, 200, "text/html", page)}, "PRM-001"},
		{"Prometheus has no such target", []string{`(  worker:\n)`, "$1    job: somebody-else\n"}, "PRM-001"},
		{"Loki is down", []string{`(loki:\s+url:) \S+`, "$1 " + closedPort(t)}, "LOG-001"},
		{"Loki answers 500", []string{`(loki:\s+url:) \S+`, "$1 " + web(t, 500, "text/plain", "no")}, "LOG-001"},
		{"nothing is known of SPIRE's server", []string{`  server_address: \S+\n`, ""}, "SPR-001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := configWith(t, tt.replace...)
			code, view := diagnoseWith(t, config, "worker")
			if got := check(t, view, tt.code); got.Status != diagnostics.Unknown || got.Summary == "" {
				t.Errorf("%s is %s %q\n%s", tt.code, got.Status, got.Summary, notPassing(view))
			}
			if view.Verdict.Status != diagnostics.Unknown || code != 3 {
				t.Errorf("verdict %s, exit %d\n%s", view.Verdict.Status, code, notPassing(view))
			}
		})
	}
}

// TestHangingServers freezes servers: their ports accept, and nothing answers.
func TestHangingServers(t *testing.T) {
	for part, code := range map[string]string{"vault": "VLT-001", "prometheus": "PRM-001", "loki": "LOG-001", "postgres": "PGS-001"} {
		t.Run(part, func(t *testing.T) {
			awaitHealthy(t)
			if err := lab.Pause(t.Context(), part); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := lab.Continue(context.WithoutCancel(t.Context()), part); err != nil {
					t.Error(err)
				}
			})
			_, view := diagnose(t, "worker")
			if got := check(t, view, code); got.Status != diagnostics.Unknown {
				t.Errorf("%s is %s: %s", code, got.Status, got.Summary)
			}
			if view.Verdict.Status == diagnostics.Pass {
				t.Error("a lab that nobody could see is called healthy")
			}
			if view.TookMS > 30_000 {
				t.Errorf("took %d ms", view.TookMS)
			}
			if err := lab.Continue(t.Context(), part); err != nil {
				t.Fatal(err)
			}
			awaitHealthy(t)
		})
	}
}

func TestWrongUseSaysTheNextStep(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"diagnose", "wroker"}, "worker"},
		{[]string{"diagnose", "worker", "--since", "yesterday"}, "since"},
		{[]string{"diagnose", "worker", "--check", "ZZZ-999"}, "ZZZ-999"},
		{[]string{"diagnose"}, "SERVICE"},
		{[]string{"diagnose", "worker", "--output", "xml"}, "json"},
	}
	for _, tt := range tests {
		out := run(t, tt.args...)
		if out.code != 2 || !strings.Contains(out.stderr, tt.want) {
			t.Errorf("bot %v: exit %d, %q does not name %q", tt.args, out.code, out.stderr, tt.want)
		}
		if out.stdout != "" {
			t.Errorf("bot %v: an error on standard output: %q", tt.args, out.stdout)
		}
	}
}

// tokenFor makes a token with one policy.
func tokenFor(t *testing.T, policy string) string {
	t.Helper()
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := client.Auth().Token().CreateWithContext(t.Context(), &api.TokenCreateRequest{
		Policies: []string{policy}, NoDefaultPolicy: true, TTL: "10m",
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Auth.ClientToken
}

func tokenFile(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHangingWorkloadAPI has an agent that accepts and never answers.
func TestHangingWorkloadAPI(t *testing.T) {
	awaitHealthy(t)
	set := func(ctx context.Context, down string) {
		t.Helper()
		if _, err := lab.SPIFFEAdmin(ctx, http.MethodPut, "/admin/faults", map[string]any{"agent_down": down}); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { set(context.WithoutCancel(t.Context()), "") })
	set(t.Context(), "hang")
	_, view := diagnose(t, "worker")
	if got := check(t, view, "SPF-001"); got.Status != diagnostics.Unknown {
		t.Errorf("SPF-001 is %s: %s", got.Status, got.Summary)
	}
	if view.Verdict.Status == diagnostics.Pass {
		t.Error("an agent that never answers is called healthy")
	}
	set(t.Context(), "")
	awaitHealthy(t)
}

// TestServiceThatDoesNotRun holds that silence is not health: metrics of a
// process that is gone prove nothing.
func TestServiceThatDoesNotRun(t *testing.T) {
	awaitHealthy(t)
	if err := lab.Stop(t.Context(), "worker"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Restart(context.WithoutCancel(t.Context()), "worker"); err != nil {
			t.Error(err)
		}
	})
	eventually(t, settle, func() error {
		_, view := diagnose(t, "worker")
		if got := check(t, view, "PRM-001"); got.Status != diagnostics.Unknown || got.Remedy == "" {
			return fmt.Errorf("PRM-001 is %s %q, next step %q", got.Status, got.Summary, got.Remedy)
		}
		if view.Verdict.Status == diagnostics.Pass || view.Verdict.Status == diagnostics.Warn {
			return fmt.Errorf("a service that does not run is called %s", view.Verdict.Status)
		}
		return nil
	})
}
