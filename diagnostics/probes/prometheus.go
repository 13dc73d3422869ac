package probes

import (
	"context"
	"time"

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

// TargetsArgs name a job.
type TargetsArgs struct {
	Job string `cel:"job"`
}

// Targets are the scrape targets of a job.
type Targets struct {
	Known        bool      `cel:"known"` // whether the job has targets
	Targets      int64     `cel:"targets"`
	Up           int64     `cel:"up"`
	Down         int64     `cel:"down"`
	LastErrors   []string  `cel:"last_errors"` // sorted, each once
	NewestScrape time.Time `cel:"newest_scrape"`
}

type prometheusProbes struct {
	Prometheus
	now func() time.Time
}

func (p prometheusProbes) query(ctx context.Context, args QueryArgs) (Query, []diagnostics.Evidence, error) {
	return Query{}, nil, notReady()
}

func (p prometheusProbes) queryRange(ctx context.Context, args RangeArgs) (Range, []diagnostics.Evidence, error) {
	return Range{}, nil, notReady()
}

func (p prometheusProbes) targets(ctx context.Context, args TargetsArgs) (Targets, []diagnostics.Evidence, error) {
	return Targets{}, nil, notReady()
}
