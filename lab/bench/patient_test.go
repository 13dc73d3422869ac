package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
)

const (
	patientChecks   = 37
	patientTime     = 10 * time.Second // of a diagnosis
	patientServices = atOnce * busyRounds
)

// patient is a diagnoser whose checks end one after another, over some seconds.
// The runner, the judging and the reports are the bot's own; what a probe asks
// for comes after a wait, in the form of an answer that has to be read.
type patient struct{ runner *diagnostics.Runner }

func newPatient(b testing.TB) *patient {
	b.Helper()
	p, err := makePatient()
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func makePatient() (*patient, error) {
	files := fstest.MapFS{}
	for i := range patientChecks {
		files[fmt.Sprintf("PAT-%03d-series.yaml", i+1)] = &fstest.MapFile{Data: []byte(patientCheck(i))}
	}
	catalog, err := diagnostics.LoadCatalog(
		[]diagnostics.CatalogSource{{Name: "bench", FS: files}},
		[]diagnostics.Probe{diagnostics.NewProbe("bench.series", diagnostics.Text{EN: "reads a series after a wait"}, lookAtSeries)},
	)
	if err != nil {
		return nil, err
	}
	return &patient{runner: &diagnostics.Runner{Catalog: catalog, Now: time.Now}}, nil
}

func patientCheck(i int) string {
	return fmt.Sprintf(`code: PAT-%03d
title: {en: "Series %d is long enough", pt-BR: "A série %d é longa o bastante"}
facts:
  series: {probe: bench.series, args: {service: '${service.name}', number: '${%d}'}}
outcomes:
  - when: series.points < %d
    status: fail
    summary: {en: "it has ${series.points} points", pt-BR: "tem ${series.points} pontos"}
    remedy: {en: "Measure more often", pt-BR: "Meça mais vezes"}
  - status: pass
    summary: {en: "it has ${series.points} points", pt-BR: "tem ${series.points} pontos"}
`, i+1, i+1, i+1, i, []int{1, 1, 1, 1, 1, 1000}[i%6])
}

type seriesArgs struct {
	Service string `cel:"service"`
	Number  int    `cel:"number"`
}

type seriesFacts struct {
	Points int     `cel:"points"`
	Sum    float64 `cel:"sum"`
}

// lookAtSeries waits for its part of a diagnosis, and then reads an answer of a
// few kilobytes.
func lookAtSeries(ctx context.Context, a seriesArgs) (seriesFacts, []diagnostics.Evidence, error) {
	const turn = patientTime / patientChecks
	invocation := fmt.Sprintf("curl -sG http://prometheus:9090/api/v1/query_range --data-urlencode 'query=series{service=%q,number=\"%d\"}'", a.Service, a.Number)
	asked := []diagnostics.Evidence{{Source: "prometheus", Invocation: invocation, Observed: strings.Repeat("a line of what was seen ", 8), At: time.Now()}}
	select {
	case <-ctx.Done():
		return seriesFacts{}, asked, ctx.Err()
	case <-time.After(time.Duration(a.Number)*turn + rand.N(turn)): // no two diagnoses are in step
	}
	var answer struct {
		Values [][2]any `json:"values"`
	}
	if err := json.Unmarshal(seriesAnswer(a.Number), &answer); err != nil {
		return seriesFacts{}, asked, err
	}
	facts := seriesFacts{Points: len(answer.Values)}
	for _, v := range answer.Values {
		value, err := strconv.ParseFloat(v[1].(string), 64)
		if err != nil {
			return seriesFacts{}, asked, err
		}
		facts.Sum += value
	}
	return facts, asked, nil
}

// seriesAnswer is 240 points, as of half an hour.
func seriesAnswer(seed int) []byte {
	var b strings.Builder
	b.WriteString(`{"values":[[1700000000,"0"]`)
	for i := range 239 {
		fmt.Fprintf(&b, `,[%d,"%d.%d"]`, 1700000000+8*i, seed, i)
	}
	return []byte(b.String() + "]}")
}

// Services implements commands.Diagnoser.
func (p *patient) Services() []string {
	names := make([]string, patientServices)
	for i := range names {
		names[i] = fmt.Sprintf("service-%03d", i)
	}
	return names
}

// Checks implements commands.Diagnoser.
func (p *patient) Checks() []commands.CheckInfo {
	var all []commands.CheckInfo
	for _, check := range p.runner.Catalog.Checks() {
		all = append(all, commands.CheckInfo{Code: check.Code, Title: check.Title})
	}
	return all
}

// Diagnose implements commands.Diagnoser.
func (p *patient) Diagnose(ctx context.Context, service string, opts commands.Options) (diagnostics.Report, error) {
	run := diagnostics.RunOptions{Since: opts.Since, Only: opts.Only}
	if opts.Progress != nil {
		run.Progress = func(at diagnostics.Progress) {
			opts.Progress(commands.Progress{Done: at.Done, Total: at.Total, Code: at.Result.Code})
		}
	}
	return p.runner.Run(ctx, diagnostics.Target{Name: service}, run)
}
