package main

import (
	"context"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
)

// examine runs checks for the approvals: now, and never an answer that somebody
// was given before.
func (d *diagnoser) examine(ctx context.Context, service string, codes []string) (approvals.Examination, error) {
	report, err := d.Diagnose(ctx, service, commands.Options{Only: codes})
	if err != nil {
		return approvals.Examination{}, err
	}
	seen := approvals.Examination{At: report.At, Status: string(report.Verdict.Status)}
	for _, result := range report.Checks {
		seen.Checks = append(seen.Checks, observed(result))
	}
	return seen, nil
}

func observed(r diagnostics.Result) approvals.Observation {
	o := approvals.Observation{Code: r.Code, Title: r.Title, Status: string(r.Status), Summary: r.Summary}
	for _, fix := range r.Fixes {
		o.Fixes = append(o.Fixes, approvals.Fix(fix))
	}
	if len(r.Evidence) > 0 {
		o.Command = r.Evidence[0].Invocation
	}
	return o
}
