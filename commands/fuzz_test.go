package commands

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"tandem/diagnostics"
)

// FuzzParse holds that whatever people write is either a command or an error
// with words and a next step.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "diagnose worker --since 30m", "diagnose “worker” —check vlt-001,VLT-002", "help diagnose", "checks VLT-001",
		"diagnose <http://x|y> <@U1|n> <#C1|g> <!here>", "diagnose 'a", "a;b", "$(x)", "--help", "diagnose --since", "-", "--", "diagnose -- -x",
		"diagnose -k", "diagnose worker -kVLT-001", "checks a b", "&lt;&amp;", "diagnose --check=", "diagnose --=x",
		"worker", "spf-003", "diagnose worker now", "diagnose worker 30m spf-001", "explicar TOK-002", "ajuda diagnosticar", "whoami x",
		"\u202ediagnose\u202c worker", "diagnose \x00\x1b[2Jworker", "\u2066\u2069", "diagnose <https://worker|worker> --fresh", "# *bold* ~x~",
	} {
		f.Add(text)
	}
	vocab, err := NewVocabulary()
	if err != nil {
		f.Fatal(err)
	}
	w := vocab.Words(diagnostics.English, "/vault")
	f.Fuzz(func(t *testing.T, text string) {
		cmd, err := ParseChat(text)
		if (cmd == nil) == (err == nil) {
			t.Fatalf("ParseChat(%q) = %v, %v", text, cmd, err)
		}
		var usage *UsageError
		if err != nil && !errors.As(err, &usage) {
			t.Fatalf("ParseChat(%q): an error of another kind: %v", text, err)
		}
		err = Guess(err, []string{"orchestrator", "worker"})
		if usage != nil && usage.Meant != "" {
			if _, err := ParseChat(usage.Meant); err != nil && !strings.ContainsAny(text, "'\"\\") {
				t.Errorf("%q: the guess %q is none: %v", text, usage.Meant, err)
			}
		}
		if words, known := w.Explain(err); err != nil && (!known || words == "") {
			t.Errorf("no words for %v", err)
		}
		if d, ok := cmd.(Diagnose); ok && (d.Since < 0 || strings.ContainsAny(d.Service, "\n\x1b")) {
			t.Errorf("ParseChat(%q) = %+v", text, d)
		}
		if utf8.ValidString(text) {
			if _, _, err := ParseTerminal(strings.Fields(text)); err != nil && !errors.As(err, &usage) {
				t.Errorf("ParseTerminal(%q): %v", text, err)
			}
		}
	})
}
