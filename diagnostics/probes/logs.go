package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// LogSource is where logs are kept. NewLoki and NewFiles make the two there
// are.
type LogSource interface {
	// Search returns the lines of a service, newest first. An error is a
	// *diagnostics.BlindError.
	Search(ctx context.Context, q LogQuery) (LogPage, error)
	// Command is the query as a command that a person can paste.
	Command(q LogQuery) string
	// System is the name for evidence, like loki.
	System() string
}

// LogQuery asks for lines.
type LogQuery struct {
	Service string
	Words   []string // a line matches that contains any; none: every line
	Since   time.Time
	Until   time.Time
	Limit   int // of matching lines
}

// LogPage is the answer to a LogQuery.
type LogPage struct {
	Lines     int64     // all lines of the service in the window, whether they match or not
	Newest    time.Time // of all lines
	Matches   []LogLine // newest first
	Truncated bool      // more lines match, or the window reaches further back than was read
}

// LogLine is one line as it was written.
type LogLine struct {
	At   time.Time
	Text string
}

// EventsArgs ask for events of a service.
type EventsArgs struct {
	Service string        `cel:"service"`
	Events  []string      `cel:"events"` // none: all
	Since   time.Duration `cel:"since"`
}

// Events are what was found in the logs of a service.
type Events struct {
	Lines     int64            `cel:"lines"`  // all lines of the service in the window
	Newest    time.Time        `cel:"newest"` // of all lines
	Matched   int64            `cel:"matched"`
	Counts    map[string]int64 `cel:"counts"` // by event; an event that was asked for and not found is 0
	Last      LogEvent         `cel:"last"`   // the newest event; zero when none matched
	Events    []LogEvent       `cel:"events"` // newest first, at most 50
	Bad       int64            `cel:"bad"`    // lines that matched and are not JSON objects
	Truncated bool             `cel:"truncated"`
}

// LogEvent is what may be known of a log line: a closed list of fields.
type LogEvent struct {
	At         time.Time `cel:"at"`
	Event      string    `cel:"event"`
	Level      string    `cel:"level"`
	Reason     string    `cel:"reason"`
	StatusCode int64     `cel:"status_code"`
	Code       string    `cel:"code"`
	SQLState   string    `cel:"sqlstate"`
	Kid        string    `cel:"kid"`
	Expected   string    `cel:"expected"`
	Actual     string    `cel:"actual"`
	RequestID  string    `cel:"request_id"`
	PlanID     string    `cel:"plan_id"`
	Error      string    `cel:"error"` // redacted and cut
}

type logProbes struct {
	source LogSource
	now    func() time.Time
}

func (p logProbes) events(ctx context.Context, args EventsArgs) (Events, []diagnostics.Evidence, error) {
	return Events{}, nil, notReady()
}
