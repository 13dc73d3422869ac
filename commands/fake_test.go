package commands

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// fake is a Diagnoser of two services and three checks.
type fake struct{}

func (fake) Services() []string { return []string{"orchestrator", "worker"} }

func (fake) Checks() []CheckInfo {
	return []CheckInfo{
		{
			Code: "VLT-001", Title: both("Vault answers", "O Vault responde"),
			Reads: []Reading{{Name: "vault", Probe: "vault.health", Doc: both("Asks every node.", "Pergunta a cada nó.")}},
			Outcomes: []Outcome{
				{When: "vault.reachable == 0", Status: diagnostics.Fail, Summary: both("no node answers", "nenhum nó responde"), Remedy: both("Start Vault.", "Inicie o Vault.")},
				{Status: diagnostics.Pass, Summary: both("answers", "responde")},
			},
			Doc:     CheckDoc{Meaning: both("Each node is asked.", "Cada nó é consultado."), Impact: both("Everything.", "Tudo.")},
			Command: "vault status",
		},
		{
			Code: "KVS-001", Row: 1, Title: both("The secret exists", "O segredo existe"), Applies: "service.secrets.size() > 0",
			Needs: []string{"VLT-001"},
			Reads: []Reading{{Name: "kv", Probe: "vault.secrets", Doc: both("Reads metadata.", "Lê metadados."), Args: []string{"service: ${service.name}"}}},
			Outcomes: []Outcome{
				{When: "secrets.missing", Status: diagnostics.Fail, Summary: both("missing", "ausente")},
				{Status: diagnostics.Pass, Summary: both("there", "presente")},
			},
		},
		{Code: "TOK-001", Row: 3, Title: both("The token lives", "O token vive"), Needs: []string{"VLT-001"}},
	}
}

func (fake) Diagnose(context.Context, string, Options) (diagnostics.Report, error) {
	return report(), nil
}

func both(en, pt string) diagnostics.Text { return diagnostics.Text{EN: en, PT: pt} }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// report has one of everything: a cause, a consequence, a warning, a check that
// nobody could see, one that passes; and text from outside that would deceive.
func report() diagnostics.Report {
	evidence := []diagnostics.Evidence{{
		Source: "vault", Invocation: "curl -s http://v:8200/v1/sys/health", Observed: "connection refused\x1b[2J\u202e", At: noon,
	}}
	return diagnostics.Report{
		Target: "worker", At: noon, Took: 1234 * time.Millisecond,
		Verdict: diagnostics.Verdict{
			Status:   diagnostics.Fail,
			Headline: both("worker fails: Vault answers", "worker falha: O Vault responde"),
			Causes: []diagnostics.Cause{{
				Code: "VLT-001", Title: both("Vault answers", "O Vault responde"), Remedy: both("Start Vault.", "Inicie o Vault."),
			}},
		},
		Checks: []diagnostics.Result{
			{
				Code: "VLT-001", Title: both("Vault answers", "O Vault responde"), Status: diagnostics.Fail,
				Summary: both("no node answers", "nenhum nó responde"), Took: 3 * time.Millisecond, Evidence: evidence,
			},
			{
				Code: "KVS-001", Title: both("The secret exists", "O segredo existe"), Status: diagnostics.Fail,
				Summary: both("missing", "ausente"), BecauseOf: []string{"VLT-001"},
			},
			{
				Code: "PRM-001", Title: both("Prometheus sees the service", "O Prometheus vê o serviço"), Status: diagnostics.Warn,
				Summary: both("1 of 2 targets are up", "1 de 2 alvos respondem"),
			},
			{
				Code: "LOG-001", Title: both("Logs arrive", "Os logs chegam"), Status: diagnostics.Unknown,
				Summary: both("could not look", "não deu para olhar"),
				Blind: &diagnostics.BlindError{
					Reason: diagnostics.ReasonUnreachable, Detail: "GET http://loki:3100: connection refused", Next: both("check logs.loki.url", "confira logs.loki.url"),
				},
			},
			{
				Code: "LOG-002", Title: both("Logs are whole", "Os logs estão inteiros"), Status: diagnostics.Unknown,
				Blind: &diagnostics.BlindError{
					Reason: diagnostics.ReasonUnreachable, Detail: "LOG-001: GET http://loki:3100: connection refused", Next: both("check logs.loki.url", "confira logs.loki.url"), Gate: "LOG-001",
				},
			},
			{Code: "TOK-001", Title: both("The token lives", "O token vive"), Status: diagnostics.Skipped, BecauseOf: []string{"VLT-001"}},
			{Code: "SPF-001", Title: both("The Workload API answers", "A Workload API responde"), Status: diagnostics.Pass, Summary: both("answers", "responde")},
		},
	}
}
