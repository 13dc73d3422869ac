package slack

import (
	"context"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// click clicks a button on a message and holds that the bot acknowledged it.
func (w *workspace) click(user, channel, ts, action, value string) {
	w.t.Helper()
	if got := w.Click(lab.Click{User: user, Channel: channel, TS: ts, ActionID: action, Value: value}); got.Error != "" {
		w.t.Errorf("click %s: %s", action, got.Error)
	}
}

// verdict asks for a diagnosis of the worker and waits for its card.
func (w *workspace) verdict(user, channel string) lab.Message {
	w.t.Helper()
	w.say(user, channel, "/vault diagnose worker --since 30m")
	return w.waitFor(user, channel, "❌ worker: ")
}

func TestFixIsToldToTheClickerAlone(t *testing.T) {
	w := open(t, finds(failReport()))
	card := w.verdict(bruno, incidents)
	w.click(ana, incidents, card.TS, actionFix, "")
	m := w.waitFor(ana, incidents, "O que resolve o problema em worker", "TOK-002", "Conceda `update`",
		"vault write sys/capabilities-accessor", "/vault explain TOK-002", "inicie o Loki ou corrija logs.loki.url")
	if m.VisibleTo != ana {
		t.Errorf("it is visible to %q", m.VisibleTo)
	}
}

func TestEvidenceIsFiledOnce(t *testing.T) {
	w := open(t, finds(failReport()))
	card := w.verdict(bruno, incidents)
	w.click(bruno, incidents, card.TS, actionEvidence, "")
	w.waitFor(bruno, incidents, "All evidence is in the thread", "open it", card.TS[:10])
	w.click(ana, incidents, card.TS, actionEvidence, "")
	w.waitFor(ana, incidents, "Todas as evidências")
	var files []lab.File
	for _, m := range w.replies(incidents, card.TS) {
		files = append(files, m.Files...)
	}
	if len(files) != 1 || !strings.HasPrefix(files[0].Name, "worker-") || !strings.HasSuffix(files[0].Name, ".md") {
		t.Fatalf("the thread has the files %+v, want one", files)
	}
}

func TestWithoutTheRightToUploadTheClickerIsTold(t *testing.T) {
	w := open(t, finds(failReport()), func(_ *Options, c *lab.Config) {
		c.Manifest, c.Scopes = nil, []string{"commands", "chat:write", "users:read"}
	})
	card := w.verdict(bruno, incidents)
	w.click(bruno, incidents, card.TS, actionEvidence, "")
	m := w.waitFor(bruno, incidents, "the file with all the evidence", "files:write", "--output json")
	if m.VisibleTo != bruno || strings.Contains(w.transcript(), "All evidence is in the thread") {
		t.Errorf("it is visible to %q\n%s", m.VisibleTo, w.transcript())
	}
}

func TestPrivateAnswersToAClickInAThreadStayThere(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(bruno, incidents, "worker is down")
	alert := w.waitFor(bruno, incidents, "is down")
	if got := w.Say(lab.Said{User: bruno, Channel: incidents, ThreadTS: alert.TS, Text: "@tandem diagnose worker"}); got.Error != "" {
		t.Fatal(got.Error)
	}
	card := w.waitInThread(incidents, alert.TS, "❌ worker: failing")
	w.click(ana, incidents, card.TS, actionFix, "")
	if m := w.waitInThread(incidents, alert.TS, "O que resolve o problema em worker"); m.VisibleTo != ana {
		t.Errorf("it is visible to %q", m.VisibleTo)
	}
}

func TestAnswersToAShortcutAreSeenWhereThereIsNoThread(t *testing.T) {
	w := open(t, finds(failReport()), func(o *Options, _ *lab.Config) {
		o.Access = []commands.Rule{{Commands: []string{"diagnose"}, People: []string{ana}}}
	})
	w.say(bruno, incidents, "something is down")
	alert := w.waitFor(bruno, incidents, "is down")
	if got := w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose}); got.Error != "" {
		t.Fatal(got.Error)
	}
	if m := w.waitFor(bruno, incidents, "You may not ask"); m.VisibleTo != bruno {
		t.Errorf("it is visible to %q", m.VisibleTo)
	}
}

