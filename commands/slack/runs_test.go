package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// lost is a database that is away, or breaks whoever asks it.
type lost struct{ panics bool }

var errLost = errors.New("PostgreSQL: it is starting up or shutting down (SQLSTATE 57P03)")

func (l lost) SaveRun(context.Context, diagnostics.Run) (string, error) {
	if l.panics {
		panic("a shelf fell")
	}
	return "", errLost
}

func (lost) FindRun(context.Context, string) (diagnostics.Run, error) {
	return diagnostics.Run{}, errLost
}

func (lost) ListRuns(context.Context, string, int) ([]diagnostics.RunInfo, error) {
	return nil, errLost
}

// A verdict is told whatever becomes of keeping it.
func TestALostDatabaseHarmsNoDiagnosis(t *testing.T) {
	for name, runs := range map[string]commands.Runs{"away": lost{}, "broken": lost{panics: true}} {
		t.Run(name, func(t *testing.T) {
			w := open(t, finds(failReport()), func(o *Options, _ *lab.Config) { o.Runs = runs })
			w.say(bruno, incidents, "/vault diagnose worker")
			w.eventually("the verdict is there", func() bool {
				cards := w.messages("", incidents)
				return len(cards) > 0 && strings.Contains(render(cards[0]), "renew")
			})
			if card := render(w.messages("", incidents)[0]); strings.Contains(card, "kept") || !strings.Contains(card, "run ") {
				t.Errorf("the card says:\n%s", card)
			}
		})
	}
}

// What is kept nobody can tell then, and no words of the driver are lost.
func TestALostDatabaseIsSaid(t *testing.T) {
	for _, command := range []string{"runs", "diff"} {
		w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Runs = lost{} })
		w.say(bruno, incidents, "/vault "+command+" worker")
		w.eventually(command+" says so", func() bool {
			answers := w.messages(bruno, incidents)
			return len(answers) > 0 && strings.Contains(render(answers[0]), "does not answer, so nobody can tell") &&
				strings.Contains(render(answers[0]), "57P03")
		})
	}
}

// full is a database whose runs have nothing in common, and all that can be long.
type full struct{ lost }

func (full) ListRuns(context.Context, string, int) ([]diagnostics.RunInfo, error) {
	var all []diagnostics.RunInfo
	for i := range 40 {
		run := diagnostics.RunInfo{ID: fmt.Sprintf("%09d", i), At: noon.Add(-time.Duration(i) * time.Minute), Whole: true, Who: "U0BRUNO001"}
		for range 200 {
			run.Causes = append(run.Causes, "VLT-001<!channel>")
		}
		all = append(all, run)
	}
	return all, nil
}

func (full) FindRun(_ context.Context, id string) (diagnostics.Run, error) {
	r := diagnostics.Report{Target: "worker", At: noon, Verdict: diagnostics.Verdict{Status: diagnostics.Fail}}
	for i := range 300 {
		long := both(strings.Repeat("a&<>😀*_`: <!channel>", 200), strings.Repeat("ç", 4000))
		c := diagnostics.Result{Code: fmt.Sprintf("VLT-%03d", i), Title: long, Summary: long, Status: diagnostics.Fail}
		if id == "000000000" {
			c.Status = []diagnostics.Status{diagnostics.Pass, diagnostics.Unknown, diagnostics.Warn}[i%3]
		}
		r.Checks = append(r.Checks, c)
	}
	return diagnostics.NewRun(r, diagnostics.FromSlack, time.Hour, true), nil
}

// The worst that can have changed keeps to Slack's limits: the emulator refuses
// what does not.
func TestWorstDifferenceIsShown(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Runs = full{} })
	w.say(bruno, incidents, "/vault diff worker")
	w.eventually("the file is there", func() bool {
		cards := w.messages("", incidents)
		return len(cards) == 1 && len(w.replies(incidents, cards[0].TS)) == 1
	})
	card := render(w.messages("", incidents)[0])
	for _, said := range []string{"worker: still failing", "Causes that went", "all of it as a file"} {
		if !strings.Contains(card, said) {
			t.Errorf("the card does not say %q:\n%s", said, card)
		}
	}
	w.say(bruno, incidents, "/vault runs worker")
	w.eventually("the list is there", func() bool {
		for _, m := range w.messages(bruno, incidents) {
			if strings.Contains(render(m), "There are more: these are the latest 25") {
				return true
			}
		}
		return false
	})
}
