package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type lampArgs struct {
	Name string `cel:"name"`
}

type lampFacts struct {
	Name  string        `cel:"name"`
	On    bool          `cel:"on"`
	Watts []int         `cel:"watts"`
	Age   time.Duration `cel:"age"`
}

// lamps is a probe whose answers a test sets by lamp.
type lamps struct {
	on    map[string]bool
	err   map[string]error
	delay time.Duration
	asked atomic.Int64
}

func (l *lamps) probe(name string) Probe {
	return NewProbe(name, Text{EN: "looks at a lamp"}, func(ctx context.Context, a lampArgs) (lampFacts, []Evidence, error) {
		l.asked.Add(1)
		select {
		case <-time.After(l.delay):
		case <-ctx.Done():
			return lampFacts{}, nil, ctx.Err()
		}
		evidence := []Evidence{{Source: "lamp", Invocation: "look " + a.Name, Observed: fmt.Sprint(l.on[a.Name])}}
		return lampFacts{Name: a.Name, On: l.on[a.Name], Watts: []int{40, 60}, Age: 90 * time.Second}, evidence, l.err[a.Name]
	})
}

// check writes a check that fails when its lamp is off.
func check(code, lamp string, more ...string) string {
	return "code: " + code + `
title: {en: ` + code + ` en, pt-BR: ` + code + ` pt}
` + strings.Join(more, "\n") + `
facts:
  lamp: {probe: lamp.look, args: {name: ` + lamp + `}}
outcomes:
  - when: "!lamp.on"
    status: fail
    summary: {en: "lamp ${lamp.name} is off", pt-BR: "lâmpada ${lamp.name} apagada"}
    remedy: {en: switch it on, pt-BR: acenda}
  - status: pass
    summary: {en: "on, ${lamp.watts} W", pt-BR: acesa}
`
}

