package faultrange

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"tandem/lab/faults"
)

// Report is what a whole run of the range came to.
type Report struct {
	At      time.Time
	TTL     time.Duration
	Cores   int
	Results []Result
	Failed  []string // faults that could not be tried, and why
	Healthy Calm
}

// Run tries each fault, then diagnoses the healthy lab so many times, and tells
// as it goes.
func (r Range) Run(ctx context.Context, all []faults.Fault, healthy int, tell io.Writer) (Report, error) {
	report := Report{At: time.Now(), TTL: r.TTL, Cores: runtime.NumCPU()}
	for i, fault := range all {
		result, err := r.Try(ctx, fault)
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
		if err != nil {
			report.Failed = append(report.Failed, fmt.Sprintf("%s: %v", fault.Name, err))
			fmt.Fprintf(tell, "%3d/%d  NOT TRIED  %s: %v\n", i+1, len(all), fault.Name, err)
			continue
		}
		report.Results = append(report.Results, result)
		mark := "right"
		if !result.Score().Right() {
			mark = "WRONG"
		}
		fmt.Fprintf(tell, "%3d/%d  %s  %-30s expected %-22s given %-22s after %5.1f s\n",
			i+1, len(all), mark, fault.Name, fault.Right(), result.Verdict(), result.After.Seconds())
		if mark == "WRONG" {
			fmt.Fprintln(tell, NotPassing(result.View))
		}
	}
	if healthy > 0 {
		if err := r.AwaitHealthy(ctx); err != nil {
			return report, err
		}
		calm, err := r.Calm(ctx, healthy, tell)
		if err != nil {
			return report, err
		}
		report.Healthy = calm
	}
	fmt.Fprintf(tell, "\n%s\n", strings.Join(report.totals(), "\n"))
	return report, nil
}

// Verdict is what was given, in words.
func (r Result) Verdict() string {
	given := r.Fault
	given.Status, given.Codes = r.Given, r.Causes
	if r.Given == "unknown" {
		given.Codes = nil
	}
	return strings.TrimSpace(given.Right())
}
