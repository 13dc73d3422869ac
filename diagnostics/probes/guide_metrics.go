package probes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// MetricGuide reads metrics for people.
type MetricGuide struct{ prometheus prometheusProbes }

// NewMetricGuide makes a guide of a Prometheus; a zero one answers that none is
// configured.
func NewMetricGuide(p Prometheus, now func() time.Time) *MetricGuide {
	return &MetricGuide{prometheusProbes{Prometheus: p, now: now}}
}

// maxSeries is how many series one measure shows.
const maxSeries = 8

// Metrics reads the measures of services, several at a time, each by one
// question. What keeps it from one stands with that one; it fails only when no
// Prometheus is configured, with a *diagnostics.BlindError.
func (g *MetricGuide) Metrics(ctx context.Context, ask guide.MetricsAsk, targets []diagnostics.Target) (guide.Metrics, error) {
	if g.prometheus.API == nil {
		return guide.Metrics{}, notConfigured("Prometheus", prometheusKey)
	}
	step := max(ask.Since/rangePoints, time.Second)
	until := g.prometheus.now()
	found := guide.Metrics{About: ask.About, Since: until.Add(-ask.Since), Until: until}
	for _, t := range targets {
		for _, m := range guide.Measures(t, ask.Group) {
			found.Readings = append(found.Readings, guide.Reading{Measure: m, Service: t.Name})
		}
	}
	span := promv1.Range{Start: found.Since, End: until, Step: step}
	parallel(len(found.Readings), func(i int) { g.read(ctx, &found.Readings[i], span) })
	found.Gated()
	return found, nil
}

// read asks one question.
func (g *MetricGuide) read(ctx context.Context, r *guide.Reading, span promv1.Range) {
	ctx, cancel := context.WithTimeout(ctx, slowTimeout)
	defer cancel()
	r.Command = clean(g.prometheus.command("/api/v1/query_range", "query="+r.Query, "start="+unix(span.Start), "end="+unix(span.End),
		"step="+strconv.FormatFloat(span.Step.Seconds(), 'f', -1, 64)), 4*maxObserved)
	series, err := g.series(ctx, r.Measure, span)
	r.Read(series, span.End.Add(-span.Step))
	if err != nil {
		r.Status = diagnostics.Unknown
		if !errors.As(err, &r.Blind) {
			r.Blind = blindPrometheus("GET /api/v1/query_range", err)
		}
	}
}

// series are the numbers of a measure, the greatest first when there are many.
func (g *MetricGuide) series(ctx context.Context, m guide.Measure, span promv1.Range) ([]guide.Series, error) {
	value, warnings, _, err := g.prometheus.API.QueryRange(ctx, m.Query, span)
	switch {
	case err != nil:
		return nil, blindPrometheus("GET /api/v1/query_range", err)
	case len(warnings) > 0:
		return nil, blindWarnings(warnings)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, blindGarbage("GET /api/v1/query_range", "Prometheus", "an answer without a matrix")
	}
	var all []guide.Series
	for _, stream := range matrix {
		if len(stream.Histograms) > 0 {
			return nil, nativeHistogram()
		}
		s := guide.Series{Label: clean(string(stream.Metric[model.LabelName(m.By)]), maxDetail)}
		for _, pair := range stream.Values {
			if v := float64(pair.Value); isNumber(v) {
				s.Points = append(s.Points, guide.Point{At: pair.Timestamp.Time().UTC(), V: v})
			}
		}
		if len(s.Points) > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b guide.Series) int { return cmp.Compare(a.Label, b.Label) })
	if len(all) > maxSeries {
		return nil, tooMany(len(all))
	}
	return all, nil
}
