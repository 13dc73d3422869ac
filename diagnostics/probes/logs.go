package probes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/diagnostics"
)

// LogSource is where logs are kept. NewLoki, NewFiles and NewPodLogs make those
// that there are.
type LogSource interface {
	// Search returns the lines of a service, newest first. An error is a
	// *diagnostics.BlindError.
	Search(ctx context.Context, q LogQuery) (LogPage, error)
	// Command is the query as a command that a person can paste.
	Command(q LogQuery) string
	// System is the name for evidence, like loki.
	System() string
}

// LogQuery asks for lines. A source may give lines that match in appearance
// only, but no more of them than it must: they count against the limit.
type LogQuery struct {
	Service  string
	Events   []string // a line matches that is one of these events; none: every line
	SPIFFEID string   // and is about this caller or about none; empty: whatever it says
	Reason   string   // and has this reason; empty: whatever it says

	Levels    []string // and is of one of these levels, in any case of letters; none: of any
	RequestID string   // and has this id; empty: any
	PlanID    string   // and has this id; empty: any
	AnyID     string   // and has it as the one or the other; empty: any
	Text      string   // and contains this, in any case of letters; empty: anything

	Since time.Time
	Until time.Time
	Limit int // of matching lines
	// MatchesOnly says that Lines, Newest and Pods are not needed, which spares
	// counting over a long window.
	MatchesOnly bool
}

// LogPage is the answer to a LogQuery.
type LogPage struct {
	Lines     int64            // all lines of the service in the window, whether they match or not
	Newest    time.Time        // of all lines
	Pods      map[string]int64 // all lines by pod, as far as the source knows it
	Matches   []LogLine        // newest first
	Read      int64            // lines that were parsed, by the source or because it gives them to be parsed
	Bad       int64            // lines that are not JSON objects, where the source reads them
	Truncated bool             // more lines match, or the window reaches further back than was read
	Unseen    []string         // parts of the logs that could not be read, each with why: what is not found may be there
}

// LogLine is one line as it was written.
type LogLine struct {
	At   time.Time
	Pod  string // empty when not known
	Text string
}

// keeps decides whether an event is one that was asked for.
func (q LogQuery) keeps(e LogEvent) bool {
	switch {
	case len(q.Events) > 0 && !slices.Contains(q.Events, e.Event):
		return false
	case q.SPIFFEID != "" && e.SPIFFEID != "" && e.SPIFFEID != clean(q.SPIFFEID, maxDetail):
		return false
	}
	return (q.Reason == "" || e.Reason == clean(q.Reason, maxDetail)) && q.keepsLevel(e.Level) && q.keepsIDs(e) && q.keepsText(e)
}

func (q LogQuery) keepsLevel(level string) bool {
	return len(q.Levels) == 0 || slices.ContainsFunc(q.Levels, func(l string) bool { return strings.EqualFold(l, level) })
}

func (q LogQuery) keepsIDs(e LogEvent) bool {
	is := func(asked string, ids ...string) bool {
		return asked == "" || slices.Contains(ids, clean(asked, maxDetail))
	}
	return is(q.RequestID, e.RequestID) && is(q.PlanID, e.PlanID) && is(q.AnyID, e.RequestID, e.PlanID)
}

// keepsText looks at what may be shown, and at nothing else of the line:
// otherwise who searches could guess a secret piece by piece.
func (q LogQuery) keepsText(e LogEvent) bool {
	text := strings.ToLower(q.Text)
	return text == "" || slices.ContainsFunc(e.texts(), func(field string) bool { return strings.Contains(strings.ToLower(field), text) })
}

// ids are those that a line must have.
func (q LogQuery) ids() []string {
	return slices.DeleteFunc([]string{q.RequestID, q.PlanID, q.AnyID}, func(id string) bool { return id == "" })
}

// EventsArgs ask for events of a service.
type EventsArgs struct {
	Service  string        `cel:"service"`
	Events   []string      `cel:"events"` // none: all
	Since    time.Duration `cel:"since"`
	SPIFFEID string        `cel:"spiffe_id,optional"` // only events about this caller, or about none; empty: all
	Reason   string        `cel:"reason,optional"`    // only events with this reason; empty: all
}

// VolumeArgs name a service and a window.
type VolumeArgs struct {
	Service string        `cel:"service"`
	Since   time.Duration `cel:"since"`
}

