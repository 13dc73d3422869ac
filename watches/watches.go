// Package watches looks at services again and again, and says what changed.
//
// A Watch is one row: what is looked at, when next, where it is told, and what
// people were told last. Jobs only remind of it: a run begins by claiming the row
// until a time, by compare-and-swap, so that one replica does it, and that the
// claim of one that was killed is taken up when that time is over. An alert of
// Alertmanager is a watch as well, whose runs are asked for by what Alertmanager
// sends.
//
// What is told is a pure function, Judge: quiet while nothing changed, at once
// when something fails, and "cannot tell" only when nobody could look twice in a
// row. A Suppression keeps watches quiet about a check, with an owner and an end.
//
// The package knows no database, no Slack and no Alertmanager: Store, Face and
// Options.Diagnose are what it needs of them.
package watches

import (
	"errors"
	"hash/fnv"
	"time"

	"tandem/diagnostics"
	"tandem/i18n"
)

// Bounds of what people ask for.
const (
	MinEvery       = time.Minute
	MaxEvery       = 24 * time.Hour
	DefaultEvery   = 10 * time.Minute
	MaxSuppression = 30 * 24 * time.Hour
	MaxReason      = 300  // characters
	MaxWatches     = 1000 // alerts among them
)

// Errors that faces explain.
var (
	// ErrTooMany says that there are MaxWatches already.
	ErrTooMany = errors.New("there are too many watches: end some that nobody needs")
	// ErrNone says that there is no such watch or suppression.
	ErrNone = errors.New("there is none")
	// ErrBounds says that an interval, a span or a reason is out of its bounds.
	ErrBounds = errors.New("out of bounds")
)

// Watch is a service that is looked at from time to time, or an alert that
// fires.
type Watch struct {
	ID      string
	Service string // empty: of an alert that names none that is known
	Channel string
	Every   time.Duration // zero: an alert, which is looked at when Alertmanager says something
	By      string        // who asked last: an account, terminal:NAME, or alertmanager
	Lang    i18n.Lang     // of what is told
	Asked   time.Time
	Alert   *Alert // nil: a person asked

	Due     time.Time // when it is looked at next; zero: nobody waits
	Claimed time.Time // until when a run that has begun may take; zero: none has
	Retaken bool      // the run before this one was cut off: it may have told already
	Version int64     // of the row, for the run that claimed it

	Memory Memory
}

// Topic is what there is one watch about: a service in a channel, or an alert.
func (w Watch) Topic() string {
	if w.Alert != nil {
		return "alert\n" + w.Service + "\n" + w.Alert.Group
	}
	return "watch\n" + w.Service + "\n" + w.Channel
}

// After is the next run of a watch after a time. Runs stand on a grid that is
// shifted for each watch by its id, so that many watches do not fall on one
// second, and those that were missed are not caught up with.
func (w Watch) After(t time.Time) time.Time {
	if w.Every <= 0 {
		return time.Time{}
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(w.ID)) // a hash takes everything
	every := int64(w.Every)
	shift := int64(sum.Sum64() % uint64(every))
	passed := (t.UnixNano() - shift) / every
	return time.Unix(0, (passed+1)*every+shift).UTC()
}

// Alert is what Alertmanager says of a group of alerts. Its texts come from
// outside: faces escape them.
type Alert struct {
	Group    string    // Alertmanager's key
	Resolved bool      // none of the group fires any more
	Names    []string  // of those that fire, or fired
	Summary  string    // what the first one says of itself; may be empty
	Service  string    // as the labels say it; empty: they do not
	Labels   []string  // that were looked at for the service
	Known    []string  // services that there are, when Service is none of them
	Began    time.Time // of the oldest
	Heard    time.Time // when Alertmanager said so last
}

// Memory is what a watch remembers from one run to the next.
type Memory struct {
	// Told is the report as people know it, without evidence; nil: they were told
	// nothing yet. A check that is suppressed, or that could not be seen once, is in
	// it as it was told last.
	Told     *diagnostics.Report `json:",omitempty"`
	Unseen   []string            `json:",omitempty"` // codes that could not be seen in the last run, and are told otherwise
	Hushed   []string            `json:",omitempty"` // codes that the last run was quiet about
	Incident *Incident           `json:",omitempty"` // what people are in the middle of; nil: all is as usual

	Ran      time.Time          // when it was looked at last
	Status   diagnostics.Status // what the last run came to
	Headline diagnostics.Text
	Missed   int // runs in a row that gave no report
	Untold   int // runs in a row that could not be told
}

// Incident is a time in which a service is worse than usual. All of it is told in
// one thread.
type Incident struct {
	Thread string // the message that it hangs from
	Began  time.Time
	Was    map[string]diagnostics.Status // what was before, of the checks that became worse
}

// Suppression keeps watches and alerts quiet about a check. What a person asks
// for shows everything.
type Suppression struct {
	Code    string
	Service string // empty: every service
	Owner   string // who looks after it
	By      string // who asked for it
	Reason  string
	Since   time.Time
	Until   time.Time
}

// About says whether it is about a check of a service, now.
func (s Suppression) About(service, code string, now time.Time) bool {
	return s.Code == code && (s.Service == "" || s.Service == service) && now.Before(s.Until)
}
