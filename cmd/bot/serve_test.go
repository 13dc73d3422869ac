package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/lab/slack"
)

// TestRunServesSlack starts `bot run` against a Slack workspace and a Vault
// that is sealed, asks, reads the answer, and stops.
func TestRunServesSlack(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	workspace, err := slack.Start(context.Background(), slack.Config{
		Addr: "127.0.0.1:0", BotToken: "xoxb-CANARY", AppToken: "xapp-CANARY", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = workspace.Close() }()
	vault := newStandIn(t)
	defer vault.Close()
	vault.set(func(s *standIn) { s.ttl = 3600 })

	var stdout, stderr syncBuffer
	a := newApp(&stdout, &stderr, os.Getenv)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	exit := make(chan int, 1)
	go func() { exit <- a.run(ctx, []string{"run", "--config", runConfig(t, vault.URL, workspace.URL())}) }()

	until(t, "the answer", &stderr, func() bool {
		outcome := workspace.Say(slack.Said{User: "U0ANA00001", Channel: "C0INCIDENT", Text: "/vault diagnose worker --check VLT-003"})
		return outcome.Error == ""
	})
	until(t, "the verdict", &stderr, func() bool { return strings.Contains(said(workspace), "VLT-003") })
	stop()
	if code := wait(t, exit, "the end"); code != exitOK {
		t.Errorf("exit status %d, log:\n%s", code, stderr.String())
	}
	if got := wait(t, vault.revoked, "the token to be given back"); got != canary {
		t.Error("another token was revoked")
	}
	for _, text := range []string{stdout.String(), stderr.String(), said(workspace)} {
		if strings.Contains(text, "CANARY") {
			t.Errorf("a secret was said:\n%s", text)
		}
	}
}

// runConfig writes a configuration for a Vault and a Slack.
func runConfig(t *testing.T, vault, workspace string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bot": "xoxb-CANARY", "app": "xapp-CANARY", "approle": canary,
		"tandem.yaml": `
vault: {address: "` + vault + `", identity: {approle: {role_id: {file: approle}, secret_id: {file: approle}}}}
slack: {bot_token: {file: bot}, app_token: {file: app}, api_url: "` + workspace + `/api/"}
services: {worker: }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "tandem.yaml")
}

// said is all that a person reads in the workspace.
func said(w *slack.Server) string {
	text, err := json.Marshal(w.State("U0ANA00001").Channels)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// until waits for a condition, with a deadline that only a broken test meets.
func until(t *testing.T, what string, log *syncBuffer, met func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s; the log:\n%s", what, log.String())
		}
	}
}
