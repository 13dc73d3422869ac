package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// weather changes the workspace's weather.
func (w *workspace) weather(f lab.Faults) {
	w.t.Helper()
	if got := w.SetFaults(f); got.Error != "" {
		w.t.Fatalf("change the weather: %s", got.Error)
	}
}

// heldBack is a diagnoser whose runs end when the channel is closed.
func heldBack(release <-chan struct{}, report diagnostics.Report) *fake {
	return &fake{diagnose: func(ctx context.Context, _ commands.Options) (diagnostics.Report, error) {
		select {
		case <-release:
			return report, nil
		case <-ctx.Done():
			return diagnostics.Report{}, ctx.Err()
		}
	}}
}

func TestAnOutageOfSlackEnds(t *testing.T) {
	release := make(chan struct{})
	w := open(t, heldBack(release, failReport()))
	w.say(bruno, incidents, "/vault diagnose worker")
	placeholder := w.waitFor(bruno, incidents, "Diagnosing worker …")
	w.weather(lab.Faults{Down: true})
	w.eventually("the bot is not ready", func() bool { return w.bot.Ready() != nil })
	close(release) // it has its verdict while nobody can be told
	w.eventually("it tried to connect again", func() bool { return strings.Count(w.logs.String(), "no connection to slack") > 3 })
	w.weather(lab.Faults{})
	card := w.waitFor(bruno, incidents, "❌ worker: failing")
	if card.TS != placeholder.TS {
		t.Error("the verdict is in another message than the placeholder")
	}
	w.eventually("the bot is ready", func() bool { return w.bot.Ready() == nil })
	w.say(bruno, incidents, "/vault version")
	w.waitFor(bruno, incidents, "tandem v1.2.3")
	if n := len(w.messages(ana, incidents)); n != 1 {
		t.Errorf("%d messages in the channel, want the card alone", n)
	}
}

func TestARefreshLosesAndDoublesNothing(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, c *lab.Config) {
		c.ConnectionLife = "2200ms"
		o.PerMinute = 1000
	})
	opened := func() int { return len(w.callsOf(methodOpen)) }
	asked := 0
	for before := opened(); opened() < before+6; asked++ {
		w.say(bruno, incidents, "/vault version") // fails the test when it is not acknowledged
	}
	w.eventually("each is answered once", func() bool { return len(w.messages(bruno, incidents)) == asked })
}

func TestAnEventThatComesTwiceActsOnce(t *testing.T) {
	for name, fate := range map[string]lab.EventFaults{
		"under the same id": {Repeat: 1}, "under a new id": {Duplicate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, finds(passReport()))
			w.weather(lab.Faults{Events: fate})
			w.say(bruno, incidents, "<@U0TANDEM01> version")
			w.say(bruno, incidents, "<@U0TANDEM01> help") // comes after both
			w.waitFor(bruno, incidents, "tandem v1.2.3")
			w.waitFor(bruno, incidents, "Commands")
			count := 0
			for _, m := range w.messages(bruno, incidents) {
				if strings.Contains(m.Text, "tandem v1.2.3") {
					count++
				}
			}
			if count != 1 {
				t.Errorf("answered %d times", count)
			}
		})
	}
}

func TestEveryMethodMayAskForPatience(t *testing.T) {
	w := open(t, finds(failReport()))
	var faults []lab.MethodFault
	for _, method := range []string{methodPostMessage, methodUpdate, methodUsersInfo, methodEphemeral, methodResponseURL, methodUpload} {
		faults = append(faults, lab.MethodFault{Method: method, Status: 429, RetryAfter: 1, Times: 1})
	}
	w.weather(lab.Faults{Methods: faults})
	w.say(bruno, incidents, "<@U0TANDEM01> diagnose worker")
	card := w.waitFor(bruno, incidents, "❌ worker: failing")
	w.eventually("the evidence is there", func() bool { return len(w.replies(incidents, card.TS)) > 0 })
	w.say(bruno, incidents, "/vault version")
	w.waitFor(bruno, incidents, "tandem v1.2.3")
	w.say(bruno, incidents, "<@U0TANDEM01> version")
	w.eventually("the second version is there", func() bool {
		return strings.Count(fmt.Sprint(w.messages(bruno, incidents)), "tandem v1.2.3") >= 2
	})
}