func TestTheFormOffersWhatTheAskerMayDiagnose(t *testing.T) {
	w := open(t, finds(failReport()), func(o *Options, _ *lab.Config) {
		o.Access = []commands.Rule{{Services: []string{"orchestrator"}}}
	})
	w.say(bruno, incidents, "worker, orchestrator and service-registry are down")
	alert := w.waitFor(bruno, incidents, "are down")
	w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose})
	w.eventually("a modal is open", func() bool { return len(w.State(bruno).Views) == 1 })
	text := read(lab.Message{Blocks: w.State(bruno).Views[0].Blocks})
	if !strings.Contains(text, "orchestrator") || strings.Contains(text, "worker") {
		t.Errorf("the form says %s", text)
	}
}

func TestAnAddressThatIsUsedUpIsNotTheOnlyWay(t *testing.T) {
	w := open(t, finds(failReport()))
	a := ask{origin: bySlash, user: bruno, channel: incidents, address: w.URL() + "/hooks/commands/gone/gone"}
	w.bot.whisper(t.Context(), a, drawNotice(markHelp, "after half an hour"))
	if m := w.waitFor(bruno, incidents, "after half an hour"); m.VisibleTo != bruno {
		t.Errorf("it is visible to %q", m.VisibleTo)
	}
}

func TestHomeTellsNobodyOfRunsThatTheyMayNotAskFor(t *testing.T) {
	release := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		<-release
		return failReport(), nil
	}}, func(o *Options, _ *lab.Config) {
		o.Access = []commands.Rule{{People: []string{ana}}, {Services: []string{"orchestrator"}, Channels: []string{commands.DirectMessages}}}
	})
	home := func(user string, texts ...string) string {
		var text string
		w.eventually(user+" has a Home tab", func() bool {
			text = read(lab.Message{Blocks: w.State("").Homes[user].Blocks})
			return containsAll(text, texts)
		})
		return text
	}
	w.say(ana, incidents, "/vault diagnose worker")
	w.waitFor(ana, incidents, "Diagnosticando worker")
	w.Home(lab.OpenHome{User: ana, Tab: "home"})
	home(ana, "Rodando agora", "⏳ *worker*")
	w.Home(lab.OpenHome{User: bruno, Tab: "home"})
	opened := home(bruno, "orchestrator", "Diagnose")
	if strings.Contains(opened, "⏳") {
		t.Errorf("bruno reads of runs that are none of his:\n%s", opened)
	}
	view := w.State("").Homes[bruno]
	if got := w.Click(lab.Click{User: bruno, ViewID: view.ID, ActionID: actionRefresh, Value: "refresh"}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("the Home tab is drawn anew", func() bool { return w.State("").Homes[bruno].Hash != view.Hash })
	home(bruno, "orchestrator", "Diagnose")
	close(release)
	w.waitFor(ana, incidents, "❌ worker: falhando")
}

func TestRunAgainJoinsAndOffersAFreshRun(t *testing.T) {
	runs := 0
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		runs++
		return failReport(), nil
	}})
	card := w.verdict(bruno, incidents)
	w.click(ana, incidents, card.TS, actionAgain, "")
	m := w.waitFor(ana, incidents, "pediu o mesmo há", "<@"+bruno+">", "a resposta", "já terminou", "Rodar mesmo assim")
	if m.VisibleTo != ana || runs != 1 {
		t.Errorf("it is visible to %q after %d runs", m.VisibleTo, runs)
	}
	w.click(ana, incidents, m.TS, actionAgain, "")
	w.eventually("there is a second card", func() bool {
		cards := 0
		for _, m := range w.messages(bruno, incidents) {
			if strings.Contains(read(m), "❌ worker: ") {
				cards++
			}
		}
		return cards == 2
	})
	if runs != 2 {
		t.Errorf("%d runs, want 2", runs)
	}
}

func TestAButtonOfAForgottenRunSaysWhatToDo(t *testing.T) {
	w := open(t, finds(failReport()))
	card := w.verdict(bruno, incidents)
	w.bot.desk = commands.NewDesk(finds(failReport()), commands.DeskOptions{}) // as after a restart
	w.click(bruno, incidents, card.TS, actionEvidence, "")
	if m := w.waitFor(bruno, incidents, "no longer remember run", "Run again"); m.VisibleTo != bruno {
		t.Errorf("it is visible to %q", m.VisibleTo)
	}
}