func load(t *testing.T, probes []Probe, files ...string) *Catalog {
	t.Helper()
	c, err := LoadCatalog([]CatalogSource{{Name: "test", FS: folder(files...)}}, probes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func folder(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, f := range files {
		m[fmt.Sprintf("c%02d.yaml", i)] = &fstest.MapFile{Data: []byte(f)}
	}
	return m
}

func diagnose(t *testing.T, c *Catalog, opts RunOptions) Report {
	t.Helper()
	r := &Runner{Catalog: c, Now: time.Now}
	report, err := r.Run(t.Context(), Target{Name: "worker"}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func statuses(r Report) map[string]string {
	m := map[string]string{}
	for _, c := range r.Checks {
		m[c.Code] = string(c.Status)
		if len(c.BecauseOf) > 0 {
			m[c.Code] += " because of " + strings.Join(c.BecauseOf, ",")
		}
	}
	return m
}

func causes(r Report) []string {
	var codes []string
	for _, c := range r.Verdict.Causes {
		codes = append(codes, c.Code)
	}
	return codes
}

func TestRunTellsCauseFromConsequence(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": false, "b": false, "c": true, "d": false}}
	c := load(t, []Probe{l.probe("lamp.look")},
		check("AAA-001", "a"),
		check("AAA-002", "b", "needs: [AAA-001]"),
		check("AAA-003", "c", "needs: [AAA-002]"),
		check("AAA-004", "d", "needs: [AAA-003]"),
	)
	report := diagnose(t, c, RunOptions{})
	want := map[string]string{
		"AAA-001": "fail", "AAA-002": "fail because of AAA-001", "AAA-003": "pass",
		"AAA-004": "fail", // what it needs passes, so nothing before explains it
	}
	if diff := cmp.Diff(want, statuses(report)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"AAA-001", "AAA-004"}, causes(report)); diff != "" {
		t.Error(diff)
	}
	if got := report.In(Portuguese).Checks[0].Summary; got != "lâmpada a apagada" {
		t.Errorf("summary %q", got)
	}
	if got := report.Verdict.Causes[0].Remedy.EN; got != "switch it on" {
		t.Errorf("remedy %q", got)
	}
	if got := report.In(English).Checks[2].Summary; got != "on, 40, 60 W" {
		t.Errorf("summary %q", got)
	}
}

func TestRunAsksEachQuestionOnce(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": true, "b": true}}
	c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"), check("AAA-002", "a"), check("AAA-003", "b"))
	diagnose(t, c, RunOptions{})
	if got := l.asked.Load(); got != 2 {
		t.Errorf("asked %d times, want 2", got)
	}
}

func TestBlindIsUnknownNeverHealthyNorFailed(t *testing.T) {
	l := &lamps{on: map[string]bool{"b": true}, err: map[string]error{"a": errors.New("dark")}}
	c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"), check("AAA-002", "b"))
	report := diagnose(t, c, RunOptions{})
	if report.Verdict.Status != Unknown || report.Checks[0].Status != Unknown {
		t.Errorf("verdict %s, check %s", report.Verdict.Status, report.Checks[0].Status)
	}
	if b := report.Checks[0].Blind; b == nil || b.Reason != ReasonError {
		t.Errorf("blind %+v", b)
	}
	if len(report.Checks[0].Evidence) != 1 {
		t.Error("the evidence of a blind probe is lost")
	}
}

const either = `code: AAA-009
title: {en: either, pt-BR: um dos dois}
facts:
  one: {probe: lamp.look, args: {name: a}}
  two: {probe: lamp.look, args: {name: b}}
outcomes:
  - when: one.on || two.on
    status: fail
    summary: {en: "${one.name}/${two.name}", pt-BR: x}
  - status: pass
    summary: {en: none, pt-BR: nenhuma}
`

func TestJudgeDecidesWithoutABlindFactWhenItCan(t *testing.T) {
	l := &lamps{on: map[string]bool{"b": true}, err: map[string]error{"a": errors.New("dark")}}
	c := load(t, []Probe{l.probe("lamp.look")}, either)
	if got := diagnose(t, c, RunOptions{}).Checks[0]; got.Status != Fail || got.Summary.EN != "?/b" {
		t.Errorf("%s %q", got.Status, got.Summary.EN)
	}
	l.on["b"] = false
	if got := diagnose(t, c, RunOptions{}).Checks[0].Status; got != Unknown {
		t.Errorf("%s, want unknown", got)
	}
}

func TestClosedGateStopsAskingThatSystem(t *testing.T) {
	l := &lamps{on: map[string]bool{}}
	c := load(t, []Probe{l.probe("lamp.look")},
		check("AAA-001", "a", "gate: lamp"),
		check("AAA-002", "b", "gate: lamp", "needs: [AAA-001]"),
		check("AAA-003", "c", "needs: [AAA-002]"),
	)
	report := diagnose(t, c, RunOptions{})
	want := map[string]string{
		"AAA-001": "fail", "AAA-002": "skipped because of AAA-001", "AAA-003": "skipped because of AAA-001",
	}
	if diff := cmp.Diff(want, statuses(report)); diff != "" {
		t.Error(diff)
	}
	if got := l.asked.Load(); got != 1 {
		t.Errorf("asked %d times, want 1", got)
	}
	l.err = map[string]error{"a": &BlindError{Reason: ReasonTimeout, Detail: "slow"}}
	report = diagnose(t, c, RunOptions{})
	for _, r := range report.Checks {
		if r.Status != Unknown || r.Blind.Reason != ReasonTimeout {
			t.Errorf("%s: %s %v", r.Code, r.Status, r.Blind)
		}
	}
}

func TestPanicInAProbeLeavesTheRest(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": true}}
	broken := NewProbe("broken.look", Text{EN: "breaks"}, func(context.Context, lampArgs) (lampFacts, []Evidence, error) {
		panic("canary-secret")
	})
	c := load(t, []Probe{l.probe("lamp.look"), broken},
		check("AAA-001", "a"), strings.ReplaceAll(check("AAA-002", "b"), "lamp.look", "broken.look"))
	report := diagnose(t, c, RunOptions{})
	if report.Checks[0].Status != Pass || report.Checks[1].Status != Unknown || report.Checks[1].Blind.Reason != ReasonPanic {
		t.Errorf("%v", statuses(report))
	}
	if _, ok := IsPanic(report.Checks[1].Blind); !ok {
		t.Error("the stack of the panic is lost")
	}
	if strings.Contains(fmt.Sprintf("%+v", report), "canary-secret") {
		t.Error("the panic's value is told")
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lamps{on: map[string]bool{"a": true}, delay: time.Hour}
		c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"))
		start := time.Now()
		report := diagnose(t, c, RunOptions{})
		if b := report.Checks[0].Blind; b == nil || b.Reason != ReasonTimeout {
			t.Errorf("blind %+v", b)
		}
		if took := time.Since(start); took > DefaultTimeout+settleTime {
			t.Errorf("took %s", took)
		}
	})
}

func TestProbeThatIgnoresItsDeadlineIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stubborn := NewProbe("lamp.look", Text{EN: "never ends"}, func(context.Context, lampArgs) (lampFacts, []Evidence, error) {
			<-release
			return lampFacts{On: true}, nil, nil
		})
		c := load(t, []Probe{stubborn}, check("AAA-001", "a"))
		report := diagnose(t, c, RunOptions{})
		if b := report.Checks[0].Blind; b == nil || b.Reason != ReasonTimeout {
			t.Errorf("blind %+v", b)
		}
		close(release)
	})
}

func TestOnlySelectsACheckWithWhatItNeeds(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": true, "b": true}}
	c := load(t, []Probe{l.probe("lamp.look")},
		check("AAA-001", "a"), check("AAA-002", "b", "needs: [AAA-001]"), check("AAA-003", "a"),
		check("AAA-004", "a", "applies: service.name == 'other'"))
	report := diagnose(t, c, RunOptions{Only: []string{"AAA-002"}})
	if diff := cmp.Diff(map[string]string{"AAA-001": "pass", "AAA-002": "pass"}, statuses(report)); diff != "" {
		t.Error(diff)
	}
	r := &Runner{Catalog: c, Now: time.Now}
	for code, want := range map[string]string{"ZZZ-001": "no check ZZZ-001", "AAA-004": "does not apply to worker"} {
		_, err := r.Run(t.Context(), Target{Name: "worker"}, RunOptions{Only: []string{code}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestProgressComesInOrderAndOnce(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": true}}
	c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"), check("AAA-002", "a"))
	var seen []int
	diagnose(t, c, RunOptions{Progress: func(p Progress) { seen = append(seen, p.Done) }})
	if diff := cmp.Diff([]int{1, 2}, seen); diff != "" {
		t.Error(diff)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := &lamps{delay: time.Hour}
	c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"))
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := (&Runner{Catalog: c, Now: time.Now}).Run(ctx, Target{}, RunOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
