package slack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
)

// noon is when everything in these tests happens.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func both(en, pt string) diagnostics.Text { return diagnostics.Text{EN: en, PT: pt} }

func vocabulary(t testing.TB) *commands.Vocabulary {
	t.Helper()
	v, err := commands.NewVocabulary(locales)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wordsIn(t testing.TB, lang diagnostics.Lang) commands.Words {
	t.Helper()
	return vocabulary(t).Words(lang, "/vault")
}

func evidence(source, invocation, observed string) diagnostics.Evidence {
	return diagnostics.Evidence{Source: source, Invocation: invocation, Observed: observed, At: noon}
}

// healthCheck is a gate that passes, with evidence that other checks share.
func healthCheck() diagnostics.Result {
	return diagnostics.Result{
		Code: "VLT-001", Title: both("Vault answers and is unsealed", "O Vault responde e está aberto"), Status: diagnostics.Pass,
		Summary: both("1 node is active", "1 nó está ativo"), Took: 12 * time.Millisecond,
		Evidence: []diagnostics.Evidence{evidence("vault", "curl -s http://127.0.0.1:8200/v1/sys/health", `{"sealed":false}`)},
	}
}

func failReport() diagnostics.Report {
	return diagnostics.Report{
		Target: "worker", At: noon, Took: 1240 * time.Millisecond,
		Verdict: diagnostics.Verdict{
			Status:   diagnostics.Fail,
			Headline: both("The worker's token cannot renew itself", "O token do worker não consegue se renovar"),
			Causes: []diagnostics.Cause{{
				Code: "TOK-002", Title: both("The token may renew itself", "O token pode se renovar"),
				Remedy: both("Grant `update` on `auth/token/renew-self`", "Conceda `update` em `auth/token/renew-self`"),
			}},
		},
		Checks: []diagnostics.Result{
			healthCheck(),
			{
				Code: "TOK-002", Title: both("The token may renew itself", "O token pode se renovar"), Status: diagnostics.Fail,
				Summary: both("no policy of worker_agents grants renew-self", "nenhuma política de worker_agents concede renew-self"),
				Took:    30 * time.Millisecond,
				Evidence: []diagnostics.Evidence{
					evidence("vault", "vault write sys/capabilities-accessor accessor=A1 paths=auth/token/renew-self", "deny"),
				},
			},
			{
				Code: "TOK-003", Title: both("Renewals succeed", "As renovações têm sucesso"), Status: diagnostics.Fail,
				Summary: both("0 of 4 succeeded", "0 de 4 tiveram sucesso"), BecauseOf: []string{"TOK-002"},
				Evidence: []diagnostics.Evidence{
					evidence("vault", "vault write sys/capabilities-accessor accessor=A1 paths=auth/token/renew-self", "deny"),
					evidence("prometheus", "curl -sG http://127.0.0.1:9090/api/v1/query --data-urlencode 'query=up'", "0"),
				},
			},
			{
				Code: "LOG-001", Title: both("The worker logs no refusals", "O worker não registra recusas"), Status: diagnostics.Unknown,
				Summary: both("could not look", "não foi possível olhar"),
				Blind: &diagnostics.BlindError{
					Reason: diagnostics.ReasonUnreachable, Detail: "GET http://127.0.0.1:3100: connection refused",
					Next: both("start Loki or correct logs.loki.url", "inicie o Loki ou corrija logs.loki.url"),
				},
			},
			{
				Code: "DB-001", Title: both("The credential outlives its lease", "A credencial dura mais que o lease"), Status: diagnostics.Warn,
				Summary: both("4 minutes are left", "restam 4 minutos"),
			},
		},
	}
}

func passReport() diagnostics.Report {
	return diagnostics.Report{
		Target: "orchestrator", At: noon, Took: 400 * time.Millisecond,
		Verdict: diagnostics.Verdict{Status: diagnostics.Pass, Headline: both("Nothing is wrong", "Nada está errado")},
		Checks:  []diagnostics.Result{healthCheck()},
	}
}

func warnReport() diagnostics.Report {
	r := passReport()
	r.Verdict = diagnostics.Verdict{
		Status: diagnostics.Warn, Headline: both("The credential ends soon", "A credencial acaba logo"),
		Causes: []diagnostics.Cause{{Code: "DB-001", Title: both("The credential outlives its lease", "A credencial dura mais que o lease")}},
	}
	r.Checks = append(r.Checks, failReport().Checks[4])
	return r
}

func unknownReport() diagnostics.Report {
	return diagnostics.Report{
		Target: "worker", At: noon, Took: 5 * time.Second,
		Verdict: diagnostics.Verdict{Status: diagnostics.Unknown, Headline: both("Nobody could look", "Ninguém conseguiu olhar")},
		Checks: []diagnostics.Result{{
			Code: "VLT-001", Title: both("Vault answers and is unsealed", "O Vault responde e está aberto"), Status: diagnostics.Unknown,
			Blind: &diagnostics.BlindError{Reason: diagnostics.ReasonTimeout, Detail: "GET /v1/sys/health", Next: both("ask Vault by hand", "pergunte ao Vault na mão")},
		}},
	}
}

// hugeReport is as bad as a report can be: many checks in every state, each
// text long and full of what grows when it is escaped.
func hugeReport(checks int) diagnostics.Report {
	long := strings.Repeat("a&<>\u00e7😀*_`: ", 400)
	report := diagnostics.Report{Target: long, At: noon, Verdict: diagnostics.Verdict{Status: diagnostics.Fail, Headline: both(long, long)}}
	states := []diagnostics.Status{diagnostics.Fail, diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown, diagnostics.Pass}
	for i := range checks {
		code := fmt.Sprintf("CHK-%03d", i)
		r := diagnostics.Result{Code: code, Title: both(long, long), Summary: both(long, long), Status: states[i%len(states)]}
		for n := range 3 {
			r.Evidence = append(r.Evidence, evidence(long, fmt.Sprint(i, n, long), long+long))
		}
		switch {
		case i%len(states) == 0:
			cause := diagnostics.Cause{Code: code, Title: both(long, long), Remedy: both(long, long)}
			report.Verdict.Causes = append(report.Verdict.Causes, cause)
		case r.Status == diagnostics.Fail:
			r.BecauseOf = []string{"CHK-000", "CHK-005"}
		case r.Status == diagnostics.Unknown:
			r.Blind = &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: long, Next: both(long, long)}
		}
		report.Checks = append(report.Checks, r)
	}
	return report
}
