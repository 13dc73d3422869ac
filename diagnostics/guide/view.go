package guide

import (
	"math"
	"time"

	"tandem/diagnostics"
)

// Status is what the logs say at a glance. Silence, and a log that was read in
// part, are not known to be well.
func (l Logs) Status() diagnostics.Status {
	switch {
	case l.Silent():
		return diagnostics.Unknown
	case len(l.Failures) > 0:
		return diagnostics.Fail
	case len(l.Unseen) > 0:
		return diagnostics.Unknown
	default:
		return diagnostics.Pass
	}
}

// Status is what the flow says at a glance.
func (t Trace) Status() diagnostics.Status {
	_, failed := t.FirstFailure()
	switch {
	case failed:
		return diagnostics.Fail
	case len(t.Steps) == 0, t.Unseen():
		return diagnostics.Unknown
	default:
		return diagnostics.Pass
	}
}

// The views are stable contracts for programs, in one language: names and
// meanings of fields stay, and fields are added only. Times are UTC.

// LogsView is Logs for programs.
type LogsView struct {
	Service   string             `json:"service" yaml:"service"`
	Since     time.Time          `json:"since" yaml:"since"`
	Until     time.Time          `json:"until" yaml:"until"`
	Search    SearchView         `json:"search" yaml:"search"`
	Status    diagnostics.Status `json:"status" yaml:"status"`
	Lines     int64              `json:"lines" yaml:"lines"`                       // all of the window
	Newest    *time.Time         `json:"newest,omitempty" yaml:"newest,omitempty"` // of all lines
	Pods      int                `json:"pods" yaml:"pods"`                         // that logged; 0: not known
	Found     int64              `json:"found" yaml:"found"`                       // lines that match
	NotJSON   int64              `json:"not_json" yaml:"not_json"`                 // of those, lines that are not shown
	Truncated bool               `json:"truncated" yaml:"truncated"`               // counts are of the newest lines alone
	Counted   time.Time          `json:"counted_since" yaml:"counted_since"`
	Unseen    []string           `json:"unseen" yaml:"unseen"` // pods that could not be read
	Events    []EventView        `json:"events" yaml:"events"`
	Failures  []LineView         `json:"failures" yaml:"failures"` // newest first
	Latest    []LineView         `json:"latest" yaml:"latest"`     // newest first
	Source    string             `json:"source" yaml:"source"`
	Command   string             `json:"command" yaml:"command"`
}

// SearchView is what a search was for; empty fields narrow nothing.
type SearchView struct {
	Text      string `json:"text,omitempty" yaml:"text,omitempty"`
	RequestID string `json:"request_id,omitempty" yaml:"request_id,omitempty"`
	PlanID    string `json:"plan_id,omitempty" yaml:"plan_id,omitempty"`
}

// EventView is one event over the window, whose parts are of the same length.
type EventView struct {
	Event  string     `json:"event" yaml:"event"`
	Kind   string     `json:"kind" yaml:"kind"` // other, sign, warning or failure
	Count  int64      `json:"count" yaml:"count"`
	Counts []int64    `json:"counts" yaml:"counts"` // by part, the oldest first
	Last   *time.Time `json:"last,omitempty" yaml:"last,omitempty"`
	Note   string     `json:"note,omitempty" yaml:"note,omitempty"` // how its presence or absence is misread
}

// LineView is one line of a log.
type LineView struct {
	At        time.Time `json:"at" yaml:"at"`
	Service   string    `json:"service" yaml:"service"`
	Pod       string    `json:"pod,omitempty" yaml:"pod,omitempty"`
	Event     string    `json:"event" yaml:"event"`
	Level     string    `json:"level,omitempty" yaml:"level,omitempty"`
	RequestID string    `json:"request_id,omitempty" yaml:"request_id,omitempty"`
	PlanID    string    `json:"plan_id,omitempty" yaml:"plan_id,omitempty"`
	Text      string    `json:"text,omitempty" yaml:"text,omitempty"`
	Failed    bool      `json:"failed" yaml:"failed"`
}

