package diagnostics

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Observer is told what a diagnosis does while it does it, by several goroutines
// at once. Its functions are optional and must not wait.
type Observer struct {
	// Probed says how a question ended, and how long it took with the wait for
	// its turn. The reason is empty when the probe could look.
	Probed func(probe string, reason Reason, took time.Duration)
	// Judged says how a check ended, once the verdict is known: only then is a
	// check skipped that a failing one explains.
	Judged func(code string, status Status)
}

// witness makes spans and tells the observer. Neither learns what was seen: no
// evidence, no arguments, no texts.
type witness struct {
	tracer   trace.Tracer
	observer Observer
	now      func() time.Time
}

func (r *Runner) witness() witness {
	w := witness{tracer: r.Tracer, observer: r.Observer, now: r.Now}
	if w.tracer == nil {
		w.tracer = noop.NewTracerProvider().Tracer("")
	}
	return w
}

// check begins the span of a check.
func (w witness) check(ctx context.Context, code string) (context.Context, func(Result)) {
	ctx, span := w.tracer.Start(ctx, "check "+code, trace.WithAttributes(attribute.String("tandem.check", code)))
	return ctx, func(result Result) {
		span.SetAttributes(attribute.String("tandem.status", string(result.Status)))
		sayBlind(span, result.Blind)
		span.End()
	}
}

// judged tells how the checks ended.
func (w witness) judged(results []Result) {
	if w.observer.Judged == nil {
		return
	}
	for _, r := range results {
		w.observer.Judged(r.Code, r.Status)
	}
}

// probe begins the span of a question, below the check that asks it first.
func (w witness) probe(ctx context.Context, name string) (context.Context, func(*BlindError)) {
	start := w.now()
	ctx, span := w.tracer.Start(ctx, "probe "+name, trace.WithAttributes(attribute.String("tandem.probe", name)))
	return ctx, func(blind *BlindError) {
		if w.observer.Probed != nil {
			w.observer.Probed(name, reasonOf(blind), w.now().Sub(start))
		}
		sayBlind(span, blind)
		span.End()
	}
}

func reasonOf(blind *BlindError) Reason {
	if blind == nil {
		return ""
	}
	return blind.Reason
}

// sayBlind says why nothing could be seen, but not the details: they may quote
// what a system answered.
func sayBlind(span trace.Span, blind *BlindError) {
	if blind == nil {
		return
	}
	span.SetStatus(codes.Error, string(blind.Reason))
	span.SetAttributes(attribute.String("tandem.reason", string(blind.Reason)))
	if blind.Gate != "" {
		span.SetAttributes(attribute.String("tandem.gate", blind.Gate))
	}
}
