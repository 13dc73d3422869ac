package diagnostics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestChecksAndProbesAreTraced holds the tree of spans and that no span repeats what
// was asked or seen.
func TestChecksAndProbesAreTraced(t *testing.T) {
	l := &lamps{on: map[string]bool{"CANARY-on": true}, err: map[string]error{
		"CANARY-dark": &BlindError{Reason: ReasonDenied, Detail: "CANARY in the answer", Err: errors.New("CANARY")},
	}}
	c := load(t, []Probe{l.probe("lamp.look")},
		check("AAA-001", "CANARY-on"),
		check("AAA-002", "CANARY-dark", "needs: [AAA-001]", "gate: lamp"),
		check("AAA-003", "CANARY-on", "needs: [AAA-002]"),
	)
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	r := &Runner{Catalog: c, Now: time.Now, Tracer: provider.Tracer("test")}
	ctx, root := r.Tracer.Start(t.Context(), "diagnosis")
	if _, err := r.Run(ctx, Target{Name: "worker"}, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	root.End()
	want := []string{
		"diagnosis / check AAA-001 / probe lamp.look [tandem.probe=lamp.look]",
		"diagnosis / check AAA-001 [tandem.check=AAA-001 tandem.status=pass]",
		"diagnosis / check AAA-002 / probe lamp.look [tandem.probe=lamp.look tandem.reason=denied] denied",
		"diagnosis / check AAA-002 [tandem.check=AAA-002 tandem.status=unknown tandem.reason=denied] denied",
		"diagnosis / check AAA-003 [tandem.check=AAA-003 tandem.status=unknown tandem.reason=denied tandem.gate=AAA-002] denied",
		"diagnosis []",
	}
	if diff := cmp.Diff(want, drawSpans(recorder.Ended())); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%+v", tracetest.SpanStubsFromReadOnlySpans(recorder.Ended())); strings.Contains(text, "CANARY") {
		t.Error("a span repeats an argument or an answer")
	}
}

// drawSpans writes each span with those above it.
func drawSpans(spans []sdktrace.ReadOnlySpan) []string {
	byID := map[string]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		byID[s.SpanContext().SpanID().String()] = s
	}
	var lines []string
	for _, s := range spans {
		names := []string{s.Name()}
		for above := byID[s.Parent().SpanID().String()]; above != nil; above = byID[above.Parent().SpanID().String()] {
			names = append([]string{above.Name()}, names...)
		}
		var attrs []string
		for _, a := range s.Attributes() {
			attrs = append(attrs, string(a.Key)+"="+a.Value.String())
		}
		line := strings.Join(names, " / ") + " [" + strings.Join(attrs, " ") + "]"
		if s.Status().Code == codes.Error {
			line += " " + s.Status().Description
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheObserverIsToldEveryOutcomeOnce(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": true}, err: map[string]error{"b": &BlindError{Reason: ReasonThrottled}}}
	c := load(t, []Probe{l.probe("lamp.look")}, check("AAA-001", "a"), check("AAA-002", "a"), check("AAA-003", "b"))
	var mu sync.Mutex
	var told []string
	tell := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprint(words...))
	}
	r := &Runner{Catalog: c, Now: time.Now, Observer: Observer{
		Probed: func(probe string, reason Reason, took time.Duration) {
			tell("probe ", probe, " ", reason, " ", took >= 0)
		},
		Judged: func(code string, status Status) { tell("check ", code, " ", status) },
	}}
	if _, err := r.Run(t.Context(), Target{Name: "worker"}, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	want := []string{
		"check AAA-001 pass", "check AAA-002 pass", "check AAA-003 unknown",
		"probe lamp.look  true", "probe lamp.look throttled true",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
