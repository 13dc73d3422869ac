package commands

import (
	"context"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
)

func TestExplainPageSaysWhatWasSeen(t *testing.T) {
	check := CheckInfo{
		Code: "TOK-002", Row: 3, Title: both("The token may renew itself", "O token pode se renovar"), Needs: []string{"TOK-001"},
		Outcomes: []Outcome{
			{
				When: "token.x", Status: diagnostics.Fail, Summary: both("policies ${token.policies} lack it", "falta a ${token.policies}"),
				Remedy: both("Add it for ${service.name} at ${service.login.mount}, ${a.filter(x, x > 1)} times", "Inclua para ${service.name}"),
			},
			{Status: diagnostics.Pass, Summary: both("fine", "certo")},
		},
		Doc: CheckDoc{Meaning: both("It renews.", "Renova."), Diagnosis: both("Look.", "Olhe."), Mitigation: both("Edit it.", "Edite.")}, Command: "vault token lookup",
	}
	seen := []Seen{
		{Service: "worker", Ago: 3 * time.Minute, Status: diagnostics.Fail, Summary: both("no\x1b policy", "sem política")},
		{Service: "orchestrator", Ago: time.Hour, Status: diagnostics.Skipped, Because: []string{"VLT-001"}},
	}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		text := drawn(t, false, func(term Terminal) error { return term.Page(ExplainPage(check, seen, words(t, lang))) })
		golden(t, "explain-seen."+string(lang)+".txt", text)
		if strings.ContainsAny(text, "$\x1b") {
			t.Errorf("the page shows code:\n%s", text)
		}
	}
}

func TestWithoutExpressions(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "${service.name} stops": "<service> stops", "as ${service.peer.name}": "as <peer name>",
		"${logs.last.status_code}": "<status code>", "${size(x) + 1} of ${y}": "… of …", "$5 and {x}": "$5 and {x}",
	} {
		if got := withoutExpressions(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// scripted answers each service with a report of its own.
type scripted struct {
	fake
	at  time.Time
	err error
}

func (s scripted) Diagnose(_ context.Context, service string, _ Options) (diagnostics.Report, error) {
	return diagnostics.Report{Target: service, At: s.at, Checks: []diagnostics.Result{
		{Code: "VLT-001", Status: diagnostics.Fail, Summary: both("of "+service, "de "+service)},
	}}, s.err
}

func TestSeenIsTheLastOfEachService(t *testing.T) {
	now := noon
	d := &scripted{}
	desk := NewDesk(d, DeskOptions{Join: -1, Now: func() time.Time { return now }})
	ask := func(service string, err error) {
		d.at, d.err = now, err
		run, _ := desk.Take(service+now.String(), Question{Service: service})
		desk.Start(t.Context(), run)
		<-run.Done()
		now = now.Add(time.Minute)
	}
	ask("worker", nil)
	ask("orchestrator", nil)
	ask("worker", nil)
	ask("orchestrator", context.Canceled) // says nothing of any check
	seen := desk.Seen("VLT-001")
	if len(seen) != 2 || seen[0].Service != "worker" || seen[0].Ago != 2*time.Minute || seen[1].Service != "orchestrator" || seen[1].Ago != 3*time.Minute {
		t.Errorf("Seen = %+v", seen)
	}
	if other := desk.Seen("VLT-009"); len(other) != 0 {
		t.Errorf("of another check %+v", other)
	}
}
