package diagnostics

import (
	"errors"
	"strings"
	"time"
)

// Errors about runs that are kept.
var (
	// ErrNoRun says that no run of that id is kept, or not any more.
	ErrNoRun = errors.New("there is no such run")
	// ErrRunTooLarge says that a report is larger than what is kept of one.
	ErrRunTooLarge = errors.New("the report is too large to be kept: diagnose with a shorter --since, or fewer checks")
)

// MaxRun is the largest report that is kept, as JSON, in bytes.
const MaxRun = 1 << 20

// Source says who asked for a run.
type Source string

// The sources.
const (
	FromSlack    Source = "slack"    // a person in chat
	FromTerminal Source = "terminal" // a person at a terminal
	FromWatch    Source = "watch"    // the bot, from time to time
	FromAlert    Source = "alert"    // an alert that fired
)

// RunInfo is what is known of a diagnosis that is kept, beside its report.
type RunInfo struct {
	ID      string // as NewRunID makes it; later runs sort behind earlier ones
	Service string
	At      time.Time // when it began; milliseconds are kept
	Status  Status
	Causes  []string // codes, the causes of the verdict
	Source  Source
	Who     string        // the person's id where the source is; empty: nobody, or not known
	Where   string        // the channel's id; empty: none
	Since   time.Duration // how far back it read
	Whole   bool          // all checks, not only some
}

// Run is a diagnosis that is kept, with its report.
type Run struct {
	RunInfo

	Report Report
}

// NewRun is a run to be kept, which has no id yet. Without since it is not said
// how far back it read.
func NewRun(r Report, source Source, since time.Duration, whole bool) Run {
	run := Run{
		RunInfo: RunInfo{Service: r.Target, At: r.At, Status: r.Verdict.Status, Source: source, Since: since, Whole: whole},
		Report:  r,
	}
	for _, c := range r.Verdict.Causes {
		run.Causes = append(run.Causes, c.Code)
	}
	return run
}

// The digits of an id: none of them is taken for another. They sort as their
// values do.
const (
	runDigits = "0123456789abcdefghjkmnpqrstvwxyz"
	timeWidth = 7 // seconds since 1970, until the year 3058
	tailWidth = 2
)

// NewRunID names a run that began at a time: nine letters and digits that are
// easy to type. The tail tells apart those of one second; ten bits of it count.
func NewRunID(at time.Time, tail uint32) string {
	return base32(max(at.Unix(), 0), timeWidth) + base32(int64(tail), tailWidth)
}

// base32 writes the last digits of a number.
func base32(n int64, width int) string {
	digits := make([]byte, width)
	for i := range digits {
		digits[width-1-i] = runDigits[n&31]
		n >>= 5
	}
	return string(digits)
}

// asDigits are what people type for digits.
var asDigits = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// RunID is an id as NewRunID writes it, whatever of it a person typed in capitals
// or mistook for another letter.
func RunID(typed string) string { return asDigits.Replace(strings.ToLower(strings.TrimSpace(typed))) }

// IsRunID says whether a word can be the id of a run.
func IsRunID(id string) bool {
	return len(id) == timeWidth+tailWidth && strings.Trim(id, runDigits) == ""
}

// Map returns a copy of the report with f done to each text in it that a person
// reads: also to what was asked and what came back. Codes, statuses and times
// stay, and so do the names of things.
func (r Report) Map(f func(string) string) Report {
	text := func(t Text) Text { return Text{EN: f(t.EN), PT: f(t.PT)} }
	r.Verdict.Headline = text(r.Verdict.Headline)
	r.Verdict.Causes = mapped(r.Verdict.Causes, func(c Cause) Cause {
		c.Title, c.Remedy, c.Fixes = text(c.Title), text(c.Remedy), mapFixes(c.Fixes, f)
		return c
	})
	r.Checks = mapped(r.Checks, func(c Result) Result {
		c.Title, c.Summary, c.Remedy, c.Fixes = text(c.Title), text(c.Summary), text(c.Remedy), mapFixes(c.Fixes, f)
		c.Evidence = mapped(c.Evidence, func(e Evidence) Evidence {
			e.Invocation, e.Observed = f(e.Invocation), f(e.Observed)
			return e
		})
		if c.Blind != nil {
			c.Blind = &BlindError{Reason: c.Blind.Reason, Detail: f(c.Blind.Detail), Next: text(c.Blind.Next), Gate: c.Blind.Gate, Err: c.Blind.Err}
		}
		return c
	})
	return r
}

func mapFixes(fixes []Fix, f func(string) string) []Fix {
	return mapped(fixes, func(fix Fix) Fix {
		if fix.Params == nil {
			return fix
		}
		params := make(map[string]string, len(fix.Params))
		for name, value := range fix.Params {
			params[name] = f(value)
		}
		return Fix{Remedy: fix.Remedy, Params: params}
	})
}

// mapped is a list of its own; nil stays nil.
func mapped[T any](list []T, f func(T) T) []T {
	if list == nil {
		return nil
	}
	all := make([]T, len(list))
	for i, one := range list {
		all[i] = f(one)
	}
	return all
}
