package slack

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

func TestServicesIn(t *testing.T) {
	known := []string{"orchestrator", "service-registry", "worker", "worker-pool"}
	for text, want := range map[string][]string{
		"worker":                           {"worker"},
		"inc-123-worker-down":              {"worker"},
		"On call for the Worker, all day.": {"worker"},
		"service_registry":                 {"service-registry"},
		"worker-pool":                      {"worker-pool"},
		"workers":                          {},
		"coworker":                         {},
		"worker-and-orchestrator":          {"orchestrator", "worker"},
		"":                                 {},
		"incidents":                        {},
	} {
		if diff := cmp.Diff(want, servicesIn(text, known)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// sources are channels that say what they are about, each in another way.
func sources(o *Options, c *lab.Config) {
	o.Channels = map[string]string{"C0CONFIG01": "worker"}
	bot := "U0TANDEM01"
	c.Channels = []lab.Channel{
		{ID: incidents, Name: "incidents", Members: []string{bot, ana, bruno}},
		{ID: "C0CONFIG01", Name: "orchestrator-alerts", Members: []string{bot, ana, bruno}},
		{ID: "C0NAMED001", Name: "inc-service-registry", Topic: "worker", Members: []string{bot, ana, bruno}},
		{ID: "C0TOPIC001", Name: "on-call", Topic: "The orchestrator and who looks after it", Members: []string{bot, ana, bruno}},
		{ID: "C0BOTH0001", Name: "worker-vs-orchestrator", Members: []string{bot, ana, bruno}},
	}
}

func TestTheServiceIsTakenFromTheConversation(t *testing.T) {
	clock := newClock()
	w := open(t, finds(passReport()), sources, func(o *Options, _ *lab.Config) { o.Now = clock.Now })
	words := w.bot.vocabulary.Words(diagnostics.English, "/vault")
	expect := func(a ask, service, because string) {
		t.Helper()
		got, why, err := w.bot.subject(t.Context(), a, words)
		if got != service || why != because || (err == nil) != (service != "") {
			t.Errorf("%s %s: %q because %q, %v; want %q because %q", a.channel, a.thread, got, why, err, service, because)
		}
	}
	in := func(channel string) ask { return ask{origin: byMention, channel: channel, user: bruno} }
	expect(in("C0CONFIG01"), "worker", "the service of this channel")
	expect(in("C0NAMED001"), "service-registry", "the service that this channel is named after")
	expect(in("C0TOPIC001"), "orchestrator", "the service that this channel is named after")
	expect(in(incidents), "", "")

	w.say(bruno, incidents, "/vault diagnose worker")
	first := w.waitFor(bruno, incidents, "✅")
	expect(in(incidents), "worker", "the service diagnosed here last")
	w.say(bruno, incidents, "/vault diagnose orchestrator")
	w.eventually("both cards are there", func() bool { return len(w.messages(bruno, incidents)) == 2 })
	expect(in(incidents), "orchestrator", "the service diagnosed here last")
	thread := in(incidents)
	thread.thread = first.TS
	expect(thread, "worker", "the service of this thread")
	expect(in("C0BOTH0001"), "", "")

	clock.Add(recent)
	expect(in(incidents), "", "")
	expect(thread, "worker", "the service of this thread")
}

func TestALeftOutServiceIsSaidOrAskedFor(t *testing.T) {
	w := open(t, finds(passReport()), sources)
	w.say(bruno, "C0CONFIG01", "/vault diagnose --since 1h")
	w.waitFor(bruno, "C0CONFIG01", "✅", "the service of this channel")
	w.say(ana, incidents, "/vault diagnosticar")
	if m := w.waitFor(ana, incidents, "Qual serviço?", "orchestrator, service-registry, worker"); !m.Ephemeral {
		t.Error("everyone reads it")
	}
	w.say(bruno, "C0BOTH0001", "/vault diagnose")
	w.waitFor(bruno, "C0BOTH0001", "Which service?", "orchestrator")
}

func TestWithoutTheRightToReadChannelsTheRestGoesOn(t *testing.T) {
	w := open(t, finds(passReport()), sources, func(_ *Options, c *lab.Config) {
		c.Manifest, c.Scopes = nil, []string{"commands", "chat:write", "users:read"}
	})
	w.say(bruno, "C0NAMED001", "/vault diagnose")
	w.waitFor(bruno, "C0NAMED001", "Which service?")
	w.say(bruno, "C0NAMED001", "/vault diagnose worker")
	w.waitFor(bruno, "C0NAMED001", "✅")
	w.say(bruno, "C0NAMED001", "/vault diagnose --fresh")
	w.waitFor(bruno, "C0NAMED001", "the service diagnosed here last")
	if n := len(w.callsOf(methodChannelInfo)); n != 1 {
		t.Errorf("Slack was asked %d times though it refuses", n)
	}
}

func TestSubjectErrorIsForPeople(t *testing.T) {
	w := open(t, finds(passReport()), sources)
	_, _, err := w.bot.subject(t.Context(), ask{origin: byDirect, channel: "D0BRUNO001", user: bruno}, commands.Words{})
	var which *commands.WhichServiceError
	if !errors.As(err, &which) || len(w.callsOf(methodChannelInfo)) != 0 {
		t.Errorf("in a direct message: %v", err)
	}
}
