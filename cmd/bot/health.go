package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tandem/config"
)

// Limits of the servers that operators and Alertmanager reach.
const (
	healthReadTimeout  = 5 * time.Second
	healthWriteTimeout = 15 * time.Second
	healthIdleTimeout  = time.Minute
	healthStop         = time.Second // for answers under way when the bot stops
	healthMaxHeader    = 8 << 10
	healthScrapes      = 4 // at once
)

// served is a handler on an address of its own. A nil *served does nothing.
type served struct {
	what     string // is served
	listener net.Listener
	server   *http.Server
	log      *slog.Logger
}

// newHealth opens the address where operators look: /healthz while the process
// lives, /readyz while people in Slack reach it, /metrics. Ready says why the bot is
// not ready, or nil.
func newHealth(ctx context.Context, c *config.Health, ready func() error, metrics *prometheus.Registry, log *slog.Logger) (*served, error) {
	if c == nil {
		return nil, nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, ready()) })
	errorLog := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{
		ErrorLog: errorLog, MaxRequestsInFlight: healthScrapes, Timeout: healthWriteTimeout / 2,
	}))
	return serveAt(ctx, "health", "health.listen", c.Listen, mux, log)
}

// serveAt opens an address; key is where the configuration has it.
func serveAt(ctx context.Context, what, key, address string, handler http.Handler, log *slog.Logger) (*served, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &setupError{fmt.Errorf("%s: %w: choose an address of this host that is free", key, err)}
	}
	return &served{what: what, listener: listener, log: log, server: &http.Server{
		Handler: handler, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		MaxHeaderBytes: healthMaxHeader, ReadHeaderTimeout: healthReadTimeout,
		ReadTimeout: healthReadTimeout, WriteTimeout: healthWriteTimeout, IdleTimeout: healthIdleTimeout,
	}}, nil
}

// serve answers until the context is done.
func (h *served) serve(ctx context.Context) {
	if h == nil {
		return
	}
	h.log.InfoContext(ctx, h.what+" is served", "address", h.listener.Addr().String())
	var stopping sync.WaitGroup
	stopping.Go(func() {
		<-ctx.Done()
		h.stop()
	})
	if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
		h.log.ErrorContext(ctx, "serve "+h.what, "error", err)
	}
	stopping.Wait()
}

// stop lets answers under way end, and cuts those that do not.
func (h *served) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), healthStop)
	defer cancel()
	if h.server.Shutdown(ctx) != nil {
		_ = h.server.Close()
	}
}

// healthAnswer is what /healthz and /readyz say.
type healthAnswer struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons,omitempty"`
}

func writeHealth(w http.ResponseWriter, err error) {
	answer, status := healthAnswer{OK: err == nil, Reasons: reasons(err)}, http.StatusOK
	if err != nil {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// reasons are the errors that were joined.
func reasons(err error) []string {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, reasons(e)...)
	}
	return all
}
