package slack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/lab/npm"
)

// sdkPatience is how long the official SDK for JavaScript may take to install and to run.
const sdkPatience = 3 * time.Minute

// sdkStep is one line that a script of testdata/sdk writes.
type sdkStep map[string]any

func (s sdkStep) is(t *testing.T, want sdkStep) {
	t.Helper()
	for key, value := range want {
		if fmt.Sprint(s[key]) != fmt.Sprint(value) {
			t.Errorf("%v: %s is %v, want %v", s["step"], key, s[key], value)
		}
	}
}

// sdkScript is a running script: what it writes, and the end of it.
type sdkScript struct {
	steps chan sdkStep
	log   *bytes.Buffer
}

// next is the next line, which must be of this step.
func (r *sdkScript) next(t *testing.T, step string) sdkStep {
	t.Helper()
	select {
	case s, open := <-r.steps:
		if !open || s["step"] != step {
			t.Fatalf("got %v, want %s", s, step)
		}
		return s
	case <-time.After(sdkPatience):
		t.Fatalf("no %s came", step)
	}
	panic("unreachable")
}

// runSDK runs a script with the SDK, unmodified, until the test ends.
func runSDK(t *testing.T, s *Server, script string, env ...string) *sdkScript {
	t.Helper()
	modules := installSDK(t)
	ctx, cancel := context.WithTimeout(context.Background(), sdkPatience)
	cmd := exec.CommandContext(ctx, "node", filepath.Join("testdata", "sdk", script))
	cmd.WaitDelay = patience
	cmd.Env = append(os.Environ(), append(env,
		"NODE_PATH="+modules, "SLACK_API_URL="+s.URL()+"/api/", "SLACK_BOT_TOKEN="+testBotToken,
		"SLACK_APP_TOKEN="+testAppToken, "SLACK_SIGNING_SECRET="+testSecret, "SLACK_CHANNEL="+incidents)...)
	run := &sdkScript{steps: make(chan sdkStep, 100), log: &bytes.Buffer{}}
	cmd.Stderr = run.log
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if inErr != nil || outErr != nil {
		t.Fatal(inErr, outErr)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		run.read(stdout)
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, run.log)
		}
		cancel()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", script, run.log)
		}
	})
	return run
}

func (r *sdkScript) read(stdout io.Reader) {
	defer close(r.steps)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		step := sdkStep{}
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			step = sdkStep{"step": "not JSON: " + lines.Text()}
		}
		r.steps <- step
	}
}

