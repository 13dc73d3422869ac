package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	"tandem/diagnostics/guide"
	lab "tandem/lab/slack"
)

// shelf is a guide to logs that never change.
type shelf struct{}

func (shelf) lines() []guide.Line {
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms-60_000) * time.Millisecond) }
	return []guide.Line{
		{At: at(9000), Service: "worker", Event: "authentication_failed", Level: "error", RequestID: "req-7", Text: "reason=expired <!channel>"},
		{At: at(2004), Service: "service-registry", Event: "jwt_invalid", Level: "error", RequestID: "req-7", Text: "reason=expired"},
		{At: at(2000), Service: "worker", Event: "jwt_svid_added_to_metadata", Level: "info", RequestID: "req-7", Pod: "worker-0"},
		{At: at(0), Service: "orchestrator", Event: "plan_created", Level: "info", RequestID: "req-7", PlanID: "plan-7"},
	}
}

// Logs implements commands.Guide: the log of orchestrator cannot be read.
func (s shelf) Logs(_ context.Context, ask guide.LogsAsk) (guide.Logs, error) {
	if ask.Service == "orchestrator" {
		return guide.Logs{}, &diagnostics.BlindError{Reason: diagnostics.ReasonTimeout, Detail: "search the logs", Next: both("look at Loki itself", "veja como está o Loki")}
	}
	l := guide.Logs{
		Service: ask.Service, Search: ask.Search, Since: noon.Add(-30 * time.Minute), Until: noon, Counted: noon.Add(-30 * time.Minute),
		Lines: 1234, Newest: noon, Pods: 2, Source: "loki", Command: "curl -sG http://127.0.0.1:3100/loki/api/v1/query_range",
	}
	lines := s.lines()
	lines = slices.DeleteFunc(lines, func(line guide.Line) bool {
		return line.Service != ask.Service || !strings.Contains(line.Event, ask.Search.Text)
	})
	l.Count(lines)
	l.Latest = lines
	return l, nil
}

// Traced implements commands.Guide.
func (shelf) Traced() []string { return []string{"orchestrator", "service-registry", "worker"} }

// Trace implements commands.Guide.
func (s shelf) Trace(_ context.Context, ask guide.TraceAsk) (guide.Trace, error) {
	t := guide.Trace{ID: ask.ID, Since: noon.Add(-time.Hour), Until: noon}
	var lines []guide.Line
	for _, service := range ask.Services {
		heard := guide.Heard{Service: service, Lines: 100, Command: "curl -sG http://127.0.0.1:3100"}
		for _, line := range slices.Backward(s.lines()) {
			if line.Service == service && line.RequestID == ask.ID {
				lines = append(lines, line)
				heard.Steps++
			}
		}
		t.Heard = append(t.Heard, heard)
	}
	t.Follow(lines)
	return t, nil
}

// Metrics implements commands.Guide.
func (shelf) Metrics(_ context.Context, ask guide.MetricsAsk) (guide.Metrics, error) {
	m := guide.Metrics{About: ask.About, Since: noon.Add(-30 * time.Minute), Until: noon}
	for _, service := range ask.Services {
		target := diagnostics.Target{
			Name: service, Job: service, MetricPrefix: service, Window: 5 * time.Minute,
			Login: diagnostics.Login{Role: "r", TTL: time.Hour}, Peer: diagnostics.Peer{Name: "service-registry", Job: "service-registry"},
		}
		for i, measure := range guide.Measures(target, ask.Group) {
			r := guide.Reading{Measure: measure, Service: service, Command: "curl"}
			points := []guide.Point{{At: noon.Add(-10 * time.Minute), V: 1}, {At: noon, V: float64(i%3) / 2}}
			if i == 0 {
				points[1].V = 1
			}
			r.Read([]guide.Series{{Points: points}}, noon)
			m.Readings = append(m.Readings, r)
		}
	}
	m.Gated()
	return m, nil
}

// busyShelf has as much as a guide can give.
type busyShelf struct{ shelf }

func (busyShelf) Logs(_ context.Context, ask guide.LogsAsk) (guide.Logs, error) {
	l := guide.Logs{
		Service: ask.Service, Search: guide.Search{Text: strings.Repeat("a&<>😀*_`: ", 400)}, Since: noon.Add(-time.Hour), Until: noon,
		Lines: 1 << 40, Newest: noon, Pods: 1000, Truncated: true, Counted: noon, Found: 1000, Bad: 1000, Source: "loki", Command: strings.Repeat("curl ```", 1000),
	}
	for i := range 1000 {
		l.Latest = append(l.Latest, guide.Line{At: noon, Level: "error", Event: fmt.Sprintf("event_%d&<>", i), Text: strings.Repeat("a&<>😀*_`: ", 40)})
	}
	l.Count(l.Latest)
	return l, nil
}

// The worst that can be read keeps to Slack's limits: the emulator refuses what
// does not.
func TestWorstLogsAreShown(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Guide = busyShelf{} })
	w.say(ana, incidents, "/vault logs worker")
	w.eventually("the file is there", func() bool {
		cards := w.messages("", incidents)
		return len(cards) == 1 && len(w.replies(incidents, cards[0].TS)) == 1
	})
	card := render(w.messages("", incidents)[0])
	for _, said := range []string{"event_0&<>", "E mais 988 eventos", "desde 12:00:00"} {
		if !strings.Contains(card, said) {
			t.Errorf("the card does not say %q:\n%s", said, card)
		}
	}
}

var _ commands.Guide = shelf{}

// brokenShelf breaks when it is asked.
type brokenShelf struct{ shelf }

func (brokenShelf) Logs(context.Context, guide.LogsAsk) (guide.Logs, error) { panic("a shelf fell") }

// A guide that breaks does not leave its message as if something was being read.
func TestBrokenGuideIsSaid(t *testing.T) {
	w := open(t, finds(passReport()), func(o *Options, _ *lab.Config) { o.Guide = brokenShelf{} })
	w.say(bruno, incidents, "/vault logs worker")
	w.eventually("the message says so", func() bool {
		cards := w.messages("", incidents)
		return len(cards) > 0 && strings.HasPrefix(render(cards[0]), markBroken)
	})
}

// Without a guide people are told what is missing.
func TestNoGuideIsSaid(t *testing.T) {
	w := open(t, finds(passReport()))
	w.say(bruno, incidents, "/vault logs worker")
	w.eventually("the message says so", func() bool {
		cards := w.messages("", incidents)
		return len(cards) > 0 && strings.Contains(render(cards[0]), "the configuration does not say where to look")
	})
}