func TestWhoAsksTheSameInTheSamePlaceIsShownTheCard(t *testing.T) {
	finish := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		<-finish
		return failReport(), nil
	}})
	w.say(bruno, incidents, "/vault diagnose worker")
	placeholder := w.waitFor(bruno, incidents, "Diagnosing worker …")
	w.say(ana, incidents, "/vault diagnose worker")
	m := w.waitFor(ana, incidents, "<@"+bruno+">", "pediu o mesmo há")
	close(finish)
	card := w.waitFor(ana, incidents, "❌ worker: failing", "also asked by", "<@"+ana+">")
	if m.VisibleTo != ana || card.TS != placeholder.TS {
		t.Errorf("the answer is visible to %q; the card is %s, the placeholder was %s", m.VisibleTo, card.TS, placeholder.TS)
	}
}

func TestWhoAsksTheSameElsewhereFollowsTheSameRun(t *testing.T) {
	finish := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		<-finish
		return failReport(), nil
	}})
	w.say(bruno, incidents, "/vault diagnose worker")
	placeholder := w.waitFor(bruno, incidents, "Diagnosing worker …")
	if got := w.Say(lab.Said{User: ana, Channel: incidents, Text: "@tandem diagnose worker", ThreadTS: placeholder.TS}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("the thread has a card of its own", func() bool { return len(w.replies(incidents, placeholder.TS)) >= 2 })
	close(finish)
	w.waitInThread(incidents, placeholder.TS, "❌ worker: falhando", "entrou em uma execução iniciada")
}

func TestWhereNothingCanBeShownNothingIsAsked(t *testing.T) {
	runs := 0
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		runs++
		return failReport(), nil
	}})
	w.say(bruno, general, "/vault diagnose worker")
	w.waitFor(bruno, general, "/invite @tandem")
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if runs != 0 {
		t.Errorf("%d diagnoses ran for an answer that nobody sees", runs)
	}
}

func TestWhoAsksTwiceReadsThatItWasThem(t *testing.T) {
	w := open(t, finds(failReport()))
	card := w.verdict(bruno, incidents)
	w.click(bruno, incidents, card.TS, actionAgain, "")
	if text := read(w.waitFor(bruno, incidents, "You asked the same", "the answer", "Run anyway")); strings.Contains(text, "<@") {
		t.Errorf("bruno reads of himself as of another: %s", text)
	}
}

func TestProgressShowsWhatIsKnownAlready(t *testing.T) {
	finish := make(chan struct{})
	w := open(t, &fake{
		checks: []commands.CheckInfo{{Code: "TOK-002", Title: both("The token may renew itself", "O token pode se renovar")}},
		diagnose: func(_ context.Context, opts commands.Options) (diagnostics.Report, error) {
			opts.Progress(commands.Progress{Done: 1, Total: 3, Code: "VLT-001", Status: diagnostics.Pass})
			opts.Progress(commands.Progress{Done: 2, Total: 3, Code: "TOK-002", Status: diagnostics.Fail})
			<-finish
			return failReport(), nil
		},
	})
	w.say(bruno, incidents, "/vault diagnose worker")
	if got := read(w.waitFor(bruno, incidents, "*So far*", "❌ TOK-002 · The token may renew itself")); strings.Contains(got, "VLT-001") {
		t.Errorf("it shows what is well: %s", got)
	}
	close(finish)
	w.waitFor(bruno, incidents, "❌ worker: failing")
}

