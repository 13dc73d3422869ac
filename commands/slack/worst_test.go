package slack

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// wildText is text that grows when it is escaped, counts double, turns the
// direction of writing, formats or calls people.
func wildText(r *rand.Rand) string {
	pieces := []string{
		"a", " ", "\n", "&<>", "😀", "𝔘", "שלום", "\u202e", "\u200f", "*b*", "_i_", "~s~", "`c`", "```", ":sa:", "> q", "<!here>",
		"<@U0ANA00001>", "\x00", "\t", "http://x/?a=b&c", "|", "ç", "\xff", "{{.N}}", strings.Repeat("long ", 50), strings.Repeat("😀", 60),
	}
	var b strings.Builder
	for range r.IntN(80) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// wildReport is a report of anything in any state.
func wildReport(r *rand.Rand) diagnostics.Report {
	text := func() diagnostics.Text { return both(wildText(r), wildText(r)) }
	states := []diagnostics.Status{diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown, diagnostics.Skipped, diagnostics.Pass}
	report := diagnostics.Report{Target: wildText(r), At: noon, Took: time.Second}
	report.Verdict = diagnostics.Verdict{Status: states[r.IntN(len(states))], Headline: text()}
	for i := range r.IntN(300) {
		c := diagnostics.Result{Code: fmt.Sprintf("C%02d-%03d", r.IntN(40), i), Title: text(), Summary: text(), Status: states[r.IntN(len(states))]}
		for range r.IntN(4) {
			c.Evidence = append(c.Evidence, evidence(wildText(r), wildText(r), wildText(r)))
		}
		if c.Status == diagnostics.Unknown {
			c.Blind = &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: wildText(r), Next: text()}
		}
		if c.Status == diagnostics.Fail && r.IntN(3) == 0 {
			report.Verdict.Causes = append(report.Verdict.Causes, diagnostics.Cause{Code: c.Code, Title: c.Title, Remedy: text()})
		}
		report.Checks = append(report.Checks, c)
	}
	return report
}

func TestSlackTakesWhateverIsDrawn(t *testing.T) {
	w := open(t, finds(passReport()))
	thread, err := w.bot.web.post(t.Context(), incidents, "", drawNotice("!", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		words := wordsIn(t, []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese}[seed%2])
		card := commands.NewCard(wildReport(r), time.Hour, words)
		notes := cardNotes{asker: ana, joined: []string{bruno, ana}, run: "K7PQ2M4X", origin: "x", depth: true, again: "diagnose " + quoted(card.Target)}
		messages, _ := drawEvidence(card, words)
		messages = append(messages, drawCard(card, notes, words))
		messages = append(messages, drawPage(commands.FixPage(card, nil, words), words)...)
		for i, m := range messages {
			checkLimits(t, m)
			if err := w.bot.web.update(t.Context(), incidents, thread, m); err != nil {
				t.Errorf("seed %d, message %d: %v %v", seed, i, err, details(err))
			}
		}
		if err := w.bot.web.upload(t.Context(), incidents, thread, evidenceFile(card, "K7PQ2M4X", words)); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// many is a diagnoser of many services.
type many struct {
	*fake
	services []string
}

func (m many) Services() []string { return m.services }

func manyServices(n int, long bool) []string {
	var services []string
	for i := range n {
		name := fmt.Sprintf("service-%03d", i)
		if long {
			name += strings.Repeat("😀 &", 100)
		}
		services = append(services, name)
	}
	return services
}

func TestHomeHoldsHundredsOfServices(t *testing.T) {
	for _, long := range []bool{false, true} {
		w := open(t, many{finds(hugeReport(20)), manyServices(300, long)})
		for _, service := range w.bot.opts.Diagnoser.Services()[:30] {
			run, _ := w.bot.desk.Take(newRef(), commands.Question{Service: service})
			w.bot.desk.Start(t.Context(), run)
			<-run.Done()
		}
		w.Home(lab.OpenHome{User: bruno})
		w.eventually("the Home tab is there", func() bool { return len(w.State("").Homes[bruno].Blocks) > maxServices })
		if text := read(lab.Message{Blocks: w.State("").Homes[bruno].Blocks}); !long && !strings.Contains(text, "service-250") {
			t.Error("a service is not named")
		}
	}
}

func TestTheModalHoldsAnyNumberOfServices(t *testing.T) {
	for _, services := range [][]string{nil, manyServices(1, false), manyServices(100, false), manyServices(101, false), manyServices(3, true)} {
		w := open(t, many{finds(passReport()), services})
		w.say(bruno, incidents, "something is down")
		alert := w.waitFor(bruno, incidents, "is down")
		w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose})
		w.eventually("a modal is open", func() bool { return len(w.State(bruno).Views) == 1 })
	}
}

func TestTheModalSaysWhatIsWrongAtTheField(t *testing.T) {
	w := open(t, many{finds(passReport()), manyServices(101, false)})
	w.say(bruno, incidents, "something is down")
	alert := w.waitFor(bruno, incidents, "is down")
	w.Shortcut(lab.UseShortcut{User: bruno, Channel: incidents, TS: alert.TS, CallbackID: ShortcutDiagnose})
	w.eventually("a modal is open", func() bool { return len(w.State(bruno).Views) == 1 })
	got := w.Submit(lab.Submit{User: bruno, ViewID: w.State(bruno).Views[0].ID, Values: map[string]map[string]any{
		blockService: {blockService: "servise-001"},
	}})
	if text := got.Errors[blockService]; !containsAll(text, []string{"servise-001", "service-001"}) || len(w.State(bruno).Views) != 1 {
		t.Errorf("the modal says %+v, want the nearest service at the field", got)
	}
}
