package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/config"
)

// life is what operators see of a bot that runs, beside its log.
type life struct {
	metrics *prometheus.Registry
	traces  *traces
}

// watch makes metrics and traces of everything that is diagnosed from now on.
func (w *wired) watch(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) (*life, error) {
	b := thisBuild()
	traces, err := newTraces(ctx, c.Traces, b, log, now)
	if err != nil {
		return nil, err
	}
	l := &life{metrics: newRegistry(b), traces: traces}
	w.diagnoser.trace(traces.tracer(), sourceSlack)
	w.diagnoser.runner.Observer = observeDiagnoses(l.metrics)
	return l, nil
}

// close sends the traces that are left.
func (l *life) close(ctx context.Context) { l.traces.close(ctx) }