func TestABurstOfOnePersonStarvesNobody(t *testing.T) {
	release := make(chan struct{})
	w := open(t, heldBack(release, passReport()), func(o *Options, _ *lab.Config) { o.Width = 8 })
	var burst sync.WaitGroup
	for i := range 500 {
		burst.Go(func() { w.say(bruno, incidents, fmt.Sprintf("/vault diagnose worker --since %dm", 5+i%100)) })
	}
	w.say(ana, incidents, "/vault version")
	w.waitFor(ana, incidents, "tandem v1.2.3")
	burst.Wait()
	w.waitFor(bruno, incidents, "You ask faster than I answer")
	close(release)
	w.eventually("what was taken is answered", func() bool {
		for _, m := range w.messages(ana, incidents) {
			if strings.Contains(m.Text, "⏳") {
				return false
			}
		}
		return true
	})
	for _, m := range w.messages(ana, incidents) {
		if strings.Contains(m.Text, "You ask faster") || strings.Contains(read(m), "Você pergunta mais") {
			t.Errorf("ana reads what bruno is refused: %q", m.Text)
		}
	}
}

func TestAShortBurstOfManyIsAnswered(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Width = 2 })
	var burst sync.WaitGroup
	for _, user := range []string{ana, bruno, "U0CARLA001"} {
		for range 4 {
			burst.Go(func() { w.say(user, incidents, "/vault version") })
		}
	}
	burst.Wait()
	for _, user := range []string{ana, bruno, "U0CARLA001"} {
		w.eventually(user+" has four answers", func() bool {
			return strings.Count(fmt.Sprint(w.messages(user, incidents)), "tandem v1.2.3") >= 4
		})
	}
}

func TestWhoWaitsInVainIsTold(t *testing.T) {
	release := make(chan struct{})
	w := open(t, heldBack(release, passReport()), func(o *Options, _ *lab.Config) { o.Width, o.Patience = 1, 20*time.Millisecond })
	w.say(bruno, incidents, "/vault diagnose worker")
	w.waitFor(bruno, incidents, "Diagnosing worker …")
	w.say(ana, incidents, "<@U0TANDEM01> version")
	if m := w.waitFor(ana, incidents, "Ask again in a minute"); m.VisibleTo != ana {
		t.Errorf("%q reads it", m.VisibleTo)
	}
	close(release)
	w.waitFor(bruno, incidents, "✅ orchestrator: ok")
}

func TestWhatIsNoQuestionIsLeftAlone(t *testing.T) {
	w := open(t, finds(passReport()))
	event := func(fields map[string]any) {
		t.Helper()
		for key, value := range map[string]any{"channel": incidents, "ts": "1700000000.000100", "text": "<@U0TANDEM01> version"} {
			if fields[key] == nil {
				fields[key] = value
			}
		}
		if got := w.Event(lab.RawEvent{Event: fields}); got.Error != "" {
			t.Errorf("%v: %s", fields, got.Error)
		}
	}
	event(map[string]any{"type": "an_event_of_tomorrow", "user": map[string]any{"id": bruno}})
	event(map[string]any{"type": "app_mention", "user": "U0DEPLOYB1", "bot_id": "B0DEPLOYB1"})
	event(map[string]any{"type": "app_mention", "user": "U0TANDEM01"})
	event(map[string]any{"type": "app_mention", "user": bruno, "edited": map[string]any{"user": bruno, "ts": "1700000000.000200"}})
	event(map[string]any{"type": "message", "channel_type": "im", "subtype": "message_changed", "message": map[string]any{"user": bruno, "text": "version"}})
	event(map[string]any{"type": "message", "channel_type": "channel", "user": bruno})
	event(map[string]any{"type": "message", "channel_type": "im", "user": bruno, "subtype": "message_deleted"})
	event(map[string]any{"type": "member_joined_channel", "user": bruno})
	w.say(bruno, incidents, "<@U0TANDEM01> help")
	w.waitFor(bruno, incidents, "Commands")
	if all := w.transcript(); strings.Contains(all, "tandem v1.2.3") {
		t.Errorf("it answered what was no question:\n%s", all)
	}
}

func TestTheBotSaysHelloWhereItIsInvited(t *testing.T) {
	w := open(t, finds(passReport()))
	if got := w.Member(lab.Member{Action: "join", User: "U0TANDEM01", Channel: general}); got.Error != "" {
		t.Fatal(got.Error)
	}
	w.waitFor(bruno, general, "/vault diagnose SERVICE")
}

