package slack

import (
	"cmp"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/diagnostics"
	"tandem/watches"
)

// WatchMetrics count the runs of watches and alerts, and what they told.
type WatchMetrics struct {
	runs    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	news    *prometheus.CounterVec
}

// NewWatchMetrics registers the metrics of watches.
func NewWatchMetrics(registry prometheus.Registerer) (*WatchMetrics, error) {
	m := &WatchMetrics{
		runs:    counters("tandem_watch_runs_total", "Runs of watches and alerts by the verdict; none: there was no report.", "status"),
		seconds: histograms("tandem_watch_run_seconds", "Time of the diagnosis of a run, with the wait for room.", longBuckets(), "status"),
		news:    counters("tandem_watch_news_total", "News of watches and alerts by kind, and whether Slack took them.", "kind", "result"),
	}
	for _, c := range []prometheus.Collector{m.runs, m.seconds, m.news} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of watches: %w", err)
		}
	}
	return m, nil
}

// Observer is what to give to watches.Options.
func (m *WatchMetrics) Observer() watches.Observer {
	return watches.Observer{
		Ran: func(status diagnostics.Status, took time.Duration) {
			label := cmp.Or(string(status), "none")
			m.runs.WithLabelValues(label).Inc()
			m.seconds.WithLabelValues(label).Observe(took.Seconds())
		},
		Told: func(kind watches.Kind, err error) {
			result := "told"
			if err != nil {
				result = "failed"
			}
			m.news.WithLabelValues(string(kind), result).Inc()
		},
	}
}
