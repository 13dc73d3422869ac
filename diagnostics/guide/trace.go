package guide

import (
	"cmp"
	"slices"
	"time"

	"tandem/diagnostics"
)

// TraceAsk asks for the flow of an id over a window that ends now.
type TraceAsk struct {
	ID       string
	Services []string // whose logs are read
	Since    time.Duration
}

// GapAfter is the shortest pause between two lines of a flow that is marked.
const GapAfter = time.Second

// Trace is the flow of a request or a plan across services.
type Trace struct {
	ID           string
	Since, Until time.Time
	Steps        []Step  // the oldest first
	Heard        []Heard // one for each service that was asked for, in the order of the flow
	Related      []string
}

// Step is a line of the flow.
type Step struct {
	Line
	After time.Duration // since the step before
	Gap   bool          // that is long
	First bool          // it is the first failure of the flow
}

// Heard is what the log of one service had of the flow.
type Heard struct {
	Service   string
	Steps     int
	Lines     int64                   // all lines of the service in the window
	Truncated bool                    // more of its lines have the id than were read
	Unseen    []string                // pods whose logs could not be read, each with why
	Blind     *diagnostics.BlindError // nobody could look; nil: the log was read
	Command   string                  // that a person can paste
}

// maxRelated is how many other ids a trace names.
const maxRelated = 5

// Follow puts the lines in order of time, and marks gaps and the first failure.
// Clocks of hosts differ a little, so that steps closer than that may be the
// other way round.
func (t *Trace) Follow(lines []Line) {
	slices.SortStableFunc(lines, func(a, b Line) int { return a.At.Compare(b.At) })
	failed := false
	first := map[string]int{}
	for i, line := range lines {
		step := Step{Line: line}
		if i > 0 {
			step.After = line.At.Sub(lines[i-1].At)
			step.Gap = step.After >= GapAfter
		}
		step.First = line.Failed() && !failed
		failed = failed || line.Failed()
		if _, seen := first[line.Service]; !seen {
			first[line.Service] = i
		}
		t.Steps = append(t.Steps, step)
		t.relate(line.RequestID, line.PlanID)
	}
	place := func(h Heard) int {
		if i, seen := first[h.Service]; seen {
			return i
		}
		return len(lines)
	}
	slices.SortStableFunc(t.Heard, func(a, b Heard) int { return cmp.Compare(place(a), place(b)) })
}

// relate notes the other ids of a line.
func (t *Trace) relate(ids ...string) {
	for _, id := range ids {
		if id != "" && id != t.ID && !slices.Contains(t.Related, id) && len(t.Related) < maxRelated {
			t.Related = append(t.Related, id)
		}
	}
}

// FirstFailure is the first step that failed, if one did.
func (t Trace) FirstFailure() (Step, bool) {
	for _, s := range t.Steps {
		if s.First {
			return s, true
		}
	}
	return Step{}, false
}

// Unseen says whether a log could not be read, or not whole: then the flow may
// have more steps.
func (t Trace) Unseen() bool {
	return slices.ContainsFunc(t.Heard, func(h Heard) bool { return h.Blind != nil || h.Truncated || len(h.Unseen) > 0 })
}
