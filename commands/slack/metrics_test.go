package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	slackgo "github.com/slack-go/slack"

	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

// count uses every metric once.
func count(m *metrics) {
	m.acked(delivery{command: &slash{}}.kind(), true, time.Second)
	m.acked(delivery{interaction: &interaction{}}.kind(), false, time.Second)
	m.acked(delivery{event: &event{}}.kind(), true, time.Second)
	m.firstWord(time.Second)
	m.verdict(diagnostics.Fail, time.Second)
	m.called("chat.postMessage C0INCIDENT", nil, time.Second)
	m.dropped(dropDuplicate)
	m.linked(1)
	m.began()()
	m.joined()
	m.refused(refusedGuest)
}

func TestMetricsAreNamedWell(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	count(m)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	want := `
# HELP tandem_slack_acks_total Deliveries of Slack by kind and by how their acknowledgement ended.
# TYPE tandem_slack_acks_total counter
tandem_slack_acks_total{kind="command",result="ok"} 1
tandem_slack_acks_total{kind="event",result="ok"} 1
tandem_slack_acks_total{kind="interaction",result="failed"} 1
# HELP tandem_slack_calls_total Requests to Slack by method and by how they ended.
# TYPE tandem_slack_calls_total counter
tandem_slack_calls_total{method="chat.postMessage",result="ok"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "tandem_slack_acks_total", "tandem_slack_calls_total"); err != nil {
		t.Error(err)
	}
	if _, err := newMetrics(registry); err == nil {
		t.Error("two bots share a registry without an error")
	}
}

func TestWithoutARegistryNothingIsCounted(t *testing.T) {
	m, err := newMetrics(nil)
	if m != nil || err != nil {
		t.Errorf("metrics %v, error %v", m, err)
	}
	count(m)
}

func TestResultsOfCallsAreFew(t *testing.T) {
	refused := func(code string) error { return slackgo.SlackErrorResponse{Err: code} }
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "ok"},
		{&slackgo.RateLimitedError{RetryAfter: time.Second}, "throttled"},
		{refused("ratelimited"), "throttled"},
		{refused("not_in_channel"), "not_in_channel"},
		{refused("canary_of_tomorrow"), "other_error"},
		{slackgo.StatusCodeError{Code: http.StatusBadGateway}, "http_5xx"},
		{slackgo.StatusCodeError{Code: http.StatusNotFound}, "http_4xx"},
		{fmt.Errorf("post: %w", context.DeadlineExceeded), "timeout"},
		{context.Canceled, "canceled"},
		{errors.New("connection refused"), "unreachable"},
	} {
		if got := callResult(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

func TestTheBotIsReadyWhileAConnectionIsOpen(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Metrics, o.Connections = registry, 2 })
	links := func() float64 { return testutil.ToFloat64(w.bot.metrics.links) }
	w.eventually("it is ready", func() bool { return w.bot.Ready() == nil && links() == 2 })
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if w.bot.Ready() == nil || links() != 0 {
		t.Errorf("after its end the bot is ready, with %v connections", links())
	}
}
