package probes

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"tandem/diagnostics"
)

// RangeArgs are a query over a span of time that ends now.
type RangeArgs struct {
	Query string        `cel:"query"`
	Since time.Duration `cel:"since"`
	Step  time.Duration `cel:"step"` // zero: a sixtieth of Since
}

// Range is the answer to a query over a span of time. First and Last are of the
// series added up at the first and the last time of any point.
type Range struct {
	Series int64   `cel:"series"`
	Points int64   `cel:"points"`
	First  float64 `cel:"first"`
	Last   float64 `cel:"last"`
	Min    float64 `cel:"min"`
	Max    float64 `cel:"max"`
	Sum    float64 `cel:"sum"`
	Flat   bool    `cel:"flat"` // no series changes
}

const rangePoints = 60 // of a series, when the check names no step

// queryRange is blind when there is no point, or one that is not a number.
func (p prometheusProbes) queryRange(ctx context.Context, args RangeArgs) (Range, []diagnostics.Evidence, error) {
	switch {
	case p.API == nil:
		return Range{}, nil, notConfigured("Prometheus", prometheusKey)
	case args.Since <= 0:
		return Range{}, nil, &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "the span of the query is not positive", Next: diagnostics.Both("give since in the check", "informe since na verificação")}
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	end := p.now()
	span := promv1.Range{Start: end.Add(-args.Since), End: end, Step: args.Step}
	if span.Step <= 0 {
		span.Step = max(args.Since/rangePoints, time.Second)
	}
	show := p.command("/api/v1/query_range", "query="+args.Query, "start="+unix(span.Start), "end="+unix(span.End), "step="+strconv.FormatFloat(span.Step.Seconds(), 'f', -1, 64))
	value, warnings, _, err := p.API.QueryRange(ctx, args.Query, span)
	if err == nil && len(warnings) > 0 {
		err = blindWarnings(warnings)
	}
	if err != nil {
		return Range{}, t.list, t.fail(show, blindPrometheus("GET /api/v1/query_range", err))
	}
	facts, err := rangeOf(value, args.Query)
	if err != nil {
		return Range{}, t.list, t.fail(show, blindPrometheus("GET /api/v1/query_range", err))
	}
	t.add(show, "%d series, %d points: first %g, last %g, least %g, most %g", facts.Series, facts.Points, facts.First, facts.Last, facts.Min, facts.Max)
	return facts, t.list, nil
}

func unix(t time.Time) string { return fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/1e6) }

// rangeOf adds the series up and takes their bounds.
func rangeOf(value model.Value, query string) (Range, error) {
	matrix, ok := value.(model.Matrix)
	switch {
	case !ok:
		return Range{}, blindGarbage("GET /api/v1/query_range", "Prometheus", "an answer without a matrix")
	case len(matrix) > maxSamples:
		return Range{}, tooMany(len(matrix))
	}
	facts := Range{Min: math.Inf(1), Max: math.Inf(-1), Flat: true}
	sums := map[model.Time]float64{}
	for _, series := range matrix {
		if len(series.Histograms) > 0 {
			return Range{}, nativeHistogram()
		}
		if err := facts.take(series.Values, sums); err != nil {
			return Range{}, err
		}
	}
	if facts.Points == 0 {
		return Range{}, noSamples(query)
	}
	facts.First, facts.Last = ends(sums)
	return facts, nil
}

// take adds one series.
func (f *Range) take(values []model.SamplePair, sums map[model.Time]float64) error {
	f.Series++
	for i, pair := range values {
		v := float64(pair.Value)
		if !isNumber(v) {
			return undefined()
		}
		f.Points++
		f.Sum += v
		f.Min, f.Max = min(f.Min, v), max(f.Max, v)
		f.Flat = f.Flat && (i == 0 || pair.Value == values[i-1].Value)
		sums[pair.Timestamp] += v
	}
	return nil
}

// ends are the sums at the first and the last time.
func ends(sums map[model.Time]float64) (first, last float64) {
	times := make([]model.Time, 0, len(sums))
	for at := range sums {
		times = append(times, at)
	}
	return sums[slices.Min(times)], sums[slices.Max(times)]
}