func TestHomeShowsServicesAndDiagnosesDirectly(t *testing.T) {
	w := open(t, finds(failReport()))
	home := func(texts ...string) func() bool {
		return func() bool {
			view, ok := w.State("").Homes[bruno]
			return ok && containsAll(read(lab.Message{Blocks: view.Blocks}), texts)
		}
	}
	if got := w.Home(lab.OpenHome{User: bruno, Tab: "home"}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("the Home tab is there", home("Tandem", "worker", "not diagnosed since I was started", "/vault diagnose SERVICE"))
	view := w.State("").Homes[bruno]
	if got := w.Click(lab.Click{User: bruno, ViewID: view.ID, ActionID: actionDirect + "/2", Value: "diagnose worker"}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("the Home tab has the verdict", home("❌ *worker*", "The worker's token cannot renew itself", "<!date^"))
	w.eventually("the card is in the direct message", func() bool {
		for _, c := range w.State(bruno).Channels {
			for _, m := range c.Messages {
				if strings.HasPrefix(c.ID, "D") && strings.Contains(read(m), "❌ worker: failing") {
					return true
				}
			}
		}
		return false
	})
}

func TestHomeRefusesStrangersPolitely(t *testing.T) {
	w := open(t, finds(failReport()))
	if got := w.Home(lab.OpenHome{User: "U0GUEST001", Tab: "home"}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("the guest reads why", func() bool {
		view, ok := w.State("").Homes["U0GUEST001"]
		return ok && strings.Contains(read(lab.Message{Blocks: view.Blocks}), "Só respondo a membros plenos")
	})
}

func TestTheShortcutFindsTheServiceInTheMessage(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(bruno, incidents, "alert: `worker` cannot log in, worker-2 neither")
	alert := w.waitFor(bruno, incidents, "alert:")
	if got := w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.waitInThread(incidents, alert.TS, "❌ worker: failing")
}

func TestTheShortcutAsksWhichServiceWhenItCannotTell(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(bruno, incidents, "orchestrator and worker are down")
	alert := w.waitFor(bruno, incidents, "are down")
	if got := w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("a modal is open", func() bool { return len(w.State(bruno).Views) == 1 })
	view := w.State(bruno).Views[0]
	submit := func(service, since string) lab.Outcome {
		return w.Submit(lab.Submit{User: bruno, ViewID: view.ID, Values: map[string]map[string]any{
			blockService: {blockService: service}, blockSince: {blockSince: since},
		}})
	}
	if got := submit("worker", "1h"); got.Error != "" || len(got.Errors) > 0 {
		t.Fatalf("submitted: %+v", got)
	}
	w.waitInThread(incidents, alert.TS, "❌ worker: failing", "looked back 1h")
}

func TestTheShortcutWhereTheBotIsNotTellsHowToInviteIt(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(bruno, general, "worker is down")
	alert := w.waitFor(bruno, general, "is down")
	if got := w.Shortcut(lab.UseShortcut{User: bruno, Channel: general, TS: alert.TS, CallbackID: ShortcutDiagnose}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.eventually("bruno is told", func() bool { return strings.Contains(w.transcript(), "/invite @tandem") })
}

func TestTheModalWhereTheBotIsNotTellsHowToInviteIt(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(bruno, general, "something is down")
	alert := w.waitFor(bruno, general, "is down")
	w.Shortcut(lab.UseShortcut{User: bruno, Channel: general, TS: alert.TS, CallbackID: ShortcutDiagnose})
	w.eventually("a modal is open", func() bool { return len(w.State(bruno).Views) == 1 })
	w.Submit(lab.Submit{User: bruno, ViewID: w.State(bruno).Views[0].ID, Values: map[string]map[string]any{
		blockService: {blockService: "worker"},
	}})
	w.eventually("bruno is told", func() bool { return strings.Contains(w.transcript(), "/invite @tandem") })
}

func TestServicesAreFoundAsWords(t *testing.T) {
	services := []string{"db", "service-registry", "worker"}
	for text, want := range map[string]string{
		"worker is down":                "worker",
		"Worker: down.":                 "worker",
		"service-registry, db":          "db service-registry",
		"networker and worker-2, dbx":   "",
		"`service-registry`":            "service-registry",
		"<https://x/worker|the worker>": "worker",
		"":                              "",
	} {
		if got := strings.Join(namedIn(text, services), " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestProgressLeavesEditsForVerdicts(t *testing.T) {
	var e edits
	now := noon
	taken := 0
	for range 100 {
		if e.take(now) {
			taken++
		}
	}
	if want := editsAMinute - editsForVerdicts; taken != want {
		t.Errorf("progress took %d edits, want %d", taken, want)
	}
	if now = now.Add(time.Minute); !e.take(now) {
		t.Error("a minute later there is no room")
	}
}