// BlindView says why something was not seen.
type BlindView struct {
	Reason diagnostics.Reason `json:"reason" yaml:"reason"`
	Detail string             `json:"detail" yaml:"detail"`
	Next   string             `json:"next,omitempty" yaml:"next,omitempty"`
}

// NothingView stands where nothing could be seen at all.
type NothingView struct {
	Status diagnostics.Status `json:"status" yaml:"status"` // unknown
	Blind  *BlindView         `json:"blind" yaml:"blind"`
}

// BlindIn is a view of why somebody was blind; nil of nil.
func BlindIn(b *diagnostics.BlindError, lang diagnostics.Lang) *BlindView {
	if b == nil {
		return nil
	}
	return &BlindView{Reason: b.Reason, Detail: b.Detail, Next: b.Next.In(lang)}
}

// TraceView is Trace for programs.
type TraceView struct {
	ID      string             `json:"id" yaml:"id"`
	Since   time.Time          `json:"since" yaml:"since"`
	Until   time.Time          `json:"until" yaml:"until"`
	Status  diagnostics.Status `json:"status" yaml:"status"`
	Steps   []StepView         `json:"steps" yaml:"steps"`
	Heard   []HeardView        `json:"heard" yaml:"heard"`
	Related []string           `json:"related" yaml:"related"` // other ids of the flow
}

// StepView is a line of the flow.
type StepView struct {
	LineView `yaml:",inline"`

	AfterMS      int64 `json:"after_ms" yaml:"after_ms"` // since the step before
	Gap          bool  `json:"gap" yaml:"gap"`           // that is long
	FirstFailure bool  `json:"first_failure" yaml:"first_failure"`
}

// HeardView is what the log of one service had.
type HeardView struct {
	Service   string     `json:"service" yaml:"service"`
	Steps     int        `json:"steps" yaml:"steps"`
	Lines     int64      `json:"lines" yaml:"lines"`
	Truncated bool       `json:"truncated" yaml:"truncated"`
	Unseen    []string   `json:"unseen" yaml:"unseen"`
	Blind     *BlindView `json:"blind,omitempty" yaml:"blind,omitempty"`
	Command   string     `json:"command" yaml:"command"`
}

// MetricsView is Metrics for programs.
type MetricsView struct {
	About    string             `json:"about" yaml:"about"`
	Since    time.Time          `json:"since" yaml:"since"`
	Until    time.Time          `json:"until" yaml:"until"`
	Status   diagnostics.Status `json:"status" yaml:"status"`
	Readings []ReadingView      `json:"readings" yaml:"readings"`
}

// ReadingView is one number of a service. One that is not there is left out.
type ReadingView struct {
	Service string             `json:"service" yaml:"service"`
	Group   Group              `json:"group" yaml:"group"`
	Metric  string             `json:"metric" yaml:"metric"`
	What    string             `json:"what" yaml:"what"`
	Unit    string             `json:"unit" yaml:"unit"` // number, share, seconds or per_second
	Status  diagnostics.Status `json:"status" yaml:"status"`
	Now     *float64           `json:"now,omitempty" yaml:"now,omitempty"`
	Worst   *float64           `json:"worst,omitempty" yaml:"worst,omitempty"`
	Warn    *float64           `json:"warn,omitempty" yaml:"warn,omitempty"` // from here on, or below
	Fail    *float64           `json:"fail,omitempty" yaml:"fail,omitempty"`
	Below   bool               `json:"below" yaml:"below"` // what is less is worse
	Trap    string             `json:"trap,omitempty" yaml:"trap,omitempty"`
	Blind   *BlindView         `json:"blind,omitempty" yaml:"blind,omitempty"`
	Series  []SeriesView       `json:"series" yaml:"series"`
	Query   string             `json:"query" yaml:"query"`
	Command string             `json:"command" yaml:"command"`
}

// SeriesView is one line of a picture.
type SeriesView struct {
	Label  string      `json:"label,omitempty" yaml:"label,omitempty"`
	Points []PointView `json:"points" yaml:"points"`
}

// PointView is a number at a time.
type PointView struct {
	At time.Time `json:"at" yaml:"at"`
	V  float64   `json:"v" yaml:"v"`
}

