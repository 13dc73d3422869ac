package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// Guide reads what services log and measure, for people to look at. It is safe for use by
// several goroutines. Its errors are a *diagnostics.BlindError, when it could not
// look, or the context's.
type Guide interface {
	// Logs reads the logs of one service; Since zero is the configured window.
	Logs(ctx context.Context, ask guide.LogsAsk) (guide.Logs, error)
	// Traced are the services whose logs may tell of a flow, sorted.
	Traced() []string
	// Trace reads the flow of an id; Since zero is an hour.
	Trace(ctx context.Context, ask guide.TraceAsk) (guide.Trace, error)
	// Metrics reads the metrics of services; Since zero is the configured window.
	Metrics(ctx context.Context, ask guide.MetricsAsk) (guide.Metrics, error)
}

// Logs asks what the logs of a service say.
type Logs struct {
	Service   string   `arg:"" name:"service"`
	Text      []string `arg:"" optional:"" name:"text"` // an event or any other text; empty: the runbook's events
	Since     Lookback `placeholder:"30m"`              // zero: the configured one
	RequestID string   `name:"request-id" placeholder:"ID"`
	PlanID    string   `name:"plan-id" placeholder:"ID"`
}

// Trace asks for the flow of a request or a plan.
type Trace struct {
	ID    string   `arg:"" name:"id"`
	Since Lookback `placeholder:"30m"` // zero: an hour
}

// Metrics asks for the metrics of a service, or those of a group of all services.
type Metrics struct {
	About string   `arg:"" name:"service-or-group"`
	Since Lookback `placeholder:"30m"` // zero: the configured one
}

func (Logs) command()    {}
func (Trace) command()   {}
func (Metrics) command() {}

// Ask is what the guide is asked of a service, which the caller has resolved.
func (l Logs) Ask(service string) guide.LogsAsk {
	return guide.LogsAsk{
		Service: service, Since: time.Duration(l.Since),
		Search: guide.Search{Text: strings.Join(l.Text, " "), RequestID: l.RequestID, PlanID: l.PlanID},
	}
}

// Ask is what the guide is asked of services.
func (t Trace) Ask(services []string) guide.TraceAsk {
	return guide.TraceAsk{ID: t.ID, Services: services, Since: time.Duration(t.Since)}
}

// Group is the group that is asked for, if it is one. A service of the same name
// is asked for by none.
func (m Metrics) Group() (guide.Group, bool) {
	group := guide.Group(strings.ToLower(m.About))
	return group, slices.Contains(guide.Groups(), group)
}

// Ask is what the guide is asked of services, which the caller has resolved.
func (m Metrics) Ask(services []string) guide.MetricsAsk {
	ask := guide.MetricsAsk{Services: services, Since: time.Duration(m.Since)}
	if group, ok := m.Group(); ok {
		ask.About, ask.Group = string(group), group
	} else if len(services) > 0 {
		ask.About = services[0]
	}
	return ask
}

// ResolveService returns the name by which the diagnoser knows the service that
// a command is about. The error is an *UnknownServiceError.
func ResolveService(d Diagnoser, command, service string) (string, error) {
	known, _, err := Resolve(d, Diagnose{Service: service})
	if err != nil {
		return "", &UnknownServiceError{Name: service, Known: d.Services(), Command: command}
	}
	return known, nil
}

// Digest is an answer in two lengths, which both begin with Title.
type Digest struct {
	Title  string
	Name   string             // of a file that holds Full, without an ending
	Status diagnostics.Status // of what was read, at a glance
	Short  Page               // fits into one message
	Full   Page               // all there is; nil: Short is all
	// Picture draws it as a PNG; nil: there is nothing to draw.
	Picture func() ([]byte, error)
}

// Whole is all there is.
func (d Digest) Whole() Page {
	if d.Full == nil {
		return d.Short
	}
	return d.Full
}

// BlindPage says why the guide could not look, and what helps.
func BlindPage(blind *diagnostics.BlindError, w Words) Page {
	text := w.Blind(blind)
	if next := visible(blind.Next.In(w.Lang)); next != "" {
		text += "\n" + w.Say("label_next_step") + ": " + next
	}
	return Page{Paragraph(text)}
}

// Blind says why something could not be seen.
func (w Words) Blind(blind *diagnostics.BlindError) string {
	text := w.Reason(blind.Reason)
	if blind.Detail != "" {
		text += ": " + visible(blind.Detail)
	}
	return text
}

// moment writes the time of a line; the window says how much of the date a reader
// needs.
func moment(at time.Time, window time.Duration) string {
	if at.IsZero() {
		return "-"
	}
	if window > 12*time.Hour {
		return at.UTC().Format("2006-01-02 15:04:05")
	}
	return at.UTC().Format("15:04:05")
}

// columns lines cells up, with two blanks between them. The last column is as
// long as it is.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out []string
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = pad(cell, widths[i])
		}
		out = append(out, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
	return strings.Join(out, "\n")
}

// logLine is a line of a log as a row: a mark when it tells of a failure, when,
// what, where, and what else it says.
func logLine(l guide.Line, window time.Duration, more ...string) []string {
	mark := " "
	switch {
	case l.Failed():
		mark = "✖"
	case l.Level == "warning" || l.Level == "warn":
		mark = "!"
	}
	event := l.Event
	if event == "" {
		event = "-"
	}
	row := append([]string{mark, moment(l.At, window)}, more...)
	return append(row, visible(event), oneRow(l))
}

// oneRow is what a line says beside its event: what it tells first, then whose it
// is, for a narrow row is cut at its end.
func oneRow(l guide.Line) string {
	ids := []struct{ name, value string }{{"request_id", l.RequestID}, {"plan_id", l.PlanID}, {"pod", l.Pod}}
	parts := slices.DeleteFunc(strings.Fields(l.Text), func(word string) bool {
		return slices.ContainsFunc(ids, func(id struct{ name, value string }) bool { return id.value != "" && word == id.name+"="+id.value })
	})
	for _, id := range ids {
		if id.value != "" {
			parts = append(parts, id.name+"="+id.value)
		}
	}
	return strings.Join(strings.Fields(visible(strings.Join(parts, " "))), " ")
}

// cut shortens each line of a table to so many characters.
func cut(text string, width int) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if runes := []rune(line); len(runes) > width {
			line = string(runes[:width-1]) + "…"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// maxSearched is how much of a search a title repeats.
const maxSearched = 80

// searched says what a search is for, as a person would ask it.
func searched(s guide.Search) string {
	var parts []string
	for _, p := range []struct{ flag, value string }{{"", s.Text}, {"--request-id ", s.RequestID}, {"--plan-id ", s.PlanID}} {
		if p.value != "" {
			parts = append(parts, cut(visible(p.flag+p.value), maxSearched))
		}
	}
	return strings.Join(parts, " ")
}

// bullets are notes, one a line.
func bullets(notes []string) Paragraph {
	var lines []string
	for _, note := range notes {
		lines = append(lines, fmt.Sprintf("• %s", note))
	}
	return Paragraph(strings.Join(lines, "\n"))
}
