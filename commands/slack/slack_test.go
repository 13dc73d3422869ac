package slack

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

func TestDiagnosisFromPlaceholderToEvidence(t *testing.T) {
	step, half := make(chan struct{}), make(chan struct{})
	w := open(t, &fake{diagnose: func(_ context.Context, opts commands.Options) (diagnostics.Report, error) {
		<-step
		opts.Progress(commands.Progress{Done: 2, Total: 5, Code: "TOK-002"})
		<-half
		return failReport(), nil
	}})

	w.say(ana, incidents, "/vault diagnose worker --since 30m")
	placeholder := w.waitFor(ana, incidents, "Diagnosticando worker …", "pedido por", "<@"+ana+">")
	close(step)
	w.waitFor(ana, incidents, "2 de 5", "▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱▱▱▱")
	close(half)
	card := w.waitFor(ana, incidents, "❌ worker: falhando", "O token do worker não consegue se renovar",
		"*Causa*", "TOK-002 · O token pode se renovar", "*O que decorre dela · Alertas*", "TOK-003", "por causa de TOK-002", "DB-001",
		"*O que não deu para ver*", "janela de 30m", "evidências na thread")
	if card.TS != placeholder.TS {
		t.Errorf("the card is message %s, the placeholder was %s", card.TS, placeholder.TS)
	}
	w.eventually("the evidence is in the thread", func() bool { return len(w.replies(incidents, card.TS)) == 1 })
	evidence := read(w.replies(incidents, card.TS)[0])
	if want := "vault write sys/capabilities-accessor"; !strings.Contains(evidence, want) {
		t.Errorf("the evidence does not hold %q:\n%s", want, evidence)
	}
	if got := w.messages(ana, incidents); len(got) != 1 {
		t.Errorf("%d messages in the channel, want the card alone", len(got))
	}
	if !w.bot.usesOnlyKnownMethods(w) {
		t.Error("a method was called that the manifest has no scope for")
	}
}

// usesOnlyKnownMethods holds the calls against the scopes that the options name.
func (b *Bot) usesOnlyKnownMethods(w *workspace) bool {
	for _, c := range w.State("").Calls {
		switch c.Method {
		case methodAuthTest, methodPostMessage, methodUpdate, methodUsersInfo, methodPermalink, "apps.connections.open":
		default:
			return false
		}
	}
	return true
}

func TestEveryoneIsAnsweredInTheirLanguage(t *testing.T) {
	w := open(t, finds(passReport()))
	w.say(bruno, incidents, "/vault diagnose orchestrator")
	w.waitFor(bruno, incidents, "✅ orchestrator: ok", "Nothing is wrong")
	w.say(ana, incidents, "/vault help")
	w.waitFor(ana, incidents, "Comandos")
	w.say(ana, incidents, "/vault version")
	w.waitFor(ana, incidents, "tandem v1.2.3")
	if n := len(w.callsOf(methodUsersInfo)); n != 2 {
		t.Errorf("locales were asked %d times for two people", n)
	}
}

func TestAPanicIsAnInternalErrorWithAReference(t *testing.T) {
	for name, diagnose := range map[string]func(context.Context, commands.Options) (diagnostics.Report, error){
		"panic": func(context.Context, commands.Options) (diagnostics.Report, error) { panic("boom in a probe") },
		"error": func(context.Context, commands.Options) (diagnostics.Report, error) {
			return diagnostics.Report{}, errors.New("boom in a probe")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, &fake{diagnose: diagnose})
			w.say(bruno, incidents, "/vault diagnose worker")
			text := read(w.waitFor(bruno, incidents, "Internal error, ref "))
			ref := regexp.MustCompile(`ref ([A-Z0-9]{8})\b`).FindStringSubmatch(text)
			if ref == nil {
				t.Fatalf("no reference in %q", text)
			}
			if strings.Contains(text, "boom") {
				t.Errorf("the channel reads the error itself: %q", text)
			}
			if log := w.logs.String(); !containsAll(log, []string{`"ref":"` + ref[1] + `"`, "boom in a probe"}) {
				t.Errorf("the log has no error under %s:\n%s", ref[1], log)
			}
		})
	}
}

