package diagnostics

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"tandem/diagnostics/catalog"
)

// pathRounds is how often each graph is run beside its baseline: a busy
// machine makes single figures worthless.
const pathRounds = 15

// graph is checks by number, each with the lower numbers that it needs, and how
// long its probe takes.
type graph struct {
	name   string
	needs  [][]int
	delays []time.Duration
}

// BenchmarkLongestPath compares a diagnosis, whose probes take set times, with
// the probes of the longest path through its needs, asked by hand one after
// another: no diagnosis that keeps to its needs can be faster. The goal is at
// most 1.05.
func BenchmarkLongestPath(b *testing.B) {
	for _, g := range graphs(b) {
		b.Run(g.name, func(b *testing.B) {
			for b.Loop() {
				g.compare(b)
			}
		})
	}
}

// compare runs diagnosis and baseline in turn, so that both see the same
// machine, and reports the medians' ratio.
func (g graph) compare(b *testing.B) {
	probe := NewProbe("lamp.look", Text{EN: "looks at a lamp"}, g.look)
	runner := &Runner{Catalog: g.catalog(b, probe), Now: time.Now}
	path := g.longestPath()
	var runs, paths []time.Duration
	for range pathRounds {
		paths = append(paths, took(func() { g.walk(b, path) }))
		runs = append(runs, took(func() {
			report, err := runner.Run(b.Context(), Target{Name: "worker"}, RunOptions{})
			if err != nil || report.Verdict.Status != Pass {
				b.Fatalf("verdict %s, %v", report.Verdict.Status, err)
			}
		}))
	}
	ratio := float64(median(runs)) / float64(median(paths))
	b.ReportMetric(ratio, "x-longest-path")
	b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
	b.Logf("%s: %d checks, diagnosis %s, longest path (%d probes) %s, ratio %.3f (best against best %.3f); goal at most 1.05",
		g.name, len(g.needs), ms(median(runs)), len(path), ms(median(paths)), ratio,
		float64(slices.Min(runs))/float64(slices.Min(paths)))
}

// look is a probe that takes the time of its check.
func (g graph) look(ctx context.Context, a lampArgs) (lampFacts, []Evidence, error) {
	var i int
	if _, err := fmt.Sscanf(a.Name, "lamp-%d", &i); err != nil {
		return lampFacts{}, nil, err
	}
	timer := time.NewTimer(g.delays[i])
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return lampFacts{}, nil, ctx.Err()
	}
	evidence := []Evidence{{Source: "lamp", Invocation: "look " + a.Name, Observed: "on", At: time.Now()}}
	return lampFacts{Name: a.Name, On: true, Watts: []int{40, 60}, Age: time.Minute}, evidence, nil
}

// walk asks the probes of a path one after another.
func (g graph) walk(b *testing.B, path []int) {
	for _, i := range path {
		if _, _, err := g.look(b.Context(), lampArgs{Name: lampName(i)}); err != nil {
			b.Fatal(err)
		}
	}
}

// longestPath is the path through the needs whose probes take longest together.
func (g graph) longestPath() []int {
	until := make([]time.Duration, len(g.needs))
	before := make([]int, len(g.needs))
	last := 0
	for i, needs := range g.needs {
		before[i] = -1
		for _, need := range needs {
			if before[i] < 0 || until[need] > until[before[i]] {
				before[i] = need
			}
		}
		until[i] = g.delays[i]
		if before[i] >= 0 {
			until[i] += until[before[i]]
		}
		if until[i] > until[last] {
			last = i
		}
	}
	var path []int
	for i := last; i >= 0; i = before[i] {
		path = append(path, i)
	}
	slices.Reverse(path)
	return path
}

func (g graph) catalog(b *testing.B, probe Probe) *Catalog {
	b.Helper()
	files := make([]string, len(g.needs))
	for i, needs := range g.needs {
		codes := make([]string, len(needs))
		for j, need := range needs {
			codes[j] = benchCode(need)
		}
		files[i] = check(benchCode(i), lampName(i), "needs: ["+strings.Join(codes, ", ")+"]")
	}
	return benchCatalog(b, []Probe{probe}, files)
}

func benchCatalog(b *testing.B, probes []Probe, files []string) *Catalog {
	b.Helper()
	c, err := LoadCatalog([]CatalogSource{{Name: "bench", FS: folder(files...)}}, probes)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func benchCode(i int) string { return fmt.Sprintf("AAA-%03d", i) }

func lampName(i int) string { return fmt.Sprintf("lamp-%d", i) }

// graphs are the forms that needs can take, about 40 checks each, with delays
// from 5 to 50 ms.
func graphs(b *testing.B) []graph {
	const n = 40
	dice := rand.New(rand.NewPCG(1, 2))
	list := []graph{
		{name: "independent", needs: needsOf(n, func(int) []int { return nil })},
		{name: "four-chains", needs: needsOf(n, func(i int) []int { return above(i - 4) })},
		{name: "tree", needs: needsOf(n, func(i int) []int { return above((i+1)/2 - 1) })},
		{name: "layers", needs: needsOf(n, func(i int) []int { return span(i/5*5-5, i/5*5) })},
		{name: "one-gate", needs: needsOf(n, func(i int) []int { return above(min(i, 1) - 1) })},
		{name: "random", needs: needsOf(n, func(i int) []int { return some(dice, i) })},
		{name: "runbook", needs: runbookNeeds(b)},
	}
	for i := range list {
		list[i].delays = make([]time.Duration, len(list[i].needs))
		for j := range list[i].delays {
			list[i].delays[j] = 5*time.Millisecond + time.Duration(dice.Int64N(int64(45*time.Millisecond)))
		}
	}
	return list
}

func needsOf(n int, of func(i int) []int) [][]int {
	needs := make([][]int, n)
	for i := range needs {
		needs[i] = of(i)
	}
	return needs
}

// above is the one need of a check, if there is a check of that number.
func above(i int) []int { return span(i, i+1) }

func span(from, to int) []int {
	var list []int
	for i := max(from, 0); i < to; i++ {
		list = append(list, i)
	}
	return list
}

// some draws up to three checks with a lower number.
func some(dice *rand.Rand, i int) []int {
	var list []int
	for range min(i, dice.IntN(4)) {
		if need := dice.IntN(i); !slices.Contains(list, need) {
			list = append(list, need)
		}
	}
	return list
}

// runbookNeeds are the needs of the checks that the bot comes with.
func runbookNeeds(b *testing.B) [][]int {
	b.Helper()
	c := &Catalog{byCode: map[string]*Check{}}
	files, err := fs.Glob(catalog.FS, "*.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range files {
		check := readNeeds(b, name)
		c.byCode[check.Code] = check
		c.checks = append(c.checks, check)
	}
	if err := c.order(); err != nil {
		b.Fatal(err)
	}
	number := map[string]int{}
	return needsOf(len(c.checks), func(i int) []int {
		number[c.checks[i].Code] = i
		var needs []int
		for _, code := range c.checks[i].Needs {
			needs = append(needs, number[code])
		}
		return needs
	})
}

// readNeeds reads of a built-in check what a graph is made of.
func readNeeds(b *testing.B, name string) *Check {
	b.Helper()
	data, err := fs.ReadFile(catalog.FS, name)
	if err != nil {
		b.Fatal(err)
	}
	var c struct {
		Code  string
		Row   int
		Needs []string
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		b.Fatal(err)
	}
	return &Check{Code: c.Code, Row: c.Row, Needs: c.Needs, File: name}
}

func took(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
