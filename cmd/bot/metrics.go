package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"tandem/diagnostics"
)

// newRegistry holds what the process and the Go runtime say of themselves, and
// which bot this is.
func newRegistry(b buildOf) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister( // a registry of our own takes each once
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	promauto.With(registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "tandem_build_info", Help: "Always 1; the labels say which bot this is.",
	}, []string{"version", "revision", "go_version"}).WithLabelValues(b.version, b.revision, b.goVersion).Set(1)
	return registry
}

// observeDiagnoses counts what probes and checks came to. The labels are the
// names of the catalogue's probes and checks.
func observeDiagnoses(registry prometheus.Registerer) diagnostics.Observer {
	register := promauto.With(registry)
	outcomes := register.NewCounterVec(prometheus.CounterOpts{
		Name: "tandem_probe_outcomes_total", Help: "Questions to a system by probe: ok, or the reason why it could not look.",
	}, []string{"probe", "outcome"})
	seconds := register.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tandem_probe_seconds", Help: "Time that a probe took, with the wait for its turn.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"probe"})
	results := register.NewCounterVec(prometheus.CounterOpts{
		Name: "tandem_check_results_total", Help: "Checks by how they ended.",
	}, []string{"check", "status"})
	return diagnostics.Observer{
		Probed: func(probe string, reason diagnostics.Reason, took time.Duration) {
			outcomes.WithLabelValues(probe, outcome(reason)).Inc()
			seconds.WithLabelValues(probe).Observe(took.Seconds())
		},
		Judged: func(code string, status diagnostics.Status) {
			results.WithLabelValues(code, string(status)).Inc()
		},
	}
}

func outcome(reason diagnostics.Reason) string {
	if reason == "" {
		return "ok"
	}
	return string(reason)
}
