package remedies

import (
	"context"
	"strconv"
	"time"

	"tandem/approvals"
	"tandem/i18n"
)

// Bounds of one run.
const (
	defaultDeadline = 10 * time.Minute
	longestDeadline = 25 * time.Minute // shorter than what an execution may last
)

// EndToEnd is the end-to-end check of the runbook: either a Job in the cluster or
// a command on the bot's own machine. Neither is given any text of a person.
type EndToEnd struct {
	Job     *Job
	Command *Command
}

// endToEnd is the runbook's procedure: the end-to-end check, whose report is the
// proof. A test that was skipped is unknown.
func endToEnd(d Deps) clusterRemedy {
	r := clusterRemedy{Remedy: approvals.Remedy{
		Name: "end-to-end", Risk: approvals.Low, Procedure: true,
		Title: both("Run the end-to-end check", "Rodar a verificação ponta a ponta"),
		About: both("Runs the end-to-end tests that the configuration names, and reads their report.",
			"Roda os testes ponta a ponta que a configuração nomeia, e lê o relatório deles."),
	}}
	switch {
	case d.EndToEnd.Job != nil:
		// The Job has a name of its own: a second execution follows the first one's.
		r.Repeatable = true
		r.Plan, r.Execute = d.planJob, d.runJob
		r.rights, r.fence = d.EndToEnd.Job.rights(), d.EndToEnd.Job.fence()
	case d.EndToEnd.Command != nil:
		r.Plan, r.Execute = d.planCommand, d.runCommand
	default:
		r.Plan = func(context.Context, approvals.Want) (approvals.Plan, error) {
			return approvals.Plan{}, errNoEndToEnd()
		}
		r.Execute = func(context.Context, approvals.Plan, approvals.Act) error {
			return &approvals.Trouble{Text: "nothing was run: the configuration names no end-to-end check any more"}
		}
	}
	return r
}

func errNoEndToEnd() error {
	return refuse(approvals.WhyNoRemedy, "no end-to-end check is configured: set remedies.end_to_end.job or remedies.end_to_end.command")
}

// deadline is how long a run may last.
func deadline(configured time.Duration) time.Duration {
	if configured <= 0 {
		return defaultDeadline
	}
	return min(configured, longestDeadline)
}

// endToEndPlan is what the plans of both kinds of run have in common.
func endToEndPlan(want approvals.Want, target string) approvals.Plan {
	return approvals.Plan{
		Remedy: "end-to-end", Service: want.Service, Params: want.Params, Target: target, Risk: approvals.Low,
		Blast: both("Whatever the tests do with the credentials that they have. Nothing of a person's text reaches them.",
			"O que os testes fizerem com as credenciais que têm. Nenhum texto de pessoas chega aos testes."),
		WayBack: both("There is none: a run can be stopped, and what its tests did stays.", "Não há: uma execução pode ser parada, e o que os testes fizeram fica."),
	}
}

// passed tells how a run went that has no failing and no skipped test.
func passed(j junit) i18n.Text {
	return both(plural(j.tests, "test")+" ran, and all passed.", "Testes executados: "+strconv.Itoa(j.tests)+"; todos passaram.")
}
