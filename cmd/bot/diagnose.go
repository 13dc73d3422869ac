package main

import (
	"context"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"

	"tandem/commands"
	"tandem/diagnostics"
)

// diagnose runs one diagnosis and prints it.
func (a *app) diagnose(ctx context.Context, ask commands.TerminalDiagnose) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
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
	if err := a.print(report, ask.Output, opts); err != nil {
		return a.fail(err)
	}
	return exitOf(report.Verdict.Status)
}

// print writes a report in the form that was asked for.
func (a *app) print(report diagnostics.Report, format commands.Format, opts commands.Options) error {
	var data []byte
	var err error
	switch format {
	case commands.FormatJSON:
		data, err = json.MarshalIndent(report.In(a.words.Lang), "", "  ")
		data = append(data, '\n')
	case commands.FormatYAML:
		data, err = yaml.Marshal(report.In(a.words.Lang))
	default:
		return a.terminal().Card(commands.NewCard(report, opts.Since, a.words))
	}
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if _, err := a.stdout.Write(data); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
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
