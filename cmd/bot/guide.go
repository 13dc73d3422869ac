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

// showLogs prints what the logs of a service say.
func (a *app) showLogs(ctx context.Context, ask commands.Logs) int {
	return a.read(ctx, func(w *wired) (commands.Digest, error) {
		service, err := commands.ResolveService(w.diagnoser, commands.CommandName(ask), ask.Service)
		if err != nil {
			return commands.Digest{}, err
		}
		found, err := w.reader.Logs(ctx, ask.Ask(service))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.LogsDigest(found, a.words), nil
	})
}

// showTrace prints the flow of an id.
func (a *app) showTrace(ctx context.Context, ask commands.Trace) int {
	return a.read(ctx, func(w *wired) (commands.Digest, error) {
		found, err := w.reader.Trace(ctx, ask.Ask(w.reader.Traced()))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.TraceDigest(found, nil, a.words), nil
	})
}

// showMetrics prints the metrics of a service, or those of a group of all.
func (a *app) showMetrics(ctx context.Context, ask commands.Metrics) int {
	return a.read(ctx, func(w *wired) (commands.Digest, error) {
		services := w.diagnoser.Services()
		if _, group := ask.Group(); !group {
			service, err := commands.ResolveService(w.diagnoser, commands.CommandName(ask), ask.About)
			if err != nil {
				return commands.Digest{}, err
			}
			services = []string{service}
		}
		found, err := w.reader.Metrics(ctx, ask.Ask(services))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.MetricsDigest(found, nil, a.words), nil
	})
}

// read prints all of a digest. The exit status is that of a diagnosis.
func (a *app) read(ctx context.Context, read func(*wired) (commands.Digest, error)) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	w, err := wire(c, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	defer w.close(ctx)
	digest, err := read(w)
	if blind, unseen := errors.AsType[*diagnostics.BlindError](err); unseen && ctx.Err() == nil {
		if code := a.page(commands.BlindPage(blind, a.words), nil); code != exitOK {
			return code
		}
		return exitUnknown
	}
	if err != nil {
		return a.fail(err)
	}
	if code := a.page(digest.Full, nil); code != exitOK {
		return code
	}
	return exitOf(digest.Status)
}
