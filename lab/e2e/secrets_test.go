package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The canaries: values that must appear nowhere.
const (
	canaryValue = "canary-value-3141592653"
	canaryToken = "hvs.CAESICanaryCanaryCanaryCanaryCanaryCanaryCanaryCanaryCanary"
	canaryJWT   = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeS0zMTQxNTkyNjUz"
	canaryURI   = "mongodb://root:canary-password-2718281828@db.example.org/admin"
)

// TestCanarySecretsAppearNowhere puts secrets where a careless probe would pick
// them up, and reads everything that the bot says.
func TestCanarySecretsAppearNowhere(t *testing.T) {
	awaitHealthy(t)
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	kv := client.KVv2("secret")
	t.Cleanup(func() {
		if _, err := kv.Put(context.WithoutCancel(t.Context()), "orchestrator/mongodb", map[string]any{"uri": lab.State().MongoDB.URI}); err != nil {
			t.Error(err)
		}
		// The canaries' lines must not be the last word of the service's log.
		for _, event := range []string{"mongodb_connected", "vault_integration_initialized"} {
			push(t, "orchestrator", fmt.Sprintf(`{"event":%q,"level":"info"}`, event))
		}
	})
	if _, err := kv.Put(t.Context(), "orchestrator/mongodb", map[string]any{"uri": canaryURI, "other": canaryValue}); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"mongodb_connection_failed", "vault_initialization_failed", "postgres_login_failed", "grpc_discovery_error", "jwt_invalid"} {
		push(t, "orchestrator", fmt.Sprintf(`{"event":%q,"level":"error","reason":"server_selection_timeout","kid":%q,"error":"token %s uri %s jwt %s password=%s"}`,
			event, canaryJWT, canaryToken, canaryURI, canaryJWT, canaryValue))
	}
	var said strings.Builder
	for _, format := range []string{"text", "json", "yaml"} {
		out := run(t, "diagnose", "orchestrator", "--output", format)
		said.WriteString(out.stdout + out.stderr)
	}
	terminal := said.String()
	say(t, "incidents", "/vault diagnose orchestrator")
	var chat string
	eventually(t, settle, func() error {
		_, chat = slackState(t)
		for _, want := range []string{"MDB-004", "mongodb_connection_failed", "DBC-005"} { // the last check, so that the thread is whole
			if !strings.Contains(chat, want) {
				return fmt.Errorf("no word of %s in Slack yet", want)
			}
		}
		return nil
	})
	said.WriteString(chat)
	if !strings.Contains(terminal, "mongodb_connection_failed") {
		t.Error("the evidence with the canaries was not said; this test proves nothing")
	}
	for _, canary := range []string{canaryValue, canaryToken, canaryJWT, "canary-password-2718281828"} {
		if i := strings.Index(said.String(), canary); i >= 0 {
			t.Errorf("%s is said: …%s…", canary, said.String()[max(0, i-200):i])
		}
	}
}

// push writes a log line of a service to Loki.
func push(t *testing.T, service, line string) {
	t.Helper()
	now := time.Now()
	line = strings.Replace(line, "{", fmt.Sprintf(`{"timestamp":%q,`, now.UTC().Format(time.RFC3339Nano)), 1)
	body := fmt.Sprintf(`{"streams":[{"stream":{"job":%q,"service":%q,"pod":"canary"},"values":[[%q,%s]]}]}`,
		service, service, strconv.FormatInt(now.UnixNano(), 10), strconv.Quote(line))
	response, err := http.Post(lab.State().Loki.URL+"/loki/api/v1/push", "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("Loki answers %s", response.Status)
	}
}