// In is the view in a language.
func (l Logs) In(lang diagnostics.Lang) LogsView {
	v := LogsView{
		Service: l.Service, Since: l.Since.UTC(), Until: l.Until.UTC(), Search: SearchView(l.Search), Status: l.Status(),
		Lines: l.Lines, Newest: moment(l.Newest), Pods: l.Pods, Found: l.Found, NotJSON: l.Bad, Truncated: l.Truncated, Counted: l.Counted.UTC(),
		Unseen: append([]string{}, l.Unseen...), Events: []EventView{}, Failures: linesIn(l.Failures), Latest: linesIn(l.Latest),
		Source: l.Source, Command: l.Command,
	}
	for _, r := range l.Rows {
		e := EventView{Event: r.Name, Kind: kindWord(r.Kind), Count: r.Count, Counts: append([]int64{}, r.Counts...), Last: moment(r.Last)}
		if r.NoteAbsent == (r.Count == 0) {
			e.Note = r.Note.In(lang)
		}
		v.Events = append(v.Events, e)
	}
	return v
}

// In is the view in a language.
func (t Trace) In(lang diagnostics.Lang) TraceView {
	v := TraceView{
		ID: t.ID, Since: t.Since.UTC(), Until: t.Until.UTC(), Status: t.Status(), Steps: []StepView{}, Heard: []HeardView{},
		Related: append([]string{}, t.Related...),
	}
	for _, s := range t.Steps {
		v.Steps = append(v.Steps, StepView{LineView: lineIn(s.Line), AfterMS: s.After.Milliseconds(), Gap: s.Gap, FirstFailure: s.First})
	}
	for _, h := range t.Heard {
		v.Heard = append(v.Heard, HeardView{
			Service: h.Service, Steps: h.Steps, Lines: h.Lines, Truncated: h.Truncated, Unseen: append([]string{}, h.Unseen...),
			Blind: BlindIn(h.Blind, lang), Command: h.Command,
		})
	}
	return v
}

// In is the view in a language.
func (m Metrics) In(lang diagnostics.Lang) MetricsView {
	v := MetricsView{About: m.About, Since: m.Since.UTC(), Until: m.Until.UTC(), Status: m.Status(), Readings: []ReadingView{}}
	for _, r := range m.Readings {
		one := ReadingView{
			Service: r.Service, Group: r.Group, Metric: r.Metric, What: r.What.In(lang), Unit: unitWord(r.Unit), Status: r.Status,
			Now: number(r.Now), Worst: number(r.Worst), Warn: number(r.Limits.Warn), Fail: number(r.Limits.Fail), Below: r.Limits.Below,
			Trap: r.Trap.In(lang), Blind: BlindIn(r.Blind, lang), Series: []SeriesView{}, Query: r.Query, Command: r.Command,
		}
		for _, s := range r.Series {
			series := SeriesView{Label: s.Label, Points: []PointView{}}
			for _, p := range s.Points {
				series.Points = append(series.Points, PointView{At: p.At.UTC(), V: p.V})
			}
			one.Series = append(one.Series, series)
		}
		v.Readings = append(v.Readings, one)
	}
	return v
}

func linesIn(lines []Line) []LineView {
	views := make([]LineView, 0, len(lines))
	for _, l := range lines {
		views = append(views, lineIn(l))
	}
	return views
}

func lineIn(l Line) LineView {
	return LineView{
		At: l.At.UTC(), Service: l.Service, Pod: l.Pod, Event: l.Event, Level: l.Level, RequestID: l.RequestID, PlanID: l.PlanID,
		Text: l.Text, Failed: l.Failed(),
	}
}

// moment is a time that may be none.
func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// number is one that may be none; JSON has no word for what is not a number.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func kindWord(k Kind) string {
	return map[Kind]string{Other: "other", Sign: "sign", Warning: "warning", Failure: "failure"}[k]
}

func unitWord(u Unit) string {
	return map[Unit]string{Number: "number", Share: "share", Seconds: "seconds", PerSecond: "per_second"}[u]
}
