package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"tandem/commands"
	"tandem/diagnostics"
)

// diagnoser is the runner with the services that it knows, as commands want it.
type diagnoser struct {
	runner   *diagnostics.Runner
	since    time.Duration        // for those who ask for no other
	services []diagnostics.Target // by name
	source   string               // who asks, in traces
	log      *slog.Logger
}

// sourceSlack is the source of what people ask in Slack.
const sourceSlack = "slack"

// Services implements commands.Diagnoser.
func (d *diagnoser) Services() []string {
	names := make([]string, 0, len(d.services))
	for _, s := range d.services {
		names = append(names, s.Name)
	}
	return names
}

// Checks implements commands.Diagnoser.
func (d *diagnoser) Checks() []commands.CheckInfo { return describe(d.runner.Catalog) }

// Diagnose implements commands.Diagnoser.
func (d *diagnoser) Diagnose(ctx context.Context, service string, opts commands.Options) (diagnostics.Report, error) {
	target, ok := d.target(service)
	if !ok {
		return diagnostics.Report{}, &commands.UnknownServiceError{Name: service, Known: d.Services()}
	}
	run := diagnostics.RunOptions{Since: cmp.Or(opts.Since, d.since), Only: opts.Only, About: d.about(ctx)}
	if opts.Progress != nil {
		run.Progress = func(p diagnostics.Progress) {
			opts.Progress(commands.Progress{Done: p.Done, Total: p.Total, Code: p.Result.Code})
		}
	}
	report, err := d.runner.Run(ctx, target, run)
	if err != nil {
		return diagnostics.Report{}, translate(err, commands.Codes(d))
	}
	d.logPanics(ctx, report)
	return report, nil
}

// about says in the trace who asked, and which request it was.
func (d *diagnoser) about(ctx context.Context) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("tandem.source", d.source), attribute.String("tandem.request_id", commands.RequestID(ctx)),
	}
}

func (d *diagnoser) target(name string) (diagnostics.Target, bool) {
	for _, s := range d.services {
		if s.Name == name {
			return s, true
		}
	}
	return diagnostics.Target{}, false
}

// translate makes the runner's errors those that commands explain.
func translate(err error, codes []string) error {
	var check *diagnostics.CheckError
	switch {
	case !errors.As(err, &check):
		return fmt.Errorf("run the checks: %w", err)
	case check.Service != "":
		return &commands.CheckNotForError{Code: check.Code, Service: check.Service}
	default:
		return &commands.UnknownCheckError{Code: check.Code, Known: codes}
	}
}

// logPanics keeps the stacks of probes that broke, which the report leaves out.
func (d *diagnoser) logPanics(ctx context.Context, report diagnostics.Report) {
	for _, r := range report.Checks {
		if r.Blind == nil {
			continue
		}
		if stack, broke := diagnostics.IsPanic(r.Blind); broke {
			d.log.ErrorContext(ctx, "a probe broke", "check", r.Code, "detail", r.Blind.Detail, "stack", string(stack))
		}
	}
}

// reading says what a check reads under one name.
func reading(check *diagnostics.Check, fact diagnostics.FactSpec) commands.Reading {
	r := commands.Reading{Name: fact.Name, Probe: fact.Probe}
	if probe, known := check.Probe(fact.Name); known {
		r.Doc = probe.Doc
	}
	for _, arg := range slices.Sorted(maps.Keys(fact.Args)) {
		if fact.Args[arg] != "" {
			r.Args = append(r.Args, arg+": "+fact.Args[arg])
		}
	}
	return r
}

// describe makes the checks of a catalogue what people read about them.
func describe(c *diagnostics.Catalog) []commands.CheckInfo {
	var all []commands.CheckInfo
	for _, check := range c.Checks() {
		info := commands.CheckInfo{
			Code: check.Code, Row: check.Row, Title: check.Title, Applies: check.Applies, Needs: check.Needs,
			Doc: commands.CheckDoc(check.Doc), Command: check.Command,
		}
		for _, fact := range check.Facts {
			info.Reads = append(info.Reads, reading(check, fact))
		}
		for _, o := range check.Outcomes {
			info.Outcomes = append(info.Outcomes, commands.Outcome(o))
		}
		all = append(all, info)
	}
	return all
}
