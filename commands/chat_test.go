package commands

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

func TestParseChatReadsWhatPeopleType(t *testing.T) {
	half := Lookback(30 * time.Minute)
	for text, want := range map[string]Command{
		"":                            Help{},
		"   ":                         Help{},
		"diagnose worker":             Diagnose{Service: "worker"},
		"Diagnose worker":             Diagnose{Service: "worker"},
		"`diagnose worker`":           Diagnose{Service: "worker"},
		"diagnose worker --since 30m": Diagnose{Service: "worker", Since: half},
		"diagnose worker —since 30m":  Diagnose{Service: "worker", Since: half},
		"diagnose —since=30m worker":  Diagnose{Service: "worker", Since: half},
		"diagnose “worker”":           Diagnose{Service: "worker"},
		"diagnose\u00a0worker\u200b":  Diagnose{Service: "worker"},
		"diagnose worker --check vlt-001,VLT-002":     Diagnose{Service: "worker", Check: []string{"VLT-001", "VLT-002"}},
		"diagnose worker -k vlt-001 --check spf-001":  Diagnose{Service: "worker", Check: []string{"VLT-001", "SPF-001"}},
		"diagnose <http://worker.local|worker.local>": Diagnose{Service: "worker.local"},
		"diagnose <@U123|worker>":                     Diagnose{Service: "@U123"},
		"diagnose 'a &amp; b'":                        Diagnose{Service: "a & b"},
		"diagnose":                                    Diagnose{},
		"diagnose --fresh":                            Diagnose{Fresh: true},
		"diagnose worker --fresh --since 30m":         Diagnose{Service: "worker", Since: half, Fresh: true},
		"diagnosticar worker":                         Diagnose{Service: "worker"},
		"Diagnosticar —since 30m":                     Diagnose{Since: half},
		"diagnose <#C12|worker>":                      Diagnose{Service: "#worker"},
		"diagnose \u202eworker\u202c":                 Diagnose{Service: "worker"},
		"diagnose wor\x00ker\x1b":                     Diagnose{Service: "worker"},
		"```diagnose worker```":                       Diagnose{Service: "worker"},
		"«diagnose» ‘worker’":                         Diagnose{Service: "worker"},
		"explain tok-002":                             Explain{Code: "TOK-002"},
		"explicar “TOK-002”":                          Explain{Code: "TOK-002"},
		"whoami":                                      WhoAmI{},
		"quemsou":                                     WhoAmI{},
		"WHOAMI":                                      WhoAmI{},
		"ajuda":                                       Help{},
		"ajuda diagnosticar":                          Help{Command: []string{"diagnosticar"}},
		"diagnosticar --help":                         Help{Command: []string{"diagnose"}},
		"verificações spf-001":                        Checks{Code: "SPF-001"},
		"versão":                                      Version{},
		"checks":                                      Checks{},
		"checks vlt-001":                              Checks{Code: "VLT-001"},
		"help":                                        Help{},
		"help diagnose":                               Help{Command: []string{"diagnose"}},
		"diagnose --help":                             Help{Command: []string{"diagnose"}},
		"-h":                                          Help{},
		"version":                                     Version{},
		"fix kvs-002 worker":                          Fix{What: "KVS-002", Service: "worker"},
		"corrigir KV-Undelete":                        Fix{What: "kv-undelete"},
		"fix kv-undelete worker --reason 'it is; gone' --dry-run --break-glass": Fix{What: "kv-undelete", Service: "worker", Reason: "it is; gone", DryRun: true, BreakGlass: true},
		"fix kv-undelete —param path=a/b —param versions=3,4":                   Fix{What: "kv-undelete", Param: []Param{{"path", "a/b"}, {"versions", "3,4"}}},
		"run end-to-end":                Procedure{Name: "end-to-end"},
		"executar spire-entries worker": Procedure{Name: "spire-entries", Service: "worker"},
		"requests":                      Requests{},
		"pedidos pendentes":             Requests{Which: PendingRequests},
		"requests Mine":                 Requests{Which: MyRequests},
		"requests 7h3k":                 Requests{Which: "7h3k"},
		"approve 7h3k":                  Approve{ID: "7h3k"},
		"aprovar 7h3k --reason “looks right”": Approve{ID: "7h3k", Reason: "looks right"},
		"deny 7h3k":                             Deny{ID: "7h3k"},
		"deny 7h3k don't; it's (not) --reason":  Deny{ID: "7h3k", Words: []string{"don't;", "it's", "(not)", "--reason"}},
		"negar 7h3k “not now”":                  Deny{ID: "7h3k", Words: []string{"not", "now"}},
		"deny --help":                           Help{Command: []string{"deny"}},
		"cancel 7h3k - wrong service":           Cancel{ID: "7h3k", Words: []string{"-", "wrong", "service"}},
		"audit 7h3k":                            Audit{ID: "7h3k"},
		"freeze":                                Freeze{},
		"congelar worker --reason deploy":       Freeze{Target: "worker", Reason: "deploy"},
		"unfreeze vault:secret/orchestrator/db": Unfreeze{Target: "vault:secret/orchestrator/db"},
	} {
		got, err := ParseChat(text)
		if err != nil {
			t.Errorf("ParseChat(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseChat(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseChatSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]UsageError{
		"diagnos worker":             {Kind: UnknownCommand, Word: "diagnos", Nearest: "diagnose"},
		"frobnicate":                 {Kind: UnknownCommand, Word: "frobnicate"},
		"explain":                    {Kind: MissingArgument, Path: []string{"explain"}, Word: "code"},
		"ajdua":                      {Kind: UnknownCommand, Word: "ajdua", Nearest: "ajuda"},
		"diagnosticar w --sinze 3m":  {Kind: UnknownFlag, Path: []string{"diagnose"}, Flag: "--sinze", Nearest: "--since"},
		"diagnose worker --sinze 3m": {Kind: UnknownFlag, Path: []string{"diagnose"}, Flag: "--sinze", Nearest: "--since"},
		"diagnose worker --since":    {Kind: MissingValue, Path: []string{"diagnose"}, Flag: "--since"},
		"diagnose worker --since 3":  {Kind: BadDuration, Path: []string{"diagnose"}, Flag: "--since", Word: "3"},
		"diagnose worker --since 0s": {Kind: BadDuration, Path: []string{"diagnose"}, Flag: "--since", Word: "0s"},
		"diagnose worker --since=1y": {Kind: BadDuration, Path: []string{"diagnose"}, Flag: "--since", Word: "1y"},
		"diagnose worker too many":   {Kind: ExtraArgument, Path: []string{"diagnose"}, Word: "too"},
		"diagnose 'worker":           {Kind: BadQuotes},
		"diagnose worker; rm":        {Kind: BadCharacter, Word: ";"},
		"diagnose worker -o json":    {Kind: UnknownFlag, Path: []string{"diagnose"}, Flag: "-o"},
		"run":                        {Kind: MissingArgument, Path: []string{"run"}, Word: "procedure"},
		"config":                     {Kind: UnknownCommand, Word: "config"},
		"deny":                       {Kind: MissingArgument, Path: []string{"deny"}, Word: "id"},
		"deny --reasn":               {Kind: UnknownFlag, Path: []string{"deny"}, Flag: "--reasn"},
		"fix worker --param path":    {Kind: BadParam, Path: []string{"fix"}, Flag: "--param", Word: "path"},
		"fix worker --param =x":      {Kind: BadParam, Path: []string{"fix"}, Flag: "--param", Word: "=x"},
		"policy vault":               {Kind: UnknownCommand, Word: "policy"},
		strings.Repeat("x", 40_001):  {Kind: TooLong},
	} {
		_, err := ParseChat(text)
		var got *UsageError
		if !errors.As(err, &got) {
			t.Errorf("ParseChat(%.40q) gave %v, want %v", text, err, want)
			continue
		}
		got.Choices, got.Words = nil, nil
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("ParseChat(%.40q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestGuessMakesTheCommandThatWasMeant(t *testing.T) {
	services := []string{"orchestrator", "worker"}
	for text, want := range map[string]string{
		"worker":                           "diagnose worker",
		"Worker --since 3m":                "diagnose worker --since 3m",
		"worker --since 3m -k vlt-001":     "diagnose worker --since 3m -k vlt-001",
		"worker --sinze 3m":                "diagnose worker",
		"worker now":                       "diagnose worker",
		"worker --check 'a b'":             "diagnose worker",
		"wroker":                           "diagnose worker",
		"spf-003":                          "explain SPF-003",
		"SPF-003 now":                      "explain SPF-003",
		"diagnose worker now":              "diagnose worker",
		"diagnose worker spf-003":          "diagnose worker --check SPF-003",
		"diagnose worker 30m":              "diagnose worker --since 30m",
		"diagnosticar worker --fresh 900h": "diagnose worker --fresh",
		"checks SPF-001 SPF-002":           "checks SPF-001",
		"diagnos":                          "", // the nearest command is guessed already
		"frobnicate":                       "",
		"diagnose 'worker":                 "",
		"version worker":                   "version",
	} {
		_, err := ParseChat(text)
		var usage *UsageError
		if !errors.As(Guess(err, services), &usage) || usage.Meant != want {
			t.Errorf("%q: guessed %q, want %q", text, usage.Meant, want)
		}
	}
}

func TestWrongWordsGetTheNearestRightOnes(t *testing.T) {
	w := words(t, diagnostics.English)
	for text, want := range map[string]string{
		"worker":              "Did you mean /vault diagnose worker?",
		"SPF-003":             "Did you mean /vault explain SPF-003?",
		"diagnose worker now": "Did you mean /vault diagnose worker?",
		"diagnos":             "Did you mean /vault diagnose?",
	} {
		_, err := ParseChat(text)
		if got, _ := w.Explain(Guess(err, []string{"orchestrator", "worker"})); !strings.Contains(got, want) {
			t.Errorf("%q: %q does not say %q", text, got, want)
		}
	}
}