// Volume is how much a service logs, and whether it can be read.
type Volume struct {
	Lines  int64     `cel:"lines"`  // in the window
	Newest time.Time `cel:"newest"` // line
	Read   int64     `cel:"read"`   // newest lines that were parsed
	Bad    int64     `cel:"bad"`    // of those, lines that are not JSON objects
	Unseen []string  `cel:"unseen"` // pods whose logs could not be read, each with why
}

// Events are what was found in the logs of a service. Finding nothing proves
// nothing by itself: logs.volume says whether the service is heard at all.
type Events struct {
	Matched   int64            `cel:"matched"`   // of the newest 1000 lines that match, or of the newest 100 when no event is named
	Counts    map[string]int64 `cel:"counts"`    // by event; an event that was asked for and not found is 0
	Last      LogEvent         `cel:"last"`      // the newest event; zero when none matched
	Events    []LogEvent       `cel:"events"`    // newest first, at most 50
	Read      int64            `cel:"read"`      // lines that were really parsed, among them the bad ones
	Bad       int64            `cel:"bad"`       // of those, lines that are not JSON objects
	Truncated bool             `cel:"truncated"` // not every line of the window that could match was looked at: absence proves nothing
}

// LogEvent is what may be known of a log line: a closed list of fields.
type LogEvent struct {
	At         time.Time `cel:"at"`
	Pod        string    `cel:"pod"` // empty when neither the line nor its stream tells
	Event      string    `cel:"event"`
	Level      string    `cel:"level"`
	Reason     string    `cel:"reason"`
	StatusCode int64     `cel:"status_code"`
	Code       string    `cel:"code"`
	SQLState   string    `cel:"sqlstate"`
	Kid        string    `cel:"kid"`
	Expected   string    `cel:"expected"`
	Actual     string    `cel:"actual"`
	SPIFFEID   string    `cel:"spiffe_id"` // of the caller that the event is about, as it claims
	RequestID  string    `cel:"request_id"`
	PlanID     string    `cel:"plan_id"`
	Error      string    `cel:"error"` // redacted and cut
}

type logProbes struct {
	source LogSource
	now    func() time.Time
}

const (
	lokiKey     = "logs.loki"
	filesKey    = "logs.files"
	maxEvents   = 50   // in the facts
	maxMatches  = 1000 // asked of a source
	maxUnnamed  = 100  // the same when no event is named: then the number of lines is what counts
	eventWindow = 30 * time.Minute
)

// volume is blind when the service has logged nothing at all in the window:
// then the absence of an event says nothing.
func (p logProbes) volume(ctx context.Context, args VolumeArgs) (Volume, []diagnostics.Evidence, error) {
	page, q, t, err := p.search(ctx, LogQuery{Service: args.Service, Limit: maxUnnamed}, args.Since)
	if err != nil {
		return Volume{}, t.list, err
	}
	show := p.source.Command(q)
	if page.Lines == 0 {
		return Volume{}, t.list, t.fail(show, &diagnostics.BlindError{
			Reason: diagnostics.ReasonNoData,
			Detail: "no log line of " + args.Service + " in the last " + window(q).String(),
			Next: diagnostics.Both("check that the service runs, that its logs are shipped, and that the selector or file names fit",
				"verifique se o serviço está rodando, se os logs dele são enviados e se o seletor ou os nomes dos arquivos conferem"),
		})
	}
	found := collect(page, q)
	facts := Volume{Lines: page.Lines, Newest: page.Newest, Read: found.Read, Bad: found.Bad, Unseen: page.Unseen}
	t.add(show, "%d lines, newest of %s; %d of the newest %d are not JSON",
		facts.Lines, facts.Newest.UTC().Format(time.RFC3339), facts.Bad, facts.Read)
	return facts, t.list, nil
}

func (p logProbes) events(ctx context.Context, args EventsArgs) (Events, []diagnostics.Evidence, error) {
	asked := LogQuery{
		Service: args.Service, Events: args.Events, SPIFFEID: args.SPIFFEID, Reason: args.Reason,
		Limit: maxMatches, MatchesOnly: true,
	}
	if len(args.Events) == 0 {
		asked.Limit = maxUnnamed
	}
	page, q, t, err := p.search(ctx, asked, args.Since)
	if err != nil {
		return Events{}, t.list, err
	}
	facts := collect(page, q)
	if len(page.Unseen) > 0 && facts.Matched == 0 {
		return Events{}, t.list, t.fail(p.source.Command(q), halfSeen(args.Service, page.Unseen))
	}
	t.add(p.source.Command(q), "%s", facts.words())
	return facts, t.list, nil
}

