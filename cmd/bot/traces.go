package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tandem/config"
)

const (
	traceTimeout = 10 * time.Second // of one export
	traceStop    = 5 * time.Second  // for the last export, when the bot stops
	// traceComplaints is the shortest time between two complaints that traces
	// cannot be sent.
	traceComplaints = time.Minute
)

// traces sends spans to a collector, in the background: when that does not take
// them they are lost, and a diagnosis does not notice. A nil *traces makes no
// spans.
type traces struct {
	provider *sdktrace.TracerProvider
	client   *http.Client
	log      *slog.Logger
}

func newTraces(ctx context.Context, c *config.Traces, b buildOf, log *slog.Logger, now func() time.Time) (*traces, error) {
	if c == nil {
		return nil, nil
	}
	client := &http.Client{
		Timeout:       traceTimeout,
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	exporter, err := otlptracehttp.New(
		ctx,
		otlptracehttp.WithEndpointURL(tracesURL(c.Endpoint)),
		otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
	)
	if err != nil {
		return nil, fmt.Errorf("make the exporter of traces: %w", err)
	}
	about, err := resource.New(
		ctx,
		resource.WithAttributes(attribute.String("service.name", "tandem"), attribute.String("service.version", b.version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("describe this process to the collector of traces: %w", err)
	}
	// The library tells trouble in no other way.
	otel.SetErrorHandler(&complaints{log: log, now: now})
	return &traces{client: client, log: log, provider: sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(traceTimeout)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.Sample))),
		sdktrace.WithResource(about),
	)}, nil
}

// tracesURL is where an OTLP endpoint takes traces, unless it names a path.
func tracesURL(endpoint string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	if _, rest, _ := strings.Cut(endpoint, "://"); strings.Contains(rest, "/") {
		return endpoint
	}
	return endpoint + "/v1/traces"
}

// tracer returns nil when there are no traces.
func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("tandem")
}

// close sends what is left, for a moment.
func (t *traces) close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceStop)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.WarnContext(ctx, "the last traces are lost", "error", err)
	}
	t.client.CloseIdleConnections()
}

// complaints logs trouble with traces, from time to time.
type complaints struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	last time.Time
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.last) >= traceComplaints {
		c.last = now
		c.log.Warn("traces cannot be sent", "error", err)
	}
}
