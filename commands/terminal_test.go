package commands

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata; go test ./commands -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func drawn(t *testing.T, colour bool, draw func(Terminal) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := draw(Terminal{Out: &out, Colour: colour}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTerminalDrawsACard(t *testing.T) {
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		card := NewCard(report(), 30*time.Minute, words(t, lang))
		golden(t, "card."+string(lang)+".txt", drawn(t, false, func(t Terminal) error { return t.Card(card) }))
	}
}

func TestTerminalColoursSayNothingMore(t *testing.T) {
	card := NewCard(report(), 0, words(t, diagnostics.English))
	plain := drawn(t, false, func(t Terminal) error { return t.Card(card) })
	coloured := drawn(t, true, func(t Terminal) error { return t.Card(card) })
	if plain == coloured {
		t.Error("colour changes nothing")
	}
	for _, st := range []style{bold, dim, red, green, yellow, purple, cyan, plainly} {
		coloured = strings.ReplaceAll(coloured, string(st), "")
	}
	if diff := cmp.Diff(plain, coloured); diff != "" {
		t.Errorf("without its colours it differs (-plain +coloured):\n%s", diff)
	}
}

func TestTextFromOutsideDrivesNoTerminal(t *testing.T) {
	card := NewCard(report(), 0, words(t, diagnostics.English))
	if out := drawn(t, false, func(t Terminal) error { return t.Card(card) }); strings.ContainsAny(out, "\x1b\u202e") {
		t.Errorf("control characters pass:\n%q", out)
	}
}

func TestTerminalDrawsPages(t *testing.T) {
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		w := words(t, lang)
		for name, cmd := range map[string]Command{
			"checks": Checks{}, "check": Checks{Code: "KVS-001"}, "gate": Checks{Code: "VLT-001"},
			"explain": Explain{Code: "VLT-001"},
			"help":    Help{}, "help-diagnose": Help{Command: []string{"diagnose"}}, "version": Version{},
		} {
			page, err := Answer(cmd, fake{}, w, "tandem v1")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+string(lang)+".txt", drawn(t, false, func(t Terminal) error { return t.Page(page) }))
		}
	}
}

func TestHelpOfTheTerminalHasItsOwnCommands(t *testing.T) {
	page, err := HelpPage(nil, InTerminal, words(t, diagnostics.English))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "help-terminal.en.txt", drawn(t, false, func(t Terminal) error { return t.Page(page) }))
	page, err = HelpPage([]string{"catalog"}, InTerminal, words(t, diagnostics.English))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "help-catalog.en.txt", drawn(t, false, func(t Terminal) error { return t.Page(page) }))
}

func TestAnswerSaysWhatIsUnknown(t *testing.T) {
	w := words(t, diagnostics.English)
	for want, cmd := range map[string]Command{
		"There is no check KVS-999.\nDid you mean KVS-001?\nAll checks: /vault checks": Checks{Code: "KVS-999"},
		"I do not know the command \"diagnos\".\nDid you mean /vault diagnose?\nKnown commands: diagnose, explain, checks, logs, trace, metrics, runs, diff, fix, run, requests, approve, deny, cancel, audit, freeze, unfreeze, watch, unwatch, watches, suppress, unsuppress, help, whoami, version.\nHelp: /vault help": Help{Command: []string{"diagnos"}},
	} {
		_, err := Answer(cmd, fake{}, w, "")
		if text, _ := w.Explain(err); text != want {
			t.Errorf("got %q, want %q", text, want)
		}
	}
}

func TestResolve(t *testing.T) {
	service, opts, err := Resolve(fake{}, Diagnose{Service: "Worker", Since: Lookback(time.Hour), Check: []string{"VLT-001"}})
	if err != nil || service != "worker" || opts.Since != time.Hour || len(opts.Only) != 1 {
		t.Errorf("Resolve = %q, %+v, %v", service, opts, err)
	}
	if _, _, err := Resolve(fake{}, Diagnose{Service: "wroker"}); err == nil {
		t.Error("an unknown service resolves")
	}
	if _, _, err := Resolve(fake{}, Diagnose{Service: "worker", Check: []string{"VLT-002"}}); err == nil {
		t.Error("an unknown check resolves")
	}
}

func TestCardLeavesNoCheckOut(t *testing.T) {
	r := report()
	r.Verdict.Status, r.Verdict.Causes = diagnostics.Warn, []diagnostics.Cause{{Code: "PRM-001"}}
	card := NewCard(r, 0, words(t, diagnostics.English))
	if len(card.Checks) != len(r.Checks) || len(card.Warnings) != 0 || len(card.Causes) != 1 || card.Causes[0].Summary == "" {
		t.Errorf("card %+v", card)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		3*time.Millisecond + 400: "3ms", 1234 * time.Millisecond: "1.2s", 30 * time.Minute: "30m", 90 * time.Minute: "1h30m",
		time.Hour: "1h", 2*time.Minute + 5*time.Second: "2m5s", 10 * time.Second: "10s", 0: "0s", 24 * time.Hour: "24h",
	} {
		if got := Short(d); got != want {
			t.Errorf("Short(%v) = %s, want %s", d, got, want)
		}
	}
}