// installSDK installs what testdata/sdk/package-lock.json names, once for all runs, and returns the folder of modules.
func installSDK(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), sdkPatience)
	defer cancel()
	installed, err := npm.Install(ctx, filepath.Join("testdata", "sdk"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(installed, "node_modules")
}

// TestBolt runs an app of the official framework both ways, and does everything with it that people do.
func TestBolt(t *testing.T) {
	for _, over := range []string{bySocket, byHTTP} {
		t.Run(over, func(t *testing.T) {
			s := open(t, func(c *Config) { c.SigningSecret = testSecret })
			app := runSDK(t, s, "app.cjs", "SLACK_OVER="+over)
			ready := app.next(t, "ready")
			if over == byHTTP {
				at := "http://127.0.0.1:" + fmt.Sprint(ready["port"]) + "/slack/events"
				if out := s.Rewire(Delivery{Mode: byHTTP, HTTP: HTTP{CommandsURL: at, InteractiveURL: at, EventsURL: at}}); out.Error != "" {
					t.Fatal(out.Error)
				}
			} else {
				eventually(t, "connected", func() bool { return s.State("").Connections == 1 })
			}
			boltCommandAndClick(t, s, app)
			boltModal(t, s, app)
			boltEvents(t, s, app)
			boltRest(t, s, app)
			if over == bySocket {
				boltRefresh(t, s, app)
			}
		})
	}
}

func does(t *testing.T, out Outcome) Outcome {
	t.Helper()
	if out.Error != "" {
		t.Fatalf("refused: %+v", out)
	}
	return out
}

// says waits until user sees a message with this text, and returns it.
func says(t *testing.T, s *Server, channel, user, text string) Message {
	t.Helper()
	var found Message
	eventually(t, text, func() bool {
		all := messages(s, channel, user)
		i := slices.IndexFunc(all, func(m Message) bool { return m.Text == text })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

func boltCommandAndClick(t *testing.T, s *Server, app *sdkScript) {
	t.Helper()
	does(t, s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault diagnose worker"}))
	app.next(t, "command").is(t, sdkStep{"text": "diagnose worker", "user": ana, "channel": "incidents"})
	card := says(t, s, incidents, bruno, "worker is fine")
	does(t, s.Click(Click{User: "bruno", Channel: incidents, TS: card.TS, ActionID: "again"}))
	app.next(t, "action").is(t, sdkStep{"value": "worker", "user": bruno})
	if m := says(t, s, incidents, ana, "worker is still fine"); m.TS != card.TS || m.Edited == nil {
		t.Errorf("the card was not replaced: %+v", m)
	}
}

func boltModal(t *testing.T, s *Server, app *sdkScript) {
	t.Helper()
	does(t, s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault form"}))
	app.next(t, "command")
	eventually(t, "modal", func() bool { return len(s.State(ana).Views) == 1 })
	view := s.State(ana).Views[0]
	filled := func(v string) map[string]map[string]any { return map[string]map[string]any{"service": {"name": v}} }
	if out := s.Submit(Submit{User: "ana", ViewID: view.ID, Values: filled("nothing")}); out.Errors["service"] != "No such service" {
		t.Errorf("a wrong submission: %+v", out)
	}
	does(t, s.Submit(Submit{User: "ana", ViewID: view.ID, Values: filled("worker")}))
	app.next(t, "view").is(t, sdkStep{"value": "worker", "user": ana})
	says(t, s, incidents, ana, "Diagnosing worker")
	if open := s.State(ana).Views; len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
}

func boltEvents(t *testing.T, s *Server, app *sdkScript) {
	t.Helper()
	asked := does(t, s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem are you there?"}))
	app.next(t, "mention").is(t, sdkStep{"text": "<@" + botUser + "> are you there?", "thread": ""})
	if m := says(t, s, incidents, bruno, "You called?"); m.ThreadTS != asked.TS {
		t.Errorf("not in the thread: %+v", m)
	}
	does(t, s.React(Reacting{User: "bruno", Channel: incidents, TS: asked.TS, Reaction: "eyes"}))
	app.next(t, "reaction").is(t, sdkStep{"reaction": "eyes", "user": bruno})
	does(t, s.Shortcut(UseShortcut{User: "bruno", Channel: incidents, TS: asked.TS, CallbackID: "diagnose_this"}))
	app.next(t, "shortcut").is(t, sdkStep{"user": bruno})
	says(t, s, incidents, bruno, "On it")
}

func boltRest(t *testing.T, s *Server, app *sdkScript) {
	t.Helper()
	does(t, s.Home(OpenHome{User: "ana"}))
	app.next(t, "home").is(t, sdkStep{"tab": "home", "user": ana})
	eventually(t, "Home tab", func() bool { return len(s.State(ana).Homes[ana].Blocks) == 2 })
	dm := does(t, s.Say(Said{User: "ana", Channel: "@tandem", Text: "ping"}))
	app.next(t, "message").is(t, sdkStep{"text": "ping", "kind": "im"})
	if m := says(t, s, "D0ANA00001", ana, "pong"); m.TS <= dm.TS {
		t.Errorf("the answer stands before the question: %+v", m)
	}
}

// boltRefresh asks the app to connect anew, and finds it there again.
func boltRefresh(t *testing.T, s *Server, app *sdkScript) {
	t.Helper()
	before := calls(s, "apps.connections.open")
	does(t, s.Socket(SocketAction{Action: "disconnect"}))
	eventually(t, "connected again", func() bool {
		return calls(s, "apps.connections.open") > before && s.State("").Connections == 1
	})
	does(t, s.Say(Said{User: "bruno", Channel: "incidents", Text: "/vault diagnose worker"}))
	app.next(t, "command").is(t, sdkStep{"user": bruno})
}

// TestWebClient holds that the official client reads every answer and every refusal as it does Slack's.
func TestWebClient(t *testing.T) {
	s := open(t, func(c *Config) { c.RateLimits = true })
	web := runSDK(t, s, "web.cjs")
	web.next(t, "auth").is(t, sdkStep{"user": botUser, "team": "T0NEURALHV", "bot": "B0TANDEM01"})
	people := len(s.State("").People)
	pages := web.next(t, "pages")
	pages.is(t, sdkStep{"pages": (people + 2) / 3})
	if got := len(pages["people"].([]any)); got != people {
		t.Errorf("%d people in all pages, want %d", got, people)
	}
	web.next(t, "upload").is(t, sdkStep{"ok": true, "name": "worker.log"})
	if m := says(t, s, incidents, "", "the log"); len(m.Files) != 1 || m.Files[0].Preview != "level=error\n" || m.ThreadTS == "" {
		t.Errorf("the file: %+v", m)
	}
	const platform = "slack_webapi_platform_error"
	web.next(t, "scope").is(t, sdkStep{"code": platform, "error": "missing_scope", "needed": "channels:history"})
	web.next(t, "blocks").is(t, sdkStep{"error": "invalid_blocks", "messages": "[[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]]"})
	web.next(t, "token").is(t, sdkStep{"code": platform, "error": "invalid_auth"})
	web.next(t, "unknown").is(t, sdkStep{"error": "channel_not_found"})
	web.next(t, "waited").is(t, sdkStep{"waited": true})
	web.next(t, "limited").is(t, sdkStep{"code": "slack_webapi_rate_limited_error", "wait": 1})
	web.next(t, "codes").is(t, sdkStep{"platform": platform})
	for _, text := range []string{"one", "two", "three"} {
		says(t, s, incidents, "", text)
	}
}

// TestSDKVersions holds that the lock is of the versions that the README of the lab promises, and names no host to
// fetch them from.
func TestSDKVersions(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "sdk", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Resolved string }
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	if v := lock.Packages["node_modules/@slack/bolt"].Version; v != "5.1.0" {
		t.Errorf("Bolt %s", v)
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" {
			t.Errorf("%s is resolved to an address", strconv.Quote(strings.TrimPrefix(name, "node_modules/")))
		}
	}
}
