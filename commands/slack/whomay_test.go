package slack

import (
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	lab "tandem/lab/slack"
)

const (
	sre      = "S0SRE00001" // ana and bruno
	security = "S0SECURI01" // carla
	warRoom  = "C0WARROOM1" // private; ana, carla and the bot
)

// ruled opens a workspace with rules.
func ruled(t *testing.T, rules ...commands.Rule) *workspace {
	t.Helper()
	return open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Access = rules })
}

func TestRefusalsArePrivateAndSayWhoCan(t *testing.T) {
	w := ruled(t,
		commands.Rule{Commands: []string{"diagnose"}, Services: []string{"orchestrator"}, Channels: []string{warRoom, "direct"}, People: []string{ana}, Groups: []string{security}},
		commands.Rule{Commands: []string{"diagnose"}, Services: []string{"worker"}, Groups: []string{sre}},
	)
	for _, c := range []struct {
		who, text string
		want      []string
	}{
		{carla, "diagnose worker", []string{"🚫 You may not ask `diagnose worker`", "<!subteam^" + sre + "> · in every channel"}},
		{bruno, "diagnose orchestrator", []string{"You may not ask", "<@" + ana + ">, <!subteam^" + security + "> · <#" + warRoom + ">, in a direct message to me"}},
		{carla, "diagnose orchestrator", []string{"but not here", "• <#" + warRoom + ">, in a direct message to me"}},
		{ana, "diagnose orchestrator", []string{"mas não aqui", "em uma mensagem direta para mim"}},
		{bruno, "diagnose service-registry", []string{"Nobody may ask `diagnose service-registry`", "slack.access"}},
		{bruno, "checks", []string{"Nobody may ask `checks`"}},
	} {
		w.say(c.who, incidents, "/vault "+c.text)
		if m := w.waitFor(c.who, incidents, c.want...); !m.Ephemeral || m.VisibleTo != c.who {
			t.Errorf("others read the refusal of %q", c.text)
		}
	}
	if calls := w.callsOf(methodPostMessage); len(calls) > 0 {
		t.Errorf("something was posted: %+v", calls)
	}
	if n := len(w.callsOf(methodGroupUsers)); n != 2 {
		t.Errorf("groups were read %d times, want once each", n)
	}
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "✅ orchestrator: ok") // the report that this diagnoser always has
	w.say(carla, incidents, "/vault help")
	w.waitFor(carla, incidents, "Commands")
}

func TestAGroupThatCannotBeReadOpensNothing(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, c *lab.Config) {
		o.Access = []commands.Rule{{Groups: []string{sre}}}
		c.Manifest, c.Scopes = nil, []string{"commands", "chat:write", "users:read"}
	})
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "You may not ask", "<!subteam^"+sre+">", "usergroups:read", "api.slack.com/apps")
	w.say(bruno, incidents, "/vault whoami")
	w.waitFor(bruno, incidents, "full member", "diagnose orchestrator, service-registry, worker", "usergroups:read")
}

func TestWhoAmISaysWhatOneMayDo(t *testing.T) {
	w := ruled(t,
		commands.Rule{Commands: []string{"diagnose"}, Services: []string{"worker"}, Groups: []string{sre}},
		commands.Rule{Commands: []string{"explain", "checks"}},
	)
	w.say(ana, incidents, "/vault quemsou")
	w.waitFor(ana, incidents, "Ana Souza", ana, "Você é membro pleno", "português", "pt-BR", "America/Sao",
		"<!subteam^"+sre+">", "✅ `diagnose` `worker`", "Ninguém pode pedir `diagnose orchestrator, service-registry`",
		"✅ `explain`, `checks`, `help`, `whoami`, `version`", "10 de 10")
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "✅ orchestrator: ok")
	w.say(bruno, incidents, "/vault whoami")
	w.waitFor(bruno, incidents, "Bruno Lima", "English", "9 of 10")
}

func TestWhoAmIWithoutRules(t *testing.T) {
	w := open(t, finds(passReport()))
	w.say(bruno, general, "/vault whoami")
	m := w.waitFor(bruno, general, "✅ `diagnose` every service")
	if !m.Ephemeral || strings.Contains(read(m), markRefused) {
		t.Errorf("whoami reads %q", read(m))
	}
}

func TestOnePersonDiagnosesAFewTimesAMinute(t *testing.T) {
	clock := newClock()
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Diagnoses, o.Now = 2, clock.Now })
	for _, service := range []string{"worker", "orchestrator", "service-registry"} {
		w.say(bruno, incidents, "/vault diagnose "+service)
		w.eventually("the bot has heard of "+service, func() bool {
			return strings.Contains(w.logs.String(), `"service":"`+service+`"`) || len(w.refusals(bruno, "2 diagnoses within a minute")) > 0
		})
	}
	w.waitFor(bruno, incidents, "2 diagnoses within a minute", "Ask again in")
	w.say(ana, incidents, "/vault diagnose service-registry")
	w.eventually("ana is answered", func() bool { return strings.Contains(w.logs.String(), `"service":"service-registry"`) })
	clock.Add(time.Minute)
	w.say(bruno, incidents, "/vault diagnose worker --since 1h")
	w.eventually("bruno may ask again", func() bool { return len(w.callsOf(methodPostMessage)) == 4 })
}

