package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/guide"
	"tandem/diagnostics/probes"
)

// traceSince is how far back a trace reads, unless it is told.
const traceSince = time.Hour

// reader reads logs and metrics for people, as commands want it.
type reader struct {
	logs     *probes.LogGuide
	metrics  *probes.MetricGuide
	since    time.Duration
	services []diagnostics.Target
	traced   []string
}

func newReader(c *config.Config, deps probes.Deps, services []diagnostics.Target) *reader {
	return &reader{
		logs: probes.NewLogGuide(deps.Logs, deps.Now), metrics: probes.NewMetricGuide(deps.Prometheus, deps.Now),
		since: c.Diagnosis.Since, services: services, traced: traced(services),
	}
}

// traced are the services and those that verify their calls.
func traced(services []diagnostics.Target) []string {
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
		if s.Peer.Name != "" {
			names = append(names, s.Peer.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Logs implements commands.Guide.
func (r *reader) Logs(ctx context.Context, ask guide.LogsAsk) (guide.Logs, error) {
	ask.Since = cmp.Or(ask.Since, r.since)
	return r.logs.Logs(ctx, ask)
}

// Traced implements commands.Guide.
func (r *reader) Traced() []string { return r.traced }

// Trace implements commands.Guide.
func (r *reader) Trace(ctx context.Context, ask guide.TraceAsk) (guide.Trace, error) {
	ask.Since = cmp.Or(ask.Since, traceSince)
	return r.logs.Trace(ctx, ask)
}

// Metrics implements commands.Guide.
func (r *reader) Metrics(ctx context.Context, ask guide.MetricsAsk) (guide.Metrics, error) {
	ask.Since = cmp.Or(ask.Since, r.since)
	var targets []diagnostics.Target
	for _, s := range r.services {
		if slices.Contains(ask.Services, s.Name) {
			targets = append(targets, s)
		}
	}
	return r.metrics.Metrics(ctx, ask, targets)
}

// shown is what was read, for people and for programs.
type shown struct {
	digest commands.Digest
	view   any
}

// showLogs prints what the logs of a service say.
func (a *app) showLogs(ctx context.Context, ask commands.TerminalLogs) int {
	return a.read(ctx, ask.Output, func(w *wired) (shown, error) {
		service, err := commands.ResolveService(w.diagnoser, commands.CommandName(ask.Logs), ask.Service)
		if err != nil {
			return shown{}, err
		}
		found, err := w.reader.Logs(ctx, ask.Ask(service))
		return shown{commands.LogsDigest(found, a.words), found.In(a.words.Lang)}, err
	})
}

// showTrace prints the flow of an id.
func (a *app) showTrace(ctx context.Context, ask commands.TerminalTrace) int {
	return a.read(ctx, ask.Output, func(w *wired) (shown, error) {
		found, err := w.reader.Trace(ctx, ask.Ask(w.reader.Traced()))
		return shown{commands.TraceDigest(found, nil, a.words), found.In(a.words.Lang)}, err
	})
}

// showMetrics prints the metrics of a service, or those of a group of all.
func (a *app) showMetrics(ctx context.Context, ask commands.TerminalMetrics) int {
	return a.read(ctx, ask.Output, func(w *wired) (shown, error) {
		services := w.diagnoser.Services()
		if _, group := ask.Group(); !group {
			service, err := commands.ResolveService(w.diagnoser, commands.CommandName(ask.Metrics), ask.About)
			if err != nil {
				return shown{}, err
			}
			services = []string{service}
		}
		found, err := w.reader.Metrics(ctx, ask.Ask(services))
		return shown{commands.MetricsDigest(found, nil, a.words), found.In(a.words.Lang)}, err
	})
}

// read prints all of what was read. The exit status is that of a diagnosis.
func (a *app) read(ctx context.Context, format commands.Format, read func(*wired) (shown, error)) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	w, err := wire(c, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	defer w.close(ctx)
	s, err := read(w)
	status := s.digest.Status
	if blind, unseen := errors.AsType[*diagnostics.BlindError](err); unseen && ctx.Err() == nil {
		s.view = guide.NothingView{Status: diagnostics.Unknown, Blind: guide.BlindIn(blind, a.words.Lang)}
		s.digest.Full, status, err = commands.BlindPage(blind, a.words), diagnostics.Unknown, nil
	}
	if err != nil {
		return a.fail(err)
	}
	var code int
	if format == commands.FormatText {
		code = a.page(s.digest.Full, nil)
	} else {
		code = a.encode(s.view, format)
	}
	if code != exitOK {
		return code
	}
	return exitOf(status)
}
