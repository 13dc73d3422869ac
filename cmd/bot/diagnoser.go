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
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tandem/commands"
	"tandem/diagnostics"
)

// diagnoser is the runner with the services that it knows, as commands want it.
type diagnoser struct {
	runner   *diagnostics.Runner
	since    time.Duration        // for those who ask for no other
	services []diagnostics.Target // by name
	log      *slog.Logger

	tracer trace.Tracer // nil: none
	source string       // who asks, in traces
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
	run := diagnostics.RunOptions{Since: cmp.Or(opts.Since, d.since), Only: opts.Only}
	if opts.Progress != nil {
		run.Progress = func(p diagnostics.Progress) {
			opts.Progress(commands.Progress{Done: p.Done, Total: p.Total, Code: p.Result.Code, Status: p.Result.Status})
		}
	}
	ctx, span := d.begin(ctx, service)
	defer span.End()
	report, err := d.runner.Run(ctx, target, run)
	if err != nil {
		span.SetStatus(codes.Error, "no report")
		return diagnostics.Report{}, translate(err, commands.Codes(d))
	}
	span.SetAttributes(attribute.String("tandem.status", string(report.Verdict.Status)))
	d.logPanics(ctx, report)
	d.log.InfoContext(ctx, "diagnosis ended", "service", service, "status", report.Verdict.Status, "took", report.Took.String())
	return report, nil
}

// trace makes spans of what is diagnosed from now on, on behalf of a source.
func (d *diagnoser) trace(tracer trace.Tracer, source string) {
	d.tracer, d.runner.Tracer, d.source = tracer, tracer, source
}

// begin begins the span of a diagnosis. It says who asked, by the request's id.
func (d *diagnoser) begin(ctx context.Context, service string) (context.Context, trace.Span) {
	if d.tracer == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	return d.tracer.Start(ctx, "diagnosis", trace.WithAttributes(
		attribute.String("tandem.service", service), attribute.String("tandem.source", d.source),
		attribute.String("tandem.request_id", commands.RequestID(ctx)),
	))
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
