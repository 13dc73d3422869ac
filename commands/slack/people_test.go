package slack

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// The accounts of the workspace that are no members.
const (
	gil       = "U0GUEST001" // a guest
	paula     = "U0STRANGE1" // of another organisation
	davi      = "U0DAVI0001" // deactivated
	deploybot = "U0DEPLOYB1" // an app
	partners  = "C0PARTNER1" // the channel that is shared with paula's organisation
	carla     = "U0CARLA001" // speaks English, of the group security
)

func TestStandingOfEveryKindOfAccount(t *testing.T) {
	me := identity{team: "T1", enterprise: "E1"}
	for name, c := range map[string]struct {
		account slackgo.User
		want    commands.Standing
	}{
		"member":             {slackgo.User{TeamID: "T1"}, commands.Member},
		"administrator":      {slackgo.User{TeamID: "T1", IsAdmin: true, IsOwner: true}, commands.Member},
		"user of the app":    {slackgo.User{TeamID: "T1", IsAppUser: true}, commands.Member},
		"same enterprise":    {slackgo.User{TeamID: "T2", Enterprise: slackgo.EnterpriseUser{EnterpriseID: "E1"}}, commands.Member},
		"other enterprise":   {slackgo.User{TeamID: "T2", Enterprise: slackgo.EnterpriseUser{EnterpriseID: "E2"}}, commands.Stranger},
		"other organisation": {slackgo.User{TeamID: "T2"}, commands.Stranger},
		"stranger":           {slackgo.User{TeamID: "T1", IsStranger: true}, commands.Stranger},
		"no workspace":       {slackgo.User{}, commands.Stranger},
		"guest":              {slackgo.User{TeamID: "T1", IsRestricted: true}, commands.Guest},
		"single-channel":     {slackgo.User{TeamID: "T1", IsUltraRestricted: true}, commands.Guest},
		"invited":            {slackgo.User{TeamID: "T1", IsInvitedUser: true}, commands.Guest},
		"deactivated":        {slackgo.User{TeamID: "T1", Deleted: true}, commands.Deactivated},
		"app":                {slackgo.User{TeamID: "T1", IsBot: true}, commands.Automaton},
		"workflow":           {slackgo.User{TeamID: "T1", IsWorkflowBot: true}, commands.Automaton},
		"Slackbot":           {slackgo.User{ID: "USLACKBOT", TeamID: "T1"}, commands.Automaton},
	} {
		if got := standingOf(&c.account, me); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := standingOf(&slackgo.User{TeamID: "T2"}, identity{team: "T1"}); got != commands.Stranger {
		t.Errorf("without an enterprise %s", got)
	}
	if got := standingOf(&slackgo.User{}, identity{}); got != commands.Stranger {
		t.Errorf("of no workspace to a bot of none: %s", got)
	}
}

func TestPeopleAreForgottenBeforeThereAreTooMany(t *testing.T) {
	now := noon
	p := newPeople(nil, "en", nil, func() time.Time { return now })
	meet := func(id string) {
		p.remember(acquaintance{Person: commands.Person{ID: id, Locale: "pt-BR", Standing: commands.Member}})
	}
	for i := range maxPeople + 5 {
		meet(strconv.Itoa(i))
	}
	if n := len(p.byUser); n > maxPeople {
		t.Errorf("%d people are remembered", n)
	}
	meet(ana)
	if _, current := p.recall(ana); !current || p.known(ana) != diagnostics.Portuguese {
		t.Error("ana was forgotten at once")
	}
	now = now.Add(standingFor)
	if _, current := p.recall(ana); current || p.known(ana) != diagnostics.Portuguese {
		t.Error("after a minute her standing is to be asked again, and her language still known")
	}
}

func TestOnlyMembersAreAnswered(t *testing.T) {
	w := open(t, finds(passReport()))
	for _, c := range []struct{ user, channel, want string }{
		{gil, incidents, "você é convidado"},
		{paula, partners, "another organisation"},
		{davi, incidents, ""}, // Slack shows it nothing
	} {
		for _, text := range []string{"diagnose worker", "help", "whoami", "frobnicate"} {
			w.bot.answer(t.Context(), ask{origin: byMention, text: text, user: c.user, channel: c.channel, ref: "REF"})
		}
		if n := len(w.refusals(c.user, c.want)); c.want != "" && n != 4 {
			t.Errorf("%s reads %q %d times", c.user, c.want, n)
		}
	}
	a := ask{origin: byMention, text: "diagnose worker", team: "T0PARTNER1", user: ana, channel: incidents, ref: "REF"}
	w.bot.answer(t.Context(), a) // an account of ours, in a delivery of another workspace
	w.bot.answer(t.Context(), ask{origin: byMention, text: "help", user: deploybot, channel: incidents, ref: "REF"})
	w.bot.answer(t.Context(), ask{origin: byMention, text: "help", user: "USLACKBOT", channel: incidents, ref: "REF"})
	for _, c := range w.callsOf(methodPostMessage) {
		t.Errorf("something was posted for all: %+v", c)
	}
}

// refusals are the calls that told a person something.
func (w *workspace) refusals(user, text string) []lab.Message {
	var found []lab.Message
	for _, c := range w.State(user).Channels {
		for _, m := range c.Messages {
			if m.VisibleTo == user && containsAll(read(m), []string{markRefused, text}) {
				found = append(found, m)
			}
		}
	}
	return found
}

func TestWithoutTheRightToSeePeopleNobodyIsAnswered(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, c *lab.Config) {
		o.Language = diagnostics.Portuguese
		c.Manifest, c.Scopes = nil, []string{"commands", "chat:write"}
	})
	w.say(bruno, incidents, "/vault diagnose worker")
	m := w.waitFor(bruno, incidents, "Não consegui descobrir quem você é", "users:read", "api.slack.com/apps", "OAuth &amp; Permissions")
	if !m.Ephemeral {
		t.Error("everyone reads it")
	}
}

func TestStandingIsAskedAgainAfterAMinute(t *testing.T) {
	clock := newClock()
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Now = clock.Now })
	for range 3 {
		w.say(bruno, incidents, "/vault version")
	}
	w.eventually("three answers", func() bool { return len(w.messages(bruno, incidents)) == 3 })
	if n := len(w.callsOf(methodUsersInfo)); n != 1 {
		t.Errorf("asked %d times within a minute", n)
	}
	clock.Add(standingFor)
	w.say(bruno, incidents, "/vault version")
	w.eventually("a fourth answer", func() bool { return len(w.messages(bruno, incidents)) == 4 })
	if n := len(w.callsOf(methodUsersInfo)); n != 2 {
		t.Errorf("asked %d times in two minutes", n)
	}
}

// clock is the time as a test wants it.
type clock struct{ ahead atomic.Int64 }

func newClock() *clock { return &clock{} }

// Now is the real time, as far ahead as the test went.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) Add(d time.Duration) { c.ahead.Add(int64(d)) }
