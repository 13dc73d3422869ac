package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"go.uber.org/goleak"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

const (
	botToken = "xoxb-canary-bot"
	appToken = "xapp-canary-app"

	ana   = "U0ANA00001" // speaks Portuguese
	bruno = "U0BRUNO001" // speaks English

	incidents = "C0INCIDENT" // the bot is in it
	general   = "C0GENERAL1" // the bot is not
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a diagnoser that does as a test says.
type fake struct {
	diagnose func(context.Context, commands.Options) (diagnostics.Report, error)
	checks   []commands.CheckInfo
}

func (f *fake) Services() []string { return []string{"orchestrator", "service-registry", "worker"} }

func (f *fake) Checks() []commands.CheckInfo { return f.checks }

func (f *fake) Diagnose(ctx context.Context, _ string, opts commands.Options) (diagnostics.Report, error) {
	return f.diagnose(ctx, opts)
}

// finds is a diagnoser that finds the same at once, always.
func finds(report diagnostics.Report) *fake {
	return &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) { return report, nil }}
}

// workspace is a Slack workspace with a running bot in it.
type workspace struct {
	*lab.Server
	t    *testing.T
	bot  *Bot
	logs *logs
	stop func() error // stops the bot and returns what Run returned
}

// open starts a workspace and a bot, and waits until they are connected.
func open(t *testing.T, d commands.Diagnoser, change ...func(*Options, *lab.Config)) *workspace {
	t.Helper()
	cfg := lab.Config{Addr: "127.0.0.1:0", BotToken: botToken, AppToken: appToken, Log: slog.New(slog.DiscardHandler), Manifest: installed(t)}
	logs := &logs{}
	opts := Options{
		BotToken: botToken, AppToken: appToken, Diagnoser: d, Every: time.Millisecond, Version: "tandem v1.2.3",
		Log: slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&opts, &cfg)
	}
	server, err := lab.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	opts.APIURL = server.URL() + "/api"
	bot, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{Server: server, t: t, bot: bot, logs: logs}
	w.run()
	t.Cleanup(func() {
		if err := w.stop(); err != nil {
			t.Errorf("the bot ended with %v", err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		w.checkSecrets()
	})
	w.eventually("the bot is connected", func() bool {
		return bot.Ready() == nil && (opts.AppToken == "" || w.State("").Connections == cmp.Or(opts.Connections, 2))
	})
	return w
}

// installed is the manifest that the bot is installed by: a scope or an event
// that is missing in it is missing in every test.
func installed(t *testing.T) json.RawMessage {
	t.Helper()
	m, err := NewManifest("/vault", "")
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(encode(t, m))
}

func (w *workspace) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.bot.Run(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

// say types a text and holds that the bot acknowledged it in time.
func (w *workspace) say(user, channel, text string) {
	w.t.Helper()
	if got := w.Say(lab.Said{User: user, Channel: channel, Text: text}); got.Error != "" {
		w.t.Errorf("%s: %s", text, got.Error)
	}
}

// eventually waits for a condition.
func (w *workspace) eventually(what string, holds func() bool) {
	w.t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-ticker.C:
		case <-timeout:
			w.t.Fatalf("waited in vain until %s\n%.3000s\n%.3000s", what, w.transcript(), w.logs.String())
		}
	}
}

// transcript is what everyone together reads, in short.
func (w *workspace) transcript() string {
	text := ""
	for _, c := range w.State("").Channels {
		for _, m := range c.Messages {
			text += fmt.Sprintf("#%s %s thread=%s for=%s: %.300s\n", c.Name, m.TS, m.ThreadTS, m.VisibleTo, read(m))
		}
	}
	return text
}

// messages are those of a channel that a person sees, outside threads.
func (w *workspace) messages(user, channel string) []lab.Message {
	var found []lab.Message
	for _, c := range w.State(user).Channels {
		for _, m := range c.Messages {
			if c.ID == channel && (m.ThreadTS == "" || m.ThreadTS == m.TS) {
				found = append(found, m)
			}
		}
	}
	return found
}

func (w *workspace) replies(channel, thread string) []lab.Message {
	var found []lab.Message
	for _, c := range w.State("").Channels {
		for _, m := range c.Messages {
			if c.ID == channel && m.ThreadTS == thread && m.TS != thread {
				found = append(found, m)
			}
		}
	}
	return found
}

// read is everything that a message says.
func read(m lab.Message) string {
	var all []string
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if text, ok := n["text"].(string); ok {
				all = append(all, text)
			}
			for _, value := range n {
				walk(value)
			}
		case []any:
			for _, value := range n {
				walk(value)
			}
		}
	}
	for _, b := range m.Blocks {
		walk(b)
	}
	return strings.Join(append(all, m.Text), "\n")
}

// waitInThread waits until a reply in a thread holds all texts, whoever sees it.
func (w *workspace) waitInThread(channel, thread string, texts ...string) lab.Message {
	w.t.Helper()
	var found lab.Message
	w.eventually(fmt.Sprintf("a reply in %s has %q", thread, texts), func() bool {
		for _, m := range w.replies(channel, thread) {
			if containsAll(read(m), texts) {
				found = m
			}
		}
		return found.TS != ""
	})
	return found
}

// waitFor waits until one of a person's messages holds all texts, and returns
// the newest such.
func (w *workspace) waitFor(user, channel string, texts ...string) lab.Message {
	w.t.Helper()
	var found lab.Message
	w.eventually(fmt.Sprintf("%s reads %q in %s", user, texts, channel), func() bool {
		for _, m := range w.messages(user, channel) {
			if containsAll(read(m), texts) {
				found = m
			}
		}
		return found.TS != ""
	})
	return found
}

func containsAll(s string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// callsOf are the calls of a method, in order.
func (w *workspace) callsOf(method string) []lab.Call {
	var found []lab.Call
	for _, c := range w.State("").Calls {
		if c.Method == method {
			found = append(found, c)
		}
	}
	return found
}

// checkSecrets fails when the log holds what nobody may read.
func (w *workspace) checkSecrets() {
	for _, secret := range []string{botToken, appToken, "/hooks/", "ticket=", "canary-secret"} {
		if strings.Contains(w.logs.String(), secret) {
			w.t.Errorf("the log holds %q:\n%s", secret, w.logs.String())
		}
	}
}

// api is a client of the workspace with the bot's own token.
func (w *workspace) api() *slackgo.Client {
	return slackgo.New(botToken, slackgo.OptionAPIURL(w.URL()+"/api/"), slackgo.OptionHTTPClient(w.bot.web.http))
}

// logs is a log that a test reads while it is written.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
