package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/lab/slack"
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
	said.WriteString(everythingInSlack(t))
	said.WriteString(get(t, lab.State().Bot.HealthURL+"/metrics"))
	said.WriteString(botLog(t))
	if !strings.Contains(terminal, "mongodb_connection_failed") {
		t.Error("the evidence with the canaries was not said; this test proves nothing")
	}
	for _, canary := range []string{canaryValue, canaryToken, canaryJWT, "canary-password-2718281828"} {
		if i := strings.Index(said.String(), canary); i >= 0 {
			t.Errorf("%s is said: …%s…", canary, said.String()[max(0, i-200):i])
		}
	}
}

// everythingInSlack has the orchestrator diagnosed in the channel, presses every
// button of the card, opens the Home tab, and returns all that is in the
// workspace then, files too.
func everythingInSlack(t *testing.T) string {
	t.Helper()
	say(t, "incidents", "/vault diagnose orchestrator --fresh")
	var card slack.Message
	eventually(t, settle, func() (err error) {
		card, err = lastCard(t, "orchestrator")
		return err
	})
	// By several people: one alone may not ask for so much at once.
	act(t, "home", map[string]string{"user": "ana", "tab": "home"})
	for _, button := range []string{"fix", "evidence"} {
		act(t, "click", map[string]string{"user": "ana", "channel": "incidents", "ts": card.TS, "action_id": button})
	}
	act(t, "click", map[string]string{"user": "bruno", "channel": "incidents", "ts": card.TS, "action_id": "again"})
	act(t, "say", map[string]string{"user": "carla", "channel": "incidents", "text": "/vault explain MDB-003"})
	var files []slack.File
	eventually(t, settle, func() error {
		state, chat := slackState(t)
		files = nil
		for _, m := range messages(state) {
			files = append(files, m.Files...)
		}
		for _, want := range []string{"MDB-004", "mongodb_connection_failed", `"home"`} {
			if !strings.Contains(chat, want) {
				return fmt.Errorf("no word of %s in Slack yet", want)
			}
		}
		if len(files) == 0 {
			return errors.New("the evidence is not in the thread yet")
		}
		return nil
	})
	_, all := slackState(t)
	for _, f := range files {
		evidence := get(t, f.URLPrivate)
		if !strings.Contains(evidence, "mongodb_connection_failed") {
			t.Errorf("%s does not hold the evidence with the canaries", f.Name)
		}
		all += evidence
	}
	return all
}

// lastCard is the latest verdict about a service.
func lastCard(t *testing.T, service string) (slack.Message, error) {
	t.Helper()
	state, _ := slackState(t)
	var card slack.Message
	for _, m := range messages(state) {
		if m.TS > card.TS && holds(t, m, `"diagnose `+service) && holds(t, m, `"action_id":"evidence"`) {
			card = m
		}
	}
	if card.TS == "" {
		return card, fmt.Errorf("no verdict about %s in Slack yet", service)
	}
	return card, nil
}

// botLog is what the running bot logged.
func botLog(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(lab.State().Dir, "logs", "bot.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
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
