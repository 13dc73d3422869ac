package probes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// LogGuide reads logs for people.
type LogGuide struct {
	source LogSource
	now    func() time.Time
}

// NewLogGuide makes a guide of a source; nil: every answer says that none is
// configured.
func NewLogGuide(source LogSource, now func() time.Time) *LogGuide {
	return &LogGuide{source: source, now: now}
}

const (
	maxGuideLines = 1000 // that match
	maxGuideLast  = 200  // the latest, whatever they are
	maxTraceLines = 500  // of one service
)

// Logs reads what the logs of a service say. Errors are a
// *diagnostics.BlindError.
func (g *LogGuide) Logs(ctx context.Context, ask guide.LogsAsk) (guide.Logs, error) {
	if g.source == nil {
		return guide.Logs{}, notConfigured("where the logs are", lokiKey, filesKey, podLogsKey)
	}
	until := g.now()
	base := LogQuery{
		Service: ask.Service, Since: until.Add(-ask.Since), Until: until, Limit: maxGuideLines,
		Text: ask.Search.Text, RequestID: ask.Search.RequestID, PlanID: ask.Search.PlanID,
	}
	logs := guide.Logs{
		Service: ask.Service, Search: ask.Search, Since: base.Since, Until: until, Counted: base.Since,
		Source: g.source.System(), Command: clean(g.source.Command(base), maxObserved),
	}
	logs.Search.Text = clean(ask.Search.Text, maxDetail)
	if ask.Search.Narrows() {
		return logs, g.search(ctx, &logs, base)
	}
	return logs, g.survey(ctx, &logs, base)
}

// search reads the lines that were asked for.
func (g *LogGuide) search(ctx context.Context, logs *guide.Logs, q LogQuery) error {
	read, err := g.read(ctx, q)
	if err != nil {
		return err
	}
	read.counted(logs)
	logs.Count(read.lines)
	logs.Latest = read.lines[:min(len(read.lines), maxGuideLast)]
	logs.Lines, logs.Newest, logs.Pods, logs.Unseen = read.page.Lines, read.page.Newest, len(read.page.Pods), read.page.Unseen
	return nil
}

// survey reads the runbook's events, what else failed, and the latest lines.
func (g *LogGuide) survey(ctx context.Context, logs *guide.Logs, q LogQuery) error {
	events, failures, latest := q, q, q
	events.Events, events.MatchesOnly = guide.EventNames(), true
	failures.Levels, failures.MatchesOnly = guide.FailureLevels(), true
	latest.Limit = maxGuideLast
	queries := []LogQuery{events, failures, latest}
	reads, errs := make([]logRead, len(queries)), make([]error, len(queries))
	parallel(len(queries), func(i int) { reads[i], errs[i] = g.read(ctx, queries[i]) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	reads[0].counted(logs)
	reads[1].counted(logs)
	counted := slices.Concat(reads[0].lines, reads[1].unnamed(events.Events))
	slices.SortStableFunc(counted, func(a, b guide.Line) int { return b.At.Compare(a.At) })
	logs.Count(counted)
	logs.Latest, logs.Bad = reads[2].lines, reads[2].bad // the others look for JSON alone
	logs.Lines, logs.Newest, logs.Pods, logs.Unseen = reads[2].page.Lines, reads[2].page.Newest, len(reads[2].page.Pods), reads[2].page.Unseen
	return nil
}

// logRead is what one query gave.
type logRead struct {
	page  LogPage
	lines []guide.Line // newest first
	bad   int64        // matching lines that are not JSON objects
}

// read asks the source, and keeps the lines that were really asked for.
func (g *LogGuide) read(ctx context.Context, q LogQuery) (logRead, error) {
	ctx, cancel := context.WithTimeout(ctx, slowTimeout)
	defer cancel()
	page, err := g.source.Search(ctx, q)
	if err != nil {
		return logRead{}, blindNetwork("search the logs of "+q.Service, diagnostics.Text{}, err)
	}
	read := logRead{page: page}
	for _, line := range page.Matches {
		record, err := line.record()
		switch {
		case err != nil:
			read.bad++
		case q.keeps(record.event):
			read.lines = append(read.lines, record.shown(q.Service))
		}
	}
	if q.Text != "" { // whether a text is in what is not shown must not be told
		read.bad = 0
		read.page.Truncated = page.Truncated && (len(read.lines) > 0 || len(page.Matches) < q.Limit)
	}
	return read, nil
}

// counted notes what a read says about the counts that are made of it.
func (r logRead) counted(logs *guide.Logs) {
	logs.Found += int64(len(r.lines))
	logs.Bad += r.bad
	if !r.page.Truncated {
		return
	}
	logs.Truncated = true
	if n := len(r.page.Matches); n > 0 && r.page.Matches[n-1].At.After(logs.Counted) {
		logs.Counted = r.page.Matches[n-1].At
	}
}

// unnamed are the lines whose event is none of the names: the others were
// counted already.
func (r logRead) unnamed(names []string) []guide.Line {
	return slices.DeleteFunc(r.lines, func(l guide.Line) bool { return slices.Contains(names, l.Event) })
}

// shown is what a person may see of a line: the fields of its event.
func (r logRecord) shown(service string) guide.Line {
	e := r.event
	return guide.Line{
		At: e.At.UTC(), Service: service, Pod: e.Pod, Event: e.Event, Level: strings.ToLower(e.Level),
		RequestID: e.RequestID, PlanID: e.PlanID, Text: strings.Join(e.details(), " "),
	}
}

// Trace reads the flow of an id across services, several at a time. What keeps
// it from one log stands with that service; it fails only when there is no log
// to read at all, with a *diagnostics.BlindError.
func (g *LogGuide) Trace(ctx context.Context, ask guide.TraceAsk) (guide.Trace, error) {
	if g.source == nil {
		return guide.Trace{}, notConfigured("where the logs are", lokiKey, filesKey, podLogsKey)
	}
	until := g.now()
	trace := guide.Trace{ID: clean(ask.ID, maxDetail), Since: until.Add(-ask.Since), Until: until, Heard: make([]guide.Heard, len(ask.Services))}
	reads := make([]logRead, len(ask.Services))
	parallel(len(ask.Services), func(i int) {
		q := LogQuery{Service: ask.Services[i], AnyID: ask.ID, Since: trace.Since, Until: until, Limit: maxTraceLines}
		heard := guide.Heard{Service: q.Service, Command: clean(g.source.Command(q), maxObserved)}
		read, err := g.read(ctx, q)
		if err != nil && !errors.As(err, &heard.Blind) {
			heard.Blind = &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "search the logs of " + q.Service}
		}
		heard.Steps, heard.Lines, heard.Truncated, heard.Unseen = len(read.lines), read.page.Lines, read.page.Truncated, read.page.Unseen
		trace.Heard[i], reads[i] = heard, read
	})
	var lines []guide.Line
	for _, read := range reads {
		slices.Reverse(read.lines) // of one time, in the order that they were written in
		lines = append(lines, read.lines...)
	}
	trace.Follow(lines)
	return trace, nil
}
