package commands

import (
	"strings"
	"testing"

	"tandem/approvals"
	"tandem/diagnostics"
)

func TestRefusalsSayWhyWhoAndTheNextStep(t *testing.T) {
	for lang, want := range map[diagnostics.Lang]string{
		diagnostics.English: "You asked for this, so somebody else has to decide. That holds for every account of yours, and for everybody.\n" +
			"Who can: @sre.\nAsk a colleague to look at the card.",
		diagnostics.Portuguese: "Foi você quem pediu, então outra pessoa precisa decidir. Vale para todas as suas contas, e para todo mundo.\n" +
			"Quem pode: @sre.\nPeça a um colega para olhar o card.",
	} {
		if got := words(t, lang).Refused(&approvals.Refusal{Why: approvals.WhyOwnRequest}, "@sre"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestRefusalsTellTheirDetail(t *testing.T) {
	w := words(t, diagnostics.Portuguese)
	for detail, r := range map[string]approvals.Refusal{
		"(rodando)":    {Why: approvals.WhyNotPending, Detail: both("executing", "executing")},
		"(falta path)": {Why: approvals.WhyParameters, Detail: both("path is missing", "falta \u202epath")},
		"está errado.\nDetalhe técnico: `no 'role' is called x`\nInforme": {Why: approvals.WhyParameters, Detail: diagnostics.Text{EN: "no `role` is\u202e called x"}},
	} {
		if got := w.Refused(&r, ""); !strings.Contains(got, detail) || strings.Contains(got, "Quem pode") {
			t.Errorf("%q is not in %q", detail, got)
		}
	}
}
