package watches

import (
	"slices"
	"time"

	"tandem/diagnostics"
)

// blindRuns is how many runs in a row have to be blind before that is told:
// nobody is called for one answer that came late.
const blindRuns = 2

// Kind is what news are.
type Kind string

// The kinds.
const (
	Quiet   Kind = ""        // there is nothing to tell
	First   Kind = "first"   // the first look at it
	Changed Kind = "changed" // something is otherwise than it was told
	Closed  Kind = "closed"  // the alert fires no more
	Lost    Kind = "lost"    // the alert names no service that is known
	Missed  Kind = "missed"  // there was no report, twice in a row: silence would look as if all was well
	Back    Kind = "back"    // there is one again, and nothing changed meanwhile
)

// News is what a run has to tell.
type News struct {
	Kind       Kind
	Report     diagnostics.Report     // all that was seen; zero for Lost and Missed, and for Closed when there was no report
	Difference diagnostics.Difference // of Changed
	Hushed     []Hush                 // suppressions that hide something that is not well
	Broken     []diagnostics.Result   // checks whose suppression is over, and that are not well still
	Run        string                 // by which the report is kept; empty: it is not
	Thread     string                 // where it belongs; empty: a message of its own
	Over       bool                   // the service is as it was before the incident
	Lasted     time.Duration          // of the incident, when it is over
}

// Hush is a suppression, and what it hides.
type Hush struct {
	Suppression
	Status diagnostics.Status
}

// Judge says what to tell of a report, and what to remember when it is told. The
// rules:
//
//   - what did not change is not told, nor which checks follow from a known cause;
//   - a check that cannot be seen once stays what it was, twice in a row it is
//     told as that; it never counts as well again;
//   - a check that is suppressed stays what it was, as do those that fail because
//     of nothing else. When the suppression is over and it is not well, that is
//     told, changed or not;
//   - a service that fails at the first look, or has a check become worse, is in an
//     incident, until every such check is what it was.
func Judge(w Watch, report diagnostics.Report, suppressions []Suppression, now time.Time) (News, Memory) {
	hush := hushed(w.Service, report, suppressions, now)
	told, unseen := effective(w.Memory, report, hush)
	m := Memory{
		Told: &told, Unseen: unseen, Incident: w.Memory.Incident, Ran: now,
		Status: report.Verdict.Status, Headline: report.Verdict.Headline,
	}
	for code, s := range hush {
		if s.Code == code { // what follows from it is judged by itself when it is over
			m.Hushed = append(m.Hushed, code)
		}
	}
	slices.Sort(m.Hushed)
	n := News{Report: report, Hushed: hidden(report, hush)}
	if w.Memory.Told == nil {
		n.Kind = First
		m.Incident = opened(told, now)
	} else {
		n.Broken = broken(w.Memory, report, hush)
		n.Difference = diagnostics.Compare(*w.Memory.Told, told)
		m.Incident = w.Memory.Incident.with(n.Difference, n.Broken, now)
		if worthTelling(n.Difference) || len(n.Broken) > 0 {
			n.Kind = Changed
		}
	}
	if w.Alert != nil { // which says itself when it begins and ends
		m.Incident = w.Memory.Incident.of(*w.Alert)
		if w.Alert.Resolved {
			n.Kind, n.Over = Closed, true
		}
	} else if m.Incident.over(told) {
		n.Over = n.Kind == Changed
	}
	if n.Kind == First && w.Alert != nil && well(told.Verdict.Status) && len(n.Hushed) > 0 {
		n.Kind = Quiet // all that the alert can be about is suppressed
	}
	if n.Kind == Quiet {
		m.Told, m.Incident = w.Memory.Told, w.Memory.Incident
		if w.Alert == nil && w.Memory.Missed >= blindRuns {
			n.Kind = Back
			n.Thread = m.Incident.thread()
		}
		return n, m
	}
	n.Thread = m.Incident.thread()
	if n.Over {
		n.Lasted, m.Incident = now.Sub(m.Incident.Began), nil
	}
	return n, m
}

// worthTelling says whether more changed than what follows from causes that
// people know: of those, the number of symptoms goes up and down.
func worthTelling(d diagnostics.Difference) bool {
	if d.Before.Status != d.After.Status || len(d.Came) > 0 || len(d.Went) > 0 {
		return true
	}
	return slices.ContainsFunc(d.Checks, func(c diagnostics.Change) bool {
		return len(c.After.BecauseOf) == 0 && (len(c.Before.BecauseOf) == 0 || !well(c.After.Status))
	})
}

// hushed are the checks to be quiet about, with the suppression: those that are
// suppressed, and what follows from nothing else.
func hushed(service string, report diagnostics.Report, suppressions []Suppression, now time.Time) map[string]Suppression {
	hush := map[string]Suppression{}
	for _, s := range suppressions {
		for _, r := range report.Checks {
			if s.About(service, r.Code, now) {
				hush[r.Code] = s
			}
		}
	}
	for _, r := range report.Checks {
		if _, is := hush[r.Code]; is || len(r.BecauseOf) == 0 {
			continue
		}
		if !slices.ContainsFunc(r.BecauseOf, func(code string) bool { return hush[code].Code == "" }) {
			hush[r.Code] = hush[r.BecauseOf[0]]
		}
	}
	return hush
}