func TestAPanicOutsideADiagnosisIsToldToTheAsker(t *testing.T) {
	w := open(t, broken{finds(passReport())})
	w.say(bruno, incidents, "/vault checks")
	w.waitFor(bruno, incidents, "Internal error, ref ")
	w.say(bruno, incidents, "/vault version") // the bot lives on
	w.waitFor(bruno, incidents, "tandem v1.2.3")
}

// broken panics when it is asked for the checks.
type broken struct{ *fake }

func (broken) Checks() []commands.CheckInfo { panic("boom in the catalogue") }

func TestAChannelWithoutTheBotTellsTheAskerHowToInviteIt(t *testing.T) {
	w := open(t, finds(passReport()))
	w.say(bruno, general, "/vault diagnose worker")
	m := w.waitFor(bruno, general, "/invite @tandem")
	if !m.Ephemeral || m.VisibleTo != bruno {
		t.Errorf("everyone reads it: %+v", m)
	}
	w.say(ana, general, "/vault checks") // what only the asker sees works everywhere
	w.waitFor(ana, general, "*Verificações*")
}

func TestBadInputIsAnsweredToTheAskerAlone(t *testing.T) {
	w := open(t, finds(passReport()))
	for text, want := range map[string][]string{
		"/vault " + strings.Repeat("diagnose ", 5000): {"too long"},
		"/vault diagnos worker":                       {"diagnos", "diagnose"},
		"/vault diagnose wroker":                      {"wroker", "Did you mean", "worker"},
		"/vault diagnose":                             {"Which service"},
		"/vault diagnose worker --since yesterday":    {"yesterday", "15m"},
		"/vault diagnose worker --check NOPE":         {"NOPE", "/vault checks"},
		"/vault diagnose \"worker":                    {"quote"},
		"/vault *bold* :sa:":                          {"∗bold∗"},
	} {
		before := len(w.messages(bruno, incidents))
		w.say(bruno, incidents, text)
		var answer lab.Message
		w.eventually("an answer to "+text[:min(len(text), 40)], func() bool {
			all := w.messages(bruno, incidents)
			if len(all) == before {
				return false
			}
			answer = all[len(all)-1]
			return true
		})
		if got := read(answer); !answer.Ephemeral || answer.VisibleTo != bruno || !containsAll(got, want) {
			t.Errorf("%.60s: got %q for %q, want %q for the asker alone", text, got, answer.VisibleTo, want)
		}
		if got := read(answer); strings.Contains(got, "<!") {
			t.Errorf("the answer calls everyone: %q", got)
		}
	}
	if got := w.messages(ana, incidents); len(got) != 0 {
		t.Errorf("others read %d messages", len(got))
	}
}

func TestAnotherCommandIsNotMistaken(t *testing.T) {
	w := open(t, finds(passReport()), func(_ *Options, c *lab.Config) {
		c.Manifest, c.App = nil, lab.App{ID: "A1", Name: "Tandem", UserID: "U0TANDEM01", BotID: "B1", Commands: []lab.Command{{Name: "/vault"}, {Name: "/secrets"}}}
	})
	w.say(bruno, incidents, "/secrets diagnose worker")
	w.waitFor(bruno, incidents, "/vault help")
}

func TestChecksAreListedAndExplained(t *testing.T) {
	var checks []commands.CheckInfo
	for i := range 60 {
		checks = append(checks, commands.CheckInfo{
			Code: fmt.Sprintf("CHK-%03d", i), Row: i % 6, Title: both(strings.Repeat("long ", 40), strings.Repeat("longo ", 40)),
		})
	}
	checks[7].Doc.Meaning = both("What it means", "O que significa")
	w := open(t, &fake{checks: checks})
	w.say(bruno, incidents, "/vault checks")
	w.waitFor(bruno, incidents, "CHK-000")
	w.waitFor(bruno, incidents, "CHK-059")
	w.say(bruno, incidents, "/vault checks chk-007")
	w.waitFor(bruno, incidents, "CHK-007", "What it means")
}

