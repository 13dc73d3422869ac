package probes

import (
	"context"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"tandem/diagnostics"
)

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

func (p prometheusProbes) targets(ctx context.Context, args TargetsArgs) (Targets, []diagnostics.Evidence, error) {
	if p.API == nil {
		return Targets{}, nil, notConfigured("Prometheus", prometheusKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	show := p.command("/api/v1/targets", "state=active")
	result, err := p.API.Targets(ctx)
	if err == nil && result.Active == nil {
		err = blindGarbage("GET /api/v1/targets", "Prometheus", "an answer without targets")
	}
	if err != nil {
		return Targets{}, t.list, t.fail(show, blindPrometheus("GET /api/v1/targets", err))
	}
	facts := Targets{}
	for _, target := range result.Active {
		if string(target.Labels["job"]) == args.Job {
			facts.take(target)
		}
	}
	slices.Sort(facts.LastErrors)
	facts.LastErrors = slices.Compact(facts.LastErrors)
	t.add(show, "job %s: %d targets, %d up; errors: %s", args.Job, facts.Targets, facts.Up, list(facts.LastErrors))
	return facts, t.list, nil
}

// take counts a target. One that was not scraped yet is neither up nor down.
func (f *Targets) take(target promv1.ActiveTarget) {
	f.Known = true
	f.Targets++
	switch target.Health {
	case promv1.HealthGood:
		f.Up++
	case promv1.HealthBad:
		f.Down++
	}
	if target.LastScrape.After(f.NewestScrape) {
		f.NewestScrape = target.LastScrape.UTC()
	}
	if text := strings.TrimSpace(target.LastError); text != "" {
		f.LastErrors = append(f.LastErrors, clean(text, maxDetail))
	}
}
