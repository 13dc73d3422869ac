package faultrange

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// The goals of the range.
const (
	firstGoal = 0.95
	calmGoal  = 200
)

// count says of how many verdicts something holds, and of how many it could.
func (r Report) count(of func(Result) bool, holds func(Score) bool) (n, all int) {
	for _, result := range r.Results {
		if !of(result) {
			continue
		}
		all++
		if holds(result.Score()) {
			n++
		}
	}
	return n, all
}

func broken(r Result) bool {
	return r.Fault.Status == diagnostics.Fail || r.Fault.Status == diagnostics.Warn
}
func notWell(r Result) bool   { return r.Fault.Status != diagnostics.Pass }
func notBroken(r Result) bool { return !broken(r) }

// totals are the lines under the table.
func (r Report) totals() []string {
	line := func(name string, of func(Result) bool, holds func(Score) bool) string {
		n, all := r.count(of, holds)
		return fmt.Sprintf("%-42s %3d of %d", name, n, all)
	}
	lines := []string{
		line("right cause first", broken, func(s Score) bool { return s.First }),
		line("every right cause among those named", broken, func(s Score) bool { return s.Among }),
		line("a wrong cause named", broken, func(s Score) bool { return s.Wrong }),
		line("called healthy though broken or unseen", notWell, func(s Score) bool { return s.Healthy }),
		line("right where healthy, or nobody can tell", notBroken, func(s Score) bool { return s.First }),
		line("called broken though healthy or unseen", notBroken, func(s Score) bool { return s.Broken }),
	}
	if len(r.Failed) > 0 {
		lines = append(lines, fmt.Sprintf("%-42s %3d", "could not be tried", len(r.Failed)))
	}
	if after := r.after(broken); len(after) > 0 {
		lines = append(lines, fmt.Sprintf("%-42s median %.1f s, longest %.1f s", "from the fault to its verdict", median(after).Seconds(), slices.Max(after).Seconds()))
	}
	if took := r.took(); len(took) > 0 {
		lines = append(lines, fmt.Sprintf("%-42s median %.2f s, longest %.2f s", "a diagnosis takes", median(took).Seconds(), slices.Max(took).Seconds()))
	}
	if r.Healthy.Diagnoses > 0 {
		g := r.Healthy.Given
		lines = append(lines, fmt.Sprintf("%-42s %3d of %d (warned %d, could not tell %d)", "healthy lab called broken",
			g[diagnostics.Fail], r.Healthy.Diagnoses, g[diagnostics.Warn], g[diagnostics.Unknown]))
	}
	return lines
}

func (r Report) after(of func(Result) bool) []time.Duration {
	var all []time.Duration
	for _, result := range r.Results {
		if of(result) && result.Given != diagnostics.Pass {
			all = append(all, result.After)
		}
	}
	return all
}

func (r Report) took() []time.Duration {
	var all []time.Duration
	for _, result := range r.Results {
		all = append(all, result.Took)
	}
	return all
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// Goals says which of the goals were not met, if any.
func (r Report) Goals() error {
	var errs []error
	if n, all := r.count(broken, func(s Score) bool { return s.First }); float64(n) < firstGoal*float64(all) {
		errs = append(errs, fmt.Errorf("the right cause came first in %d of %d, the goal is %.0f %%", n, all, 100*firstGoal))
	}
	if n, _ := r.count(notWell, func(s Score) bool { return s.Healthy }); n > 0 {
		errs = append(errs, fmt.Errorf("%d were called healthy though broken or unseen, the goal is none", n))
	}
	if n, _ := r.count(notBroken, func(s Score) bool { return s.Broken }); n > 0 {
		errs = append(errs, fmt.Errorf("%d were called broken though healthy or unseen, the goal is none", n))
	}
	if n := r.Healthy.Given[diagnostics.Fail]; n > 0 {
		errs = append(errs, fmt.Errorf("the healthy lab was called broken %d times in %d, the goal is none", n, r.Healthy.Diagnoses))
	}
	if len(r.Failed) > 0 {
		errs = append(errs, fmt.Errorf("%d faults could not be tried", len(r.Failed)))
	}
	return errors.Join(errs...)
}

// Markdown is the report as a page of the documentation.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The range

Written by `+"`make range`"+` on %s, on a machine with %d cores; tokens, leases and SVIDs lived %s.

Each fault was injected for real into a healthy lab: a server stopped or frozen, a policy, role or secret changed, a service rolled out
with a wrong configuration. Then `+"`bot diagnose`"+` was run each second, by a bot that is told nothing of faults. Its verdict is the first
that is not healthy and stays the same for %s (a warning, or "cannot tell", for %s; several faults at once, for %s). A wrong verdict
is not asked for again. A change that harms nobody is looked at as long; one that harms may take %s to show. What the lab cannot
break for real is tried with fixtures (checks.md says which) and is not counted here.

`, r.At.UTC().Format(time.DateOnly), r.Cores, r.TTL, failStays, otherStays, r.TTL+r.TTL/2, 4*r.TTL)
	b.WriteString("```\n" + strings.Join(r.totals(), "\n") + "\n```\n")
	for _, group := range []string{"one cause", "several at once", "nobody can tell", "healthy"} {
		r.table(&b, group)
	}
	r.calm(&b)
	return b.String()
}

func (r Report) table(b *strings.Builder, group string) {
	titles := map[string]string{
		"one cause": "One cause", "several at once": "Several at once",
		"nobody can tell": "The right answer is that nobody can tell", "healthy": "The right answer is that the service is healthy",
	}
	var rows []Result
	for _, result := range r.Results {
		if kind(result.Fault) == group {
			rows = append(rows, result)
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| fault | what was done | of | expected | given | after |\n| --- | --- | --- | --- | --- | --- |\n", titles[group])
	for _, row := range rows {
		given := row.Verdict()
		if !row.Score().Right() {
			given = "**" + given + "**"
		}
		after := fmt.Sprintf("%.1f s", row.After.Seconds())
		if row.Given == diagnostics.Pass {
			after = ""
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", row.Fault.Name, row.Fault.About, row.Fault.Service, row.Fault.Right(), given, after)
	}
}

func (r Report) calm(b *strings.Builder) {
	if r.Healthy.Diagnoses == 0 {
		return
	}
	fmt.Fprintf(b, `
## A healthy lab under load

%d diagnoses of three services, one after the other, while Vault made and revoked tokens and Prometheus answered as fast as two
clients ask, and everything was renewed at its pace. Every %d diagnoses something happened that happens to healthy systems:

`, r.Healthy.Diagnoses, disturbEvery)
	for _, name := range slices.Sorted(maps.Keys(r.Healthy.Disturbed)) {
		fmt.Fprintf(b, "- %s: %d times\n", name, r.Healthy.Disturbed[name])
	}
	for _, wrong := range r.Healthy.Wrong {
		fmt.Fprintf(b, "\n```\n%s\n```\n", wrong)
	}
}
