package guide

import (
	"cmp"
	"slices"
	"time"
)

// Search narrows the lines to those that contain a text, or have an id. Zero
// narrows nothing.
type Search struct {
	Text      string // in any case of letters, in one of the fields that are shown
	RequestID string
	PlanID    string
}

// Narrows says whether the search leaves lines out.
func (s Search) Narrows() bool { return s != Search{} }

// LogsAsk asks what the logs of a service say over a window that ends now.
type LogsAsk struct {
	Service string
	Search  Search
	Since   time.Duration // above zero
}

// Buckets is how many parts a window is counted in.
const Buckets = 24

// Logs is what the logs of a service say.
type Logs struct {
	Service      string
	Search       Search
	Since, Until time.Time

	Lines  int64     // all lines of the service in the window, whether they match or not
	Newest time.Time // of all lines; zero: there is none
	Pods   int       // that logged; 0: not known

	Rows     []Row  // the runbook's events first, then what else failed; of a search, all that was found
	Failures []Line // newest first
	Latest   []Line // newest first

	Found     int64     // lines that were read because they match
	Bad       int64     // of those, lines that are not JSON objects: they are not shown
	Truncated bool      // more lines match than were read
	Counted   time.Time // how far back the counts reach; Since unless it is truncated
	Unseen    []string  // pods whose logs could not be read, each with why
	Source    string    // like loki
	Command   string    // that a person can paste, to see the lines
}

// Row is one event over the window.
type Row struct {
	Event
	Count  int64
	Counts []int64   // by part of the window, the oldest first; Buckets of them
	Last   time.Time // zero when there is none
}

// Silent says that the service logged nothing at all: then the absence of an
// event proves nothing.
func (l Logs) Silent() bool { return l.Lines == 0 }

// Window is how far back the logs were read.
func (l Logs) Window() time.Duration { return l.Until.Sub(l.Since) }

// Count makes the rows and the failures of lines, newest first. Of a search
// only events that were found have a row.
func (l *Logs) Count(lines []Line) {
	rows := map[string]*Row{}
	var order []string
	add := func(e Event) *Row {
		rows[e.Name] = &Row{Event: e, Counts: make([]int64, Buckets)}
		order = append(order, e.Name)
		return rows[e.Name]
	}
	if !l.Search.Narrows() {
		for _, e := range Events() {
			add(e)
		}
	}
	known := len(order)
	for _, line := range lines {
		row := rows[line.Event]
		if row == nil {
			row = add(Event{Name: line.Event, Kind: kindOf(line.Event)})
		}
		row.take(line, l.Since, l.Until)
		if line.Failed() {
			row.Kind = Failure
			l.Failures = append(l.Failures, line)
		}
	}
	slices.SortStableFunc(order[known:], func(a, b string) int { return cmp.Compare(rows[b].Count, rows[a].Count) })
	for _, name := range order {
		l.Rows = append(l.Rows, *rows[name])
	}
}

func (r *Row) take(line Line, since, until time.Time) {
	r.Count++
	if line.At.After(r.Last) {
		r.Last = line.At
	}
	part := until.Sub(since) / Buckets
	if part > 0 {
		r.Counts[min(max(int(line.At.Sub(since)/part), 0), Buckets-1)]++
	}
}

// Notes are the traps that matter for what was found.
func (l Logs) Notes() []Event {
	var notes []Event
	for _, r := range l.Rows {
		if r.Note.EN != "" && r.NoteAbsent == (r.Count == 0) {
			notes = append(notes, r.Event)
		}
	}
	return notes
}