func TestAStopCutsARunningDiagnosisOffAndSaysSo(t *testing.T) {
	w := open(t, &fake{diagnose: func(ctx context.Context, _ commands.Options) (diagnostics.Report, error) {
		<-ctx.Done()
		return diagnostics.Report{}, ctx.Err()
	}}, func(o *Options, _ *lab.Config) { o.Grace = time.Millisecond })
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "Diagnosing worker …")
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	// Run has returned: what it promised is there already.
	if got := read(w.messages(bruno, incidents)[0]); !containsAll(got, []string{"was cut off", "/vault diagnose worker"}) {
		t.Errorf("after the stop the channel reads %q", got)
	}
}

func TestAStopLetsADiagnosisFinish(t *testing.T) {
	finish := make(chan struct{})
	w := open(t, &fake{diagnose: func(ctx context.Context, _ commands.Options) (diagnostics.Report, error) {
		select {
		case <-finish:
			return failReport(), nil
		case <-ctx.Done():
			return diagnostics.Report{}, ctx.Err()
		}
	}}, func(o *Options, _ *lab.Config) { o.Grace = time.Minute })
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "Diagnosing worker …")
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	w.eventually("no command is taken any more", func() bool { return w.State("").Connections == 0 })
	close(finish)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	card := w.waitFor(bruno, incidents, "❌ worker: failing")
	if len(w.replies(incidents, card.TS)) != 1 {
		t.Error("the evidence is missing")
	}
}

func TestASlowDiagnosisIsStopped(t *testing.T) {
	w := open(t, &fake{diagnose: func(ctx context.Context, _ commands.Options) (diagnostics.Report, error) {
		<-ctx.Done()
		return diagnostics.Report{}, fmt.Errorf("wait for probes: %w", ctx.Err())
	}}, func(o *Options, _ *lab.Config) { o.Timeout = 20 * time.Millisecond })
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "did not end within 20ms", "--check")
}

func TestWhenAllAreBusyTheAcknowledgementSaysSo(t *testing.T) {
	release := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		<-release
		return passReport(), nil
	}}, func(o *Options, _ *lab.Config) { o.Width, o.Queue = 1, -1 })
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "Diagnosing worker …")
	w.say(bruno, incidents, "/vault diagnose orchestrator")
	if m := w.waitFor(bruno, incidents, "Ask again in a minute"); !m.Ephemeral {
		t.Error("everyone reads that the bot is busy")
	}
	close(release)
	w.waitFor(bruno, incidents, "✅ orchestrator: ok")
}

func TestRateLimitsAreObeyed(t *testing.T) {
	w := open(t, finds(hugeReport(3)), func(_ *Options, c *lab.Config) { c.RateLimits = true })
	w.say(bruno, incidents, "/vault diagnose worker")
	card := w.waitFor(bruno, incidents, "CHK-002")
	last := regexp.MustCompile(`\((\d)/(\d)\)`)
	w.eventually("the last message of evidence is there", func() bool {
		for _, m := range w.replies(incidents, card.TS) {
			if n := last.FindStringSubmatch(m.Text); n != nil && n[1] == n[2] {
				return true
			}
		}
		return false
	})
	refused := 0
	for before, c := range eachAfter(w.callsOf(methodPostMessage)) {
		if c.Error == "ratelimited" {
			refused++
		}
		if c.Error != "" && before.Error != "" {
			t.Errorf("refused at %v and again at %v: the wait between them was too short", before.At, c.At)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: this test shows nothing")
	}
}

// eachAfter pairs each call with the one before it.
func eachAfter(calls []lab.Call) iter.Seq2[lab.Call, lab.Call] {
	return func(yield func(lab.Call, lab.Call) bool) {
		var before lab.Call
		for _, c := range calls {
			if !yield(before, c) {
				return
			}
			before = c
		}
	}
}

func TestACardWhoseMessageIsGoneIsPostedAnew(t *testing.T) {
	finish := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		<-finish
		return failReport(), nil
	}})
	w.say(bruno, incidents, "/vault diagnose worker")
	placeholder := w.waitFor(bruno, incidents, "Diagnosing worker …")
	if _, _, err := w.api().DeleteMessageContext(t.Context(), incidents, placeholder.TS); err != nil {
		t.Fatal(err)
	}
	close(finish)
	card := w.waitFor(bruno, incidents, "❌ worker: failing")
	w.eventually("the evidence follows it", func() bool { return len(w.replies(incidents, card.TS)) == 1 })
}