func TestABotThatIsShutOutIsNotReady(t *testing.T) {
	t.Run("uninstalled", func(t *testing.T) {
		w := open(t, finds(passReport()))
		w.Event(lab.RawEvent{Event: map[string]any{"type": "app_uninstalled"}})
		w.eventually("it is not ready", func() bool { return errors.Is(w.bot.Ready(), errShutOut) })
	})
	t.Run("Socket Mode turned off", func(t *testing.T) {
		w := open(t, finds(passReport()))
		w.weather(lab.Faults{Methods: []lab.MethodFault{{Method: methodOpen, Error: "internal_error"}}})
		w.Socket(lab.SocketAction{Action: "link_disabled"})
		w.eventually("it is not ready", func() bool { return errors.Is(w.bot.Ready(), errSocketOff) })
		w.weather(lab.Faults{})
		w.eventually("it is ready when it is turned on", func() bool { return w.bot.Ready() == nil })
	})
	t.Run("token revoked", func(t *testing.T) {
		w := open(t, finds(passReport()))
		w.Token(lab.TokenChange{State: "revoked"})
		w.say(bruno, incidents, "/vault diagnose worker")
		w.eventually("it is told of that", func() bool { return strings.Contains(w.logs.String(), "tokens_revoked") })
		w.waitFor(bruno, incidents, "Slack does not let me in any more")
		if err := w.bot.Ready(); !errors.Is(err, errShutOut) {
			t.Errorf("Ready = %v", err)
		}
		w.Token(lab.TokenChange{State: "ok"})
		w.say(ana, incidents, "/vault version")
		w.eventually("it is ready again", func() bool { return w.bot.Ready() == nil })
	})
}

func TestTextThatPretends(t *testing.T) {
	w := open(t, finds(passReport()))
	for _, text := range []string{
		"/vault " + strings.Repeat("ä", 20_000),
		"/vault \u202ediagnose\u202c \u0000\u0007worker\u200f extra",
		"/vault diagnose <!channel> <!subteam^S0SRE00001> ✅ *worker: ok*",
		"/vault ```diagnose``` &lt;!here&gt;",
		"<@U0TANDEM01> diagnose <!everyone> ✅ *worker: ok*",
	} {
		before := len(w.messages(bruno, incidents))
		w.say(bruno, incidents, text)
		w.eventually("an answer", func() bool {
			all := w.messages(bruno, incidents)
			return len(all) > before && all[len(all)-1].User != bruno
		})
		all := w.messages(bruno, incidents)
		answer := all[len(all)-1]
		if said := read(answer); !answer.Ephemeral || strings.Contains(said, "<!") || strings.Contains(said, "*worker: ok*") || strings.ContainsAny(said, "\u202e\x00\x07") {
			t.Errorf("%.40q is answered with %.300q for %q", text, said, answer.VisibleTo)
		}
	}
}

// TestACardThatSlackTookSilentlyIsFinished holds that a placeholder which stands
// in the channel, though Slack did not say so, becomes the verdict.
func TestACardThatSlackTookSilentlyIsFinished(t *testing.T) {
	w := open(t, finds(failReport()))
	w.say(ana, incidents, "the worker is down")
	for _, thread := range []string{"", w.messages(ana, incidents)[0].TS} {
		w.weather(lab.Faults{Methods: []lab.MethodFault{{Method: methodPostMessage, Status: 503, Times: 1, AfterEffect: true}}})
		w.Say(lab.Said{User: bruno, Channel: incidents, ThreadTS: thread, Text: "<@U0TANDEM01> diagnose worker --fresh"})
		if thread == "" {
			w.waitFor(bruno, incidents, "❌ worker: failing")
		} else {
			w.waitInThread(incidents, thread, "❌ worker: failing")
		}
	}
	if all := w.transcript(); strings.Contains(all, "Diagnosing") || strings.Contains(all, "Slack did not take") {
		t.Errorf("a card is not finished, or called lost:\n%s", all)
	}
}

// TestWhoAskedIsToldHoweverSlackStumbles holds that a private answer gets through
// when the line is cut under it, or Slack is broken for a moment.
func TestWhoAskedIsToldHoweverSlackStumbles(t *testing.T) {
	for name, fault := range map[string]lab.MethodFault{
		"cut": {Drop: true, Times: 2}, "broken": {Status: 503, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, finds(passReport()))
			answer, card, private := fault, fault, fault
			answer.Method, card.Method, private.Method = methodResponseURL, methodPostMessage, methodEphemeral
			card.Times = 1
			w.weather(lab.Faults{Methods: []lab.MethodFault{answer, card, private}})
			w.say(bruno, incidents, "/vault diagnose worker")
			w.waitFor(bruno, incidents, "Slack did not take my answer")
			w.say(bruno, incidents, "<@U0TANDEM01> version")
			w.waitFor(bruno, incidents, "tandem v1.2.3")
		})
	}
}
