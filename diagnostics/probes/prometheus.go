package probes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"tandem/diagnostics"
)

// QueryArgs are an instant query.
type QueryArgs struct {
	Query string `cel:"query"`
	// Parent is a query that proves that the series could exist, for a Query
	// whose empty answer means none: counters of errors are absent until the
	// first error. Empty: an empty answer is blindness.
	Parent string `cel:"parent"`
}

// Query is the answer to an instant query. Sum, Min and Max are 0 when there is
// no sample.
type Query struct {
	Samples []Sample `cel:"samples"`
	Count   int64    `cel:"count"`
	Sum     float64  `cel:"sum"`
	Min     float64  `cel:"min"`
	Max     float64  `cel:"max"`
}

// Sample is one sample of an answer; its value is a number.
type Sample struct {
	Labels map[string]string `cel:"labels"`
	Value  float64           `cel:"value"`
	At     time.Time         `cel:"at"`
}

type prometheusProbes struct {
	Prometheus
	now func() time.Time
}

const (
	prometheusKey = "prometheus.url"
	maxSamples    = 10_000
	shownSamples  = 5
)

func (p prometheusProbes) trail() *trail { return &trail{source: "prometheus", now: p.now} }

// command is a question to the HTTP API by curl.
func (p prometheusProbes) command(path string, values ...string) string {
	words := []string{"curl", "-s", strings.TrimSuffix(p.URL, "/") + path}
	if len(values) > 0 {
		words[1] = "-sG"
	}
	for _, v := range values {
		words = append(words, "--data-urlencode", v)
	}
	return shell(words...)
}

// query is blind when there is no sample, unless the parent has one, and when
// a sample is not a number: an empty or undefined answer says nothing.
func (p prometheusProbes) query(ctx context.Context, args QueryArgs) (Query, []diagnostics.Evidence, error) {
	if p.API == nil {
		return Query{}, nil, notConfigured("Prometheus", prometheusKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	samples, err := p.instant(ctx, t, args.Query)
	if err != nil {
		return Query{}, t.list, err
	}
	if len(samples) > 0 {
		return sum(samples), t.list, nil
	}
	if args.Parent == "" {
		return Query{}, t.list, noSamples(args.Query)
	}
	parents, err := p.instant(ctx, t, args.Parent)
	if err == nil && len(parents) == 0 {
		err = noSamples(args.Parent)
	}
	return Query{}, t.list, err
}

func noSamples(query string) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonNoData,
		Detail: "no series answers " + query,
		Next: diagnostics.Both("check that Prometheus scrapes the service and that the service exports the metric",
			"verifique se o Prometheus coleta do serviço e se o serviço exporta a métrica"),
	}
}

func sum(samples []Sample) Query {
	facts := Query{Samples: samples, Count: int64(len(samples)), Min: math.Inf(1), Max: math.Inf(-1)}
	for _, s := range samples {
		facts.Sum += s.Value
		facts.Min, facts.Max = min(facts.Min, s.Value), max(facts.Max, s.Value)
	}
	return facts
}

// instant asks one query for now; of one diagnosis once, since many queries have
// the same parent.
func (p prometheusProbes) instant(ctx context.Context, t *trail, query string) ([]Sample, error) {
	show := p.command("/api/v1/query", "query="+query)
	samples, err := diagnostics.Remember(ctx, show, func() ([]Sample, error) {
		value, warnings, _, err := p.API.Query(ctx, query, p.now())
		switch {
		case err != nil:
			return nil, err
		case len(warnings) > 0:
			return nil, blindWarnings(warnings)
		}
		return samplesOf(value)
	})
	if err != nil {
		return nil, t.fail(show, blindPrometheus("GET /api/v1/query", err))
	}
	t.add(show, "%s", sampleWords(samples))
	return samples, nil
}