// hidden are the suppressions that hide something, once each.
func hidden(report diagnostics.Report, hush map[string]Suppression) []Hush {
	var all []Hush
	for _, r := range report.Checks {
		if s, is := hush[r.Code]; is && s.Code == r.Code && !well(r.Status) {
			all = append(all, Hush{s, r.Status})
		}
	}
	return all
}

// broken are the checks that the last run was quiet about, this one is not, and
// that are not well.
func broken(m Memory, report diagnostics.Report, hush map[string]Suppression) []diagnostics.Result {
	var all []diagnostics.Result
	for _, r := range report.Checks {
		if _, is := hush[r.Code]; !is && slices.Contains(m.Hushed, r.Code) && !well(r.Status) && len(r.BecauseOf) == 0 {
			all = append(all, r)
		}
	}
	return all
}

func well(s diagnostics.Status) bool { return s == diagnostics.Pass || s == diagnostics.Skipped }

// effective is the report as people are to know it, and which checks it has
// otherwise than they were seen, because nobody could look once.
func effective(m Memory, report diagnostics.Report, hush map[string]Suppression) (diagnostics.Report, []string) {
	told := diagnostics.Report{Target: report.Target, At: report.At}
	told.Verdict.Headline = report.Verdict.Headline
	before := map[string]diagnostics.Result{}
	if m.Told != nil {
		for _, r := range m.Told.Checks {
			before[r.Code] = r
		}
	}
	var unseen []string
	for _, r := range report.Checks {
		last, known := before[r.Code]
		_, quiet := hush[r.Code]
		once := r.Status == diagnostics.Unknown && known && last.Status != diagnostics.Unknown && !seenBlind(m, r.Code)
		switch {
		case quiet && !known:
			continue
		case quiet:
			r = last
		case once:
			unseen = append(unseen, r.Code)
			r = last
		}
		told.Checks = append(told.Checks, diagnostics.Result{
			Code: r.Code, Title: r.Title, Status: r.Status, Summary: r.Summary, BecauseOf: r.BecauseOf,
		})
	}
	told.Verdict.Status = worst(told.Checks)
	return told, unseen
}

// seenBlind says whether the runs before this one were blind often enough.
func seenBlind(m Memory, code string) bool {
	n := 1
	for _, c := range m.Unseen {
		if c == code {
			n++
		}
	}
	return n >= blindRuns
}

// worst is the status of all checks together, as a verdict has it.
func worst(results []diagnostics.Result) diagnostics.Status {
	for _, s := range []diagnostics.Status{diagnostics.Fail, diagnostics.Unknown, diagnostics.Warn} {
		if slices.ContainsFunc(results, func(r diagnostics.Result) bool { return r.Status == s }) {
			return s
		}
	}
	return diagnostics.Pass
}

// opened is the incident that a service is in at the first look; nil: it fails
// in nothing.
func opened(told diagnostics.Report, now time.Time) *Incident {
	var i *Incident
	for _, r := range told.Checks {
		if r.Status == diagnostics.Fail {
			i = i.note(r.Code, diagnostics.Pass, now)
		}
	}
	return i
}

// with is the incident after a change; nil: there is none.
func (i *Incident) with(d diagnostics.Difference, broken []diagnostics.Result, now time.Time) *Incident {
	for _, changes := range [][]diagnostics.Change{d.Checks, d.Came} {
		for _, c := range changes {
			if badness(c.After.Status) > badness(c.Before.Status) {
				i = i.note(c.Code, c.Before.Status, now)
			}
		}
	}
	for _, r := range broken {
		i = i.note(r.Code, diagnostics.Pass, now)
	}
	return i
}

// of is the incident that an alert is, in the thread that was opened for it.
func (i *Incident) of(a Alert) *Incident {
	next := &Incident{Began: a.Began}
	if i != nil {
		next.Thread = i.Thread
	}
	return next
}

// thread is where an incident is told; empty when there is none.
func (i *Incident) thread() string {
	if i == nil {
		return ""
	}
	return i.Thread
}

// note returns the incident with a check that became worse in it. It changes none
// that somebody else has.
func (i *Incident) note(code string, was diagnostics.Status, now time.Time) *Incident {
	next := &Incident{Began: now, Was: map[string]diagnostics.Status{}}
	if i != nil {
		next.Thread, next.Began = i.Thread, i.Began
		for code, was := range i.Was {
			next.Was[code] = was
		}
	}
	if _, known := next.Was[code]; !known {
		next.Was[code] = was
	}
	return next
}

// over says whether every check is what it was before the incident. What cannot
// be seen is not, unless it could not be seen before.
func (i *Incident) over(told diagnostics.Report) bool {
	if i == nil {
		return false
	}
	for _, r := range told.Checks {
		was, worse := i.Was[r.Code]
		switch {
		case !worse || r.Status == was:
		case r.Status == diagnostics.Unknown, badness(r.Status) > badness(was):
			return false
		case r.Status == diagnostics.Skipped && len(r.BecauseOf) > 0:
			return false
		}
	}
	return true
}

// badness orders the answers by how much they are worth telling. A check that was
// not there was not bad.
func badness(s diagnostics.Status) int {
	switch s {
	case diagnostics.Warn:
		return 1
	case diagnostics.Unknown:
		return 2
	case diagnostics.Fail:
		return 3
	default:
		return 0
	}
}
