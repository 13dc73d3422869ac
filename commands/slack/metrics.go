package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	slackgo "github.com/slack-go/slack"

	"tandem/diagnostics"
)

// deliveryKind is what Slack hands to the bot, as metrics name it.
type deliveryKind string

const (
	deliveredCommand     deliveryKind = "command"
	deliveredEvent       deliveryKind = "event"
	deliveredInteraction deliveryKind = "interaction"
)

// drop is why something that arrived was not acted on, as metrics name it.
type drop string

const (
	dropBusy      drop = "busy"      // every seat of the crew is taken
	dropFlood     drop = "flood"     // one person asks too much
	dropDuplicate drop = "duplicate" // acted on already
	dropUnsigned  drop = "unsigned"  // no signature, or a wrong one
	dropReplayed  drop = "replayed"  // a signature that was seen before
	dropStale     drop = "stale"     // sent too long ago, or in the future
	dropTooLarge  drop = "too_large" // a longer body than Slack sends
	dropMalformed drop = "malformed" // it cannot be read
	dropUnknown   drop = "unknown"   // of a kind that the bot does not know
	dropUnacked   drop = "unacked"   // it could not be acknowledged: Slack told the person that it failed
)

// refusal is why a person may not do what they asked, as metrics name it.
type refusal string

const (
	refusedTeam    refusal = "other_organisation"
	refusedGuest   refusal = "guest"
	refusedBot     refusal = "bot"
	refusedDeleted refusal = "deactivated"
	refusedUnknown refusal = "unknown_person" // Slack does not say who it is
	refusedPolicy  refusal = "policy"         // the configuration lets others do it
	refusedRate    refusal = "rate"           // more than a person may ask in a minute
)

// metrics count what the bot does in Slack. Every label has few values, whatever
// people write. The methods of a nil *metrics do nothing.
type metrics struct {
	acks        *prometheus.CounterVec
	ackSeconds  *prometheus.HistogramVec
	firstWords  prometheus.Histogram
	verdicts    *prometheus.HistogramVec
	calls       *prometheus.CounterVec
	callSeconds *prometheus.HistogramVec
	drops       *prometheus.CounterVec
	links       prometheus.Gauge
	runs        prometheus.Gauge
	joins       prometheus.Counter
	refusals    *prometheus.CounterVec
}

// newMetrics registers the bot's metrics; without a registry there are none.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	if registry == nil {
		return nil, nil
	}
	m := &metrics{
		acks: counters("tandem_slack_acks_total", "Deliveries of Slack by kind and by how their acknowledgement ended.", "kind", "result"),
		ackSeconds: histograms("tandem_slack_ack_seconds", "Time from a delivery to its acknowledgement; Slack gives 3 s.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3}, "kind"),
		firstWords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tandem_first_word_seconds", Help: "Time from a question to the first message that the asker can read.", Buckets: longBuckets(),
		}),
		verdicts: histograms("tandem_verdict_seconds", "Time from a question to the verdict, by what that is.", longBuckets(), "status"),
		calls:    counters("tandem_slack_calls_total", "Requests to Slack by method and by how they ended.", "method", "result"),
		callSeconds: histograms("tandem_slack_call_seconds", "Time that a request to Slack took.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "method"),
		drops:    counters("tandem_dropped_total", "Deliveries that were not acted on, by reason.", "reason"),
		links:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_slack_connections", Help: "Open Socket Mode connections."}),
		runs:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_running_diagnoses", Help: "Diagnoses at work."}),
		joins:    prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_joined_total", Help: "Diagnoses that joined a running one of the same service."}),
		refusals: counters("tandem_refused_total", "Questions of people who may not ask them, by reason.", "reason"),
	}
	for _, c := range []prometheus.Collector{
		m.acks, m.ackSeconds, m.firstWords, m.verdicts, m.calls, m.callSeconds, m.drops, m.links, m.runs, m.joins, m.refusals,
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of Slack: %w", err)
		}
	}
	return m, nil
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// longBuckets are for what people wait for.
func longBuckets() []float64 { return []float64{.1, .25, .5, 1, 2, 3, 5, 10, 20, 30, 60, 120} }

// acked counts an acknowledgement that was tried, and how long it took.
func (m *metrics) acked(kind deliveryKind, ok bool, took time.Duration) {
	if m == nil {
		return
	}
	result := "ok"
	if !ok {
		result = "failed"
	}
	m.acks.WithLabelValues(string(kind), result).Inc()
	m.ackSeconds.WithLabelValues(string(kind)).Observe(took.Seconds())
}

// firstWord notes how long an asker waited to read anything.
func (m *metrics) firstWord(waited time.Duration) {
	if m != nil {
		m.firstWords.Observe(waited.Seconds())
	}
}

// verdict notes how long an asker waited for a verdict.
func (m *metrics) verdict(status diagnostics.Status, waited time.Duration) {
	if m != nil {
		m.verdicts.WithLabelValues(string(status)).Observe(waited.Seconds())
	}
}

// called counts one request to Slack. The method may be followed by what it is
// limited by, which is left out.
func (m *metrics) called(method string, err error, took time.Duration) {
	if m == nil {
		return
	}
	method, _, _ = strings.Cut(method, " ")
	m.calls.WithLabelValues(method, callResult(err)).Inc()
	m.callSeconds.WithLabelValues(method).Observe(took.Seconds())
}

// dropped counts a delivery that is not acted on.
func (m *metrics) dropped(why drop) {
	if m != nil {
		m.drops.WithLabelValues(string(why)).Inc()
	}
}

// linked changes the number of open connections.
func (m *metrics) linked(change int) {
	if m != nil {
		m.links.Add(float64(change))
	}
}

// joined counts an ask that another one's run answers.
func (m *metrics) joined() {
	if m != nil {
		m.joins.Inc()
	}
}

// began counts a run, and returns what to call when it has ended.
func (m *metrics) began() (ended func()) {
	if m == nil {
		return func() {}
	}
	m.runs.Inc()
	return m.runs.Dec
}

// refused counts a person who may not do what they asked.
func (m *metrics) refused(why refusal) {
	if m != nil {
		m.refusals.WithLabelValues(string(why)).Inc()
	}
}

// callResult names how a request ended: ok, throttled, timeout, canceled,
// unreachable, http_error, or one of Slack's own names that operators act on.
func callResult(err error) string {
	if err == nil {
		return "ok"
	}
	if _, throttled := retryAfter(err); throttled {
		return "throttled"
	}
	if code := errorCode(err); code != "" {
		return knownCode(code)
	}
	status, isStatus := errors.AsType[slackgo.StatusCodeError](err)
	switch {
	case isStatus && status.Code >= http.StatusInternalServerError:
		return "http_5xx"
	case isStatus:
		return "http_4xx"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	default:
		return "unreachable"
	}
}

// knownCode keeps the names of errors few, whatever Slack invents.
func knownCode(code string) string {
	switch code {
	case "account_inactive", "already_reacted", "cannot_reply_to_message", "cant_update_message", "channel_not_found",
		"edit_window_closed", "expired_trigger_id", "fatal_error", "hash_conflict", "internal_error", "invalid_auth",
		"invalid_blocks", "is_archived", "message_not_found", "missing_scope", "msg_blocks_too_long", "msg_too_long",
		"no_reaction", "not_authed", "not_in_channel", "restricted_action", "token_expired", "token_revoked",
		"user_not_found", "user_not_in_channel":
		return code
	default:
		return "other_error"
	}
}