// samplesOf takes the samples of an instant query; every value must be a
// number.
func samplesOf(value model.Value) ([]Sample, error) {
	var samples []Sample
	switch v := value.(type) {
	case model.Vector:
		if len(v) > maxSamples {
			return nil, tooMany(len(v))
		}
		for _, s := range v {
			if s.Histogram != nil {
				return nil, nativeHistogram()
			}
			samples = append(samples, Sample{Labels: labelsOf(s.Metric), Value: float64(s.Value), At: s.Timestamp.Time().UTC()})
		}
	case *model.Scalar:
		samples = []Sample{{Value: float64(v.Value), At: v.Timestamp.Time().UTC()}}
	case nil:
		return nil, blindGarbage("GET /api/v1/query", "Prometheus", "an answer without a result")
	default:
		return nil, notNumbers("a "+value.Type().String(), diagnostics.Both("ask for an instant vector in the check", "peça na verificação um vetor instantâneo"))
	}
	for _, s := range samples {
		if !isNumber(s.Value) {
			return nil, undefined()
		}
	}
	return samples, nil
}

func labelsOf(metric model.Metric) map[string]string {
	labels := make(map[string]string, len(metric))
	for name, value := range metric {
		labels[string(name)] = clean(string(value), maxDetail)
	}
	return labels
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func undefined() *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonNoData,
		Detail: "a sample is not a number: there was nothing to divide by, or to take a quantile of",
		Next: diagnostics.Both("wait until the service has had traffic in the window of the query",
			"espere até que o serviço tenha tido tráfego na janela da consulta"),
	}
}

func nativeHistogram() *diagnostics.BlindError {
	return notNumbers("a native histogram",
		diagnostics.Both("take a quantile or a count of it in the check", "calcule na verificação um quantil ou uma contagem dele"))
}

func notNumbers(what string, next diagnostics.Text) *diagnostics.BlindError {
	return &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "the query gives " + what, Next: next}
}

func tooMany(n int) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonError, Detail: fmt.Sprintf("the query gives %d series", n),
		Next: diagnostics.Both("select by job and aggregate in the check's query", "selecione por job e agregue na consulta da verificação"),
	}
}

func sampleWords(samples []Sample) string {
	if len(samples) == 0 {
		return "no series"
	}
	var b strings.Builder
	for i, s := range samples {
		if i == shownSamples {
			fmt.Fprintf(&b, "and %d more", len(samples)-i)
			break
		}
		fmt.Fprintf(&b, "%s %g\n", labelWords(s.Labels), s.Value)
	}
	return b.String()
}

func labelWords(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func blindWarnings(warnings []string) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonWarning,
		Detail: "Prometheus warns: " + clean(strings.Join(warnings, "; "), maxDetail),
		Next: diagnostics.Both("mend what Prometheus warns about: its answer may lack series",
			"resolva aquilo de que o Prometheus avisa: podem faltar séries na resposta dele"),
	}
}

// blindPrometheus says why Prometheus gave no answer.
func blindPrometheus(doing string, err error) *diagnostics.BlindError {
	var answer *promv1.Error
	if !errors.As(err, &answer) {
		return blindNetwork(doing, diagnostics.Both("check that Prometheus runs and that the bot can reach "+prometheusKey,
			"verifique se o Prometheus está rodando e se o bot alcança "+prometheusKey), err)
	}
	var status int
	for _, form := range []string{"client error: %d", "server error: %d", "bad response code %d"} {
		if n, err := fmt.Sscanf(answer.Msg, form, &status); err == nil && n == 1 {
			return blindStatus(doing, "Prometheus", status, []byte(answer.Detail))
		}
	}
	switch answer.Type {
	case promv1.ErrBadResponse:
		return blindGarbage(doing, "Prometheus", "not the JSON that it should be")
	case promv1.ErrTimeout, promv1.ErrCanceled:
		return &diagnostics.BlindError{Reason: diagnostics.ReasonTimeout, Detail: doing + ": " + clean(answer.Msg, maxDetail), Err: redacted{err}}
	}
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonError, Detail: doing + ": " + clean(answer.Error(), maxDetail), Err: redacted{err},
		Next: diagnostics.Both("correct the query in the check", "corrija a consulta da verificação"),
	}
}
