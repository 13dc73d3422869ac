package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"tandem/lab/faults"
	"tandem/lab/slack"
)

// notify sends the bot what Alertmanager sends of one alert, with the token of a
// file, and returns the status of the answer.
func notify(t *testing.T, status, tokenFile string) int {
	t.Helper()
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="SpiffeSvidFetchFails"}`, "status": status, "receiver": "tandem",
		"alerts": []any{map[string]any{
			"status": status, "labels": map[string]string{"alertname": "SpiffeSvidFetchFails", "job": "worker"},
			"annotations": map[string]string{"summary": "80% of the fetches of SVIDs of worker fail"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, lab.State().Bot.AlertsURL+"/alertmanager", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// TestAnAlertOpensAThreadWithADiagnosis plays Alertmanager while the worker's entry
// is missing, and repeats what fires as it does.
func TestAnAlertOpensAThreadWithADiagnosis(t *testing.T) {
	awaitHealthy(t)
	bot := lab.State().Bot
	if status := notify(t, "firing", bot.SlackBotTokenFile); status != http.StatusUnauthorized {
		t.Errorf("another token: status %d", status)
	}
	fault, err := faults.Find("spire-entry-missing")
	if err != nil {
		t.Fatal(err)
	}
	cleared := false
	mended := func() {
		if cleared {
			return
		}
		cleared = true
		if err := fault.Clear(context.WithoutCancel(t.Context()), lab); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(mended)
	if err := fault.Inject(t.Context(), lab); err != nil {
		t.Fatal(err)
	}
	var opening slack.Message
	eventually(t, settle, func() error {
		if status := notify(t, "firing", bot.AlertsTokenFile); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		opening, err = newest(t, func(m slack.Message) bool { return holds(t, m, "Alert SpiffeSvidFetchFails fires") })
		if err != nil {
			return err
		}
		return threadSays(t, opening, "SPF-003")
	})
	mended()
	awaitHealthy(t)
	if status := notify(t, "resolved", bot.AlertsTokenFile); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	eventually(t, settle, func() error { return threadSays(t, opening, "Alert SpiffeSvidFetchFails is resolved after") })
	state, _ := slackState(t)
	openings := 0
	for _, m := range messages(state) {
		if holds(t, m, "Alert SpiffeSvidFetchFails fires") && (m.ThreadTS == "" || m.ThreadTS == m.TS) {
			openings++
		}
	}
	if openings != 1 {
		t.Errorf("one alert opened %d threads", openings)
	}
}
