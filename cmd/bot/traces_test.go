package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/config"
)

func TestACollectorThatIsNotThereDisturbsNothing(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer refusing.Close()
	for name, endpoint := range map[string]string{"unreachable": unusedAddress(t), "refusing": refusing.URL} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			var log syncBuffer
			traces, err := newTraces(t.Context(), &config.Traces{Endpoint: endpoint, Sample: 1}, thisBuild(), slog.New(slog.NewJSONHandler(&log, nil)), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			_, span := traces.tracer().Start(t.Context(), "diagnosis")
			span.End()
			traces.close(t.Context())
			if text := log.String(); !strings.Contains(text, "traces cannot be sent") && !strings.Contains(text, "the last traces are lost") {
				t.Errorf("nobody is told; the log: %s", text)
			}
		})
	}
}

func TestNoTracesWithoutACollector(t *testing.T) {
	traces, err := newTraces(t.Context(), nil, thisBuild(), quiet(), time.Now)
	if err != nil || traces.tracer() != nil {
		t.Errorf("traces %v, error %v", traces, err)
	}
	traces.close(t.Context())
}

func TestTracesGoToTheUsualPathUnlessAnotherIsNamed(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://otel:4318":              "http://otel:4318/v1/traces",
		"http://otel:4318/":             "http://otel:4318/v1/traces",
		"https://otel.example.org/otlp": "https://otel.example.org/otlp",
	} {
		if got := tracesURL(endpoint); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
}

func TestComplaintsAreRare(t *testing.T) {
	var log syncBuffer
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	c := &complaints{log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return at }}
	for range 3 {
		c.Handle(errors.New("refused"))
	}
	at = at.Add(traceComplaints)
	c.Handle(io.EOF)
	if got := strings.Count(log.String(), "traces cannot be sent"); got != 2 {
		t.Errorf("%d complaints, want 2:\n%s", got, log.String())
	}
}