// search asks the source over a window that ends now.
func (p logProbes) search(ctx context.Context, q LogQuery, since time.Duration) (LogPage, LogQuery, *trail, error) {
	if p.source == nil {
		return LogPage{}, q, &trail{now: p.now}, notConfigured("where the logs are", lokiKey, filesKey, podLogsKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	if since <= 0 {
		since = eventWindow
	}
	q.Until = p.now()
	q.Since = q.Until.Add(-since)
	t := &trail{source: p.source.System(), now: p.now}
	page, err := p.source.Search(ctx, q)
	if err != nil {
		err = t.fail(p.source.Command(q), blindNetwork("search the logs of "+q.Service, diagnostics.Text{}, err))
	}
	return page, q, t, err
}

// collect keeps the events that were asked for. A source also finds lines that
// merely look like it; what they say decides.
func collect(page LogPage, q LogQuery) Events {
	facts := Events{Read: page.Read, Bad: page.Bad, Truncated: page.Truncated || len(page.Unseen) > 0, Counts: map[string]int64{}}
	for _, name := range q.Events {
		facts.Counts[name] = 0
	}
	for _, line := range page.Matches {
		record, err := line.record()
		if err != nil {
			facts.Bad++
			continue
		}
		if q.keeps(record.event) {
			facts.take(record.event)
		}
	}
	return facts
}

// record is what the line says, and what its source knows of it besides.
func (l LogLine) record() (logRecord, error) {
	record, err := parseLogLine(l.Text)
	if err != nil {
		return record, err
	}
	if record.event.At.IsZero() {
		record.event.At = l.At
	}
	if l.Pod != "" {
		record.event.Pod = clean(l.Pod, maxDetail)
	}
	return record, nil
}

// take counts an event; they come newest first.
func (f *Events) take(e LogEvent) {
	f.Matched++
	if _, known := f.Counts[e.Event]; known || len(f.Counts) < maxEvents {
		f.Counts[e.Event]++
	}
	if f.Matched == 1 {
		f.Last = e
	}
	if len(f.Events) < maxEvents {
		f.Events = append(f.Events, e)
	}
}

func (f *Events) words() string {
	names := slices.Sorted(maps.Keys(f.Counts))
	counts := make([]string, len(names))
	for i, name := range names {
		counts[i] = fmt.Sprintf("%s %d", name, f.Counts[name])
	}
	text := "events: " + list(counts)
	if f.Truncated {
		text += "; there may be more: not all lines were looked at"
	}
	if f.Matched > 0 {
		text += "; last: " + f.Last.words()
	}
	return text
}

// words are the event's fields that say something, in one line.
func (e LogEvent) words() string {
	parts := []string{e.At.UTC().Format(time.RFC3339), e.Event}
	if e.Pod != "" {
		parts = append(parts, "pod="+e.Pod)
	}
	return strings.Join(append(parts, e.details()...), " ")
}

// texts are its fields but the time.
func (e LogEvent) texts() []string {
	return []string{
		e.Event, e.Pod, e.Level, e.Reason, e.Code, e.SQLState, e.Kid, e.Expected, e.Actual, e.SPIFFEID, e.RequestID, e.PlanID, e.Error,
		strconv.FormatInt(e.StatusCode, 10),
	}
}

// details are its fields beside its time, its name and its pod.
func (e LogEvent) details() []string {
	var parts []string
	for _, f := range []struct{ name, value string }{
		{"reason", e.Reason},
		{"code", e.Code},
		{"sqlstate", e.SQLState},
		{"kid", e.Kid},
		{"expected", e.Expected},
		{"actual", e.Actual},
		{"spiffe_id", e.SPIFFEID},
		{"plan_id", e.PlanID},
		{"request_id", e.RequestID},
		{"error", e.Error},
	} {
		if f.value != "" {
			parts = append(parts, f.name+"="+f.value)
		}
	}
	if e.StatusCode != 0 {
		parts = append(parts, fmt.Sprintf("status_code=%d", e.StatusCode))
	}
	return parts
}