func TestTheWorstReportIsTakenBySlack(t *testing.T) {
	w := open(t, finds(hugeReport(60)))
	w.say(ana, incidents, "/vault diagnose worker")
	card := w.waitFor(ana, incidents, "CHK-056")
	w.eventually("evidence and a file are there", func() bool { return len(w.replies(incidents, card.TS)) == maxEvidence+1 })
	if files := w.replies(incidents, card.TS)[maxEvidence].Files; len(files) != 1 || !strings.HasSuffix(files[0].Name, ".md") {
		t.Errorf("the last message has the files %+v", files)
	}
	if log := w.logs.String(); strings.Contains(log, "invalid_blocks") || strings.Contains(log, "too_long") {
		t.Error(log)
	}
}

func TestTheBotComesBackAfterTheSocketIsCut(t *testing.T) {
	for _, action := range []string{"disconnect", "kill"} {
		t.Run(action, func(t *testing.T) {
			w := open(t, finds(passReport()))
			before := len(w.callsOf("apps.connections.open"))
			w.Socket(lab.SocketAction{Action: action})
			w.eventually("it is back", func() bool {
				return len(w.callsOf("apps.connections.open")) > before && w.State("").Connections == 2
			})
			w.say(bruno, incidents, "/vault version")
			w.waitFor(bruno, incidents, "tandem v1.2.3")
		})
	}
}

func TestTwoConnectionsShareTheWork(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Connections = 2 })
	for range 4 {
		w.say(bruno, incidents, "/vault version")
	}
	w.eventually("each is answered once", func() bool { return len(w.messages(bruno, incidents)) == 4 })
}

func TestEventsThatNobodyListensToAreAcknowledged(t *testing.T) {
	w := open(t, finds(passReport()))
	// The bot's own answer names the word, too; nobody can react to it.
	said := w.Say(lab.Said{User: bruno, Channel: incidents, Text: "@tandem hello"})
	if got := w.React(lab.Reacting{User: bruno, Channel: incidents, TS: said.TS, Reaction: "eyes"}); got.Error != "" {
		t.Error(got.Error)
	}
}

func TestRunEndsWhenSlackWillNeverLetTheBotIn(t *testing.T) {
	for name, c := range map[string]struct {
		bot, app, url string
		want          []string
	}{
		"bot token": {bot: "xoxb-canary-wrong", app: appToken, want: []string{"invalid_auth", "slack.bot_token"}},
		"app token": {bot: botToken, app: "xapp-canary-wrong", want: []string{"Socket Mode", "slack.app_token"}},
		"address":   {bot: botToken, app: appToken, url: "/nowhere", want: []string{"slack.api_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, finds(passReport()))
			url := w.URL() + "/api"
			if c.url != "" {
				url = w.URL() + c.url
			}
			bot, err := New(Options{BotToken: c.bot, AppToken: c.app, APIURL: url, Diagnoser: finds(passReport())})
			if err != nil {
				t.Fatal(err)
			}
			err = bot.Run(t.Context())
			if err == nil || !containsAll(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("Run: %v, want %q and no token", err, c.want)
			}
		})
	}
}

func TestNewWantsADiagnoser(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("a bot without a diagnoser was made")
	}
}
