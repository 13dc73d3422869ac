package main

import (
	"context"

	"tandem/commands"
	"tandem/diagnostics"
)

// diagnose runs one diagnosis and prints it.
func (a *app) diagnose(ctx context.Context, ask commands.TerminalDiagnose) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	if ask.Keep && c.Store == nil {
		a.complain(a.words.Say("no_store"))
		return exitUsage
	}
	w, err := wire(c, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	defer w.close(ctx)
	service, opts, err := commands.Resolve(w.diagnoser, ask.Diagnose())
	if err != nil {
		return a.fail(err)
	}
	w.identity.once(ctx)
	progress := a.newProgress(service)
	opts.Progress = progress.show
	report, err := w.diagnoser.Diagnose(ctx, service, opts)
	progress.clear()
	if err != nil {
		return a.fail(err)
	}
	if opts.Since == 0 {
		opts.Since = w.diagnoser.since
	}
	run := ""
	if ask.Keep {
		run = a.keep(ctx, c, report, opts)
	}
	if status := a.print(report, run, ask.Output, opts); status != exitOK {
		return status
	}
	return exitOf(report.Verdict.Status)
}

// print prints a report, with the id of its run where it is kept, in the form
// that was asked for. It returns the exit status of having said it.
func (a *app) print(report diagnostics.Report, run string, format commands.Format, opts commands.Options) int {
	if format == commands.FormatText {
		card := commands.NewCard(report, opts.Since, a.words)
		card.Kept = a.words.Kept(run)
		if err := a.terminal().Card(card); err != nil {
			return a.fail(err)
		}
		return exitOK
	}
	view := report.In(a.words.Lang)
	view.Run = run
	return a.encode(view, format)
}

func exitOf(s diagnostics.Status) int {
	switch s {
	case diagnostics.Pass:
		return exitOK
	case diagnostics.Warn, diagnostics.Fail:
		return exitFinding
	default:
		return exitUnknown
	}
}