// TestMayAskIsForButtons holds that what a click asks is judged as a command is.
func TestMayAskIsForButtons(t *testing.T) {
	w := ruled(t, commands.Rule{People: []string{ana}})
	click := func(user string) bool {
		_, ok := w.bot.mayAsk(t.Context(), ask{origin: byButton, user: user, channel: incidents, ref: "REF"}, commands.Request{Command: "diagnose", Service: "worker"})
		return ok
	}
	if !click(ana) || click(bruno) || click(gil) {
		t.Errorf("ana %v, bruno %v, gil %v", click(ana), click(bruno), click(gil))
	}
	if len(w.refusals(bruno, "<@"+ana+">")) == 0 {
		t.Error("bruno was told nothing")
	}
}

func TestExplainTellsOnlyOfServicesThatOneMayDiagnose(t *testing.T) {
	d := finds(failReport())
	d.checks = []commands.CheckInfo{{Code: "TOK-002", Title: both("The token may renew itself", "O token pode se renovar")}}
	w := open(t, d, func(o *Options, _ *lab.Config) {
		o.Access = []commands.Rule{{Services: []string{"worker"}}, {People: []string{ana}}}
	})
	w.say(ana, incidents, "/vault diagnose worker")
	w.say(ana, incidents, "/vault diagnose orchestrator")
	w.eventually("both have ended", func() bool { return len(w.bot.desk.Seen("TOK-002")) == 2 })
	w.say(ana, incidents, "/vault explain tok-002")
	w.waitFor(ana, incidents, "O que disse da última vez", "`worker`", "`orchestrator`", "falhando, há")
	w.say(bruno, incidents, "/vault explain TOK-002")
	if m := w.waitFor(bruno, incidents, "What it said last", "`worker`", "no policy of worker"); strings.Contains(read(m), "orchestrator") {
		t.Errorf("bruno reads of the orchestrator: %s", read(m))
	}
}

func TestEveryRefusalOfSlackNamesTheNextStep(t *testing.T) {
	bot, err := New(Options{Diagnoser: finds(passReport())})
	if err != nil {
		t.Fatal(err)
	}
	bot.me.name = "tandem"
	seen := map[string]string{}
	for _, code := range []string{
		"not_in_channel", "is_archived", "restricted_action", "cannot_reply_to_message", "ratelimited", "missing_scope", "token_revoked", "internal_error",
	} {
		for _, lang := range []string{"en", "pt-BR"} {
			w := bot.vocabulary.Words(bot.people.langOf(lang), "/vault")
			text := bot.whyUndelivered(ask{ref: "REF"}, w, refusedWith(code))
			if other, twice := seen[text]; twice || len(text) < 40 || slices.Contains([]byte(text), '[') {
				t.Errorf("%s in %s says %q, as %q does", code, lang, text, other)
			}
			seen[text] = code
		}
	}
}

// refusedWith is an error that Slack answers with.
func refusedWith(code string) error {
	return slackgo.SlackErrorResponse{Err: code, Needed: "files:write"}
}

// TestOnlyServicesThatOneMayDiagnoseAreProposed holds that wrong words are
// answered with services that the asker may diagnose there, or with who may.
func TestOnlyServicesThatOneMayDiagnoseAreProposed(t *testing.T) {
	w := ruled(t,
		commands.Rule{Commands: []string{"diagnose"}, Services: []string{"worker"}, People: []string{bruno}},
		commands.Rule{Commands: []string{"diagnose"}, Services: []string{"orchestrator"}, People: []string{ana}},
	)
	for _, text := range []string{"diagnose", "diagnose orchestratr", "orchestrator"} {
		before := len(w.messages(bruno, incidents))
		w.say(bruno, incidents, "/vault "+text)
		w.eventually("bruno is answered", func() bool { return len(w.messages(bruno, incidents)) > before })
		m := w.messages(bruno, incidents)[before]
		if said := strings.ReplaceAll(strings.ReplaceAll(read(m), "orchestratr", ""), "\"orchestrator\"", ""); strings.Contains(said, "orchestrator") {
			t.Errorf("%q is answered with %q", text, said)
		}
	}
	w.waitFor(bruno, incidents, "Which service?", "Known services: worker.")
	w.say(carla, incidents, "/vault diagnose")
	if m := w.waitFor(carla, incidents, "You may not ask `diagnose`", "<@"+bruno+">"); strings.Contains(read(m), "worker") {
		t.Errorf("carla, who may diagnose nothing, reads %q", read(m))
	}
}
