package main

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"tandem/commands"
)

// newLog writes JSON, one record a line. Records that are logged with a context
// say for which request, by the id that is on the card too, and in which trace.
func newLog(w io.Writer) *slog.Logger {
	return slog.New(requestHandler{slog.NewJSONHandler(w, nil)})
}

// requestHandler adds request_id and trace_id to records.
type requestHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := commands.RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}
