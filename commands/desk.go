package commands

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/diagnostics"
)

// Defaults of a Desk.
const (
	DefaultJoin = time.Minute     // how long a run takes in those who ask the same
	DefaultKept = 200             // runs that are remembered
	DefaultRun  = 2 * time.Minute // of one run
)

// DeskOptions bound what a desk does. Zero values stand for the defaults.
type DeskOptions struct {
	Join    time.Duration // negative: every question is a run of its own
	Timeout time.Duration
	Kept    int
	Now     func() time.Time
	// Keep keeps what a whole diagnosis found, before anybody is told, and returns
	// the id under which it is kept; empty: it is not. nil: nothing is kept.
	Keep func(ctx context.Context, run *Inquiry, report diagnostics.Report) string
}

// Desk runs diagnoses for everyone who asks. Who asks what somebody asked
// within the last minute gets that one's run, so that a crowd in an incident
// does not multiply the load on systems that are ill already. It remembers the
// latest runs, in memory only. It is safe for use by several goroutines.
type Desk struct {
	diagnoser Diagnoser
	opts      DeskOptions

	mu   sync.Mutex
	runs []*Inquiry // the latest last
	busy sync.WaitGroup
}

// NewDesk returns a desk without runs.
func NewDesk(d Diagnoser, opts DeskOptions) *Desk {
	opts.Join = cmp.Or(opts.Join, DefaultJoin)
	opts.Timeout = cmp.Or(opts.Timeout, DefaultRun)
	opts.Kept = cmp.Or(opts.Kept, DefaultKept)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Desk{diagnoser: d, opts: opts}
}

// Question is what a run answers. Service and Only are as Resolve returns them.
type Question struct {
	Service string
	Since   time.Duration
	Only    []string
	Fresh   bool // do not join a run that has ended

	Who, Where string // of the person that asks, and the channel; they are no part of the question
}

// key is equal for questions that have the same answer.
func (q Question) key() string {
	only := slices.Sorted(slices.Values(q.Only))
	return strings.Join([]string{q.Service, q.Since.String(), strings.Join(slices.Compact(only), ",")}, "\x00")
}

// Inquiry is one diagnosis, under way or ended.
type Inquiry struct {
	ID      string    // names it to people and in the log
	Started time.Time // when it was first asked for
	Question

	takers int  // who want its answer and have not left; the desk's
	began  bool // the desk's

	done     chan struct{}
	mu       sync.Mutex
	progress Progress
	found    []Progress // what is not well
	report   diagnostics.Report
	kept     string
	err      error
}

// Take returns the run that answers the question: a new one named id, or one
// that somebody else asked for. Whoever takes a run leaves it in the end. A new
// one waits for Start, so that nobody's systems are asked for an answer that
// cannot be shown anywhere.
func (d *Desk) Take(id string, q Question) (run *Inquiry, joined bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.opts.Now()
	for _, r := range slices.Backward(d.runs) {
		if r.key() == q.key() && d.joins(r, q, now) {
			r.takers++
			return r, true
		}
	}
	run = &Inquiry{ID: id, Started: now, Question: q, takers: 1, done: make(chan struct{})}
	d.remember(run)
	return run, false
}

// File remembers a diagnosis that somebody else ran, so that it is found like one
// that was asked for.
func (d *Desk) File(id string, report diagnostics.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	run := &Inquiry{ID: id, Started: report.At, Question: Question{Service: report.Target}, began: true, report: report, done: make(chan struct{})}
	close(run.done)
	d.remember(run)
}

// Start begins a run that the caller took, unless somebody did, and says whether
// the caller is the one. The run ends with that one's ctx, whoever else waits
// for it by then.
func (d *Desk) Start(ctx context.Context, run *Inquiry) (first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if run.began {
		return false
	}
	run.began = true
	d.busy.Go(func() { d.diagnose(ctx, run) })
	return true
}

// Leave says that the caller wants nothing more of a run. One that nobody began
// is forgotten with the last who took it.
func (d *Desk) Leave(run *Inquiry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	run.takers--
	if run.takers == 0 && !run.began {
		d.runs = slices.DeleteFunc(d.runs, func(r *Inquiry) bool { return r == run })
	}
}

func (d *Desk) joins(r *Inquiry, q Question, now time.Time) bool {
	switch {
	case d.opts.Join < 0:
		return false
	case !r.Ended():
		return true
	default:
		_, err := r.Result()
		return err == nil && !q.Fresh && now.Sub(r.Started) < d.opts.Join
	}
}

// remember keeps a run, and lets go of the oldest that have ended.
func (d *Desk) remember(run *Inquiry) {
	d.runs = append(d.runs, run)
	surplus := len(d.runs) - d.opts.Kept
	d.runs = slices.DeleteFunc(d.runs, func(r *Inquiry) bool {
		if surplus <= 0 || !r.Ended() {
			return false
		}
		surplus--
		return true
	})
}

// diagnose runs within the time that a run may take. A panic becomes its error.
func (d *Desk) diagnose(ctx context.Context, r *Inquiry) {
	defer close(r.done)
	defer func() {
		if broken := recover(); broken != nil {
			r.end(diagnostics.Report{}, &PanicError{Value: broken, Stack: debug.Stack()})
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	report, err := d.diagnoser.Diagnose(ctx, r.Service, Options{Since: r.Since, Only: r.Only, Progress: r.note})
	r.end(report, err)
	if err == nil && d.opts.Keep != nil && len(r.Only) == 0 {
		r.keptAs(d.opts.Keep(ctx, r, report))
	}
}

// Wait returns when no run is under way any more. Nobody calls Start by then.
func (d *Desk) Wait() { d.busy.Wait() }

// Find returns a remembered run.
func (d *Desk) Find(id string) (*Inquiry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		if r.ID == id {
			return r, true
		}
	}
	return nil, false
}

// Last returns the latest run about a whole service that has a report.
func (d *Desk) Last(service string) (*Inquiry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range slices.Backward(d.runs) {
		if r.Service != service || len(r.Only) > 0 || !r.Ended() {
			continue
		}
		if _, err := r.Result(); err == nil {
			return r, true
		}
	}
	return nil, false
}

// Running returns the runs under way, the oldest first.
func (d *Desk) Running() []*Inquiry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var running []*Inquiry
	for _, r := range d.runs {
		if r.began && !r.Ended() {
			running = append(running, r)
		}
	}
	return running
}

// note remembers how far the run has come. It never waits.
func (r *Inquiry) note(p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = p
	switch p.Status {
	case diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown:
		r.found = append(r.found, p)
	}
}

func (r *Inquiry) end(report diagnostics.Report, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report, r.err = report, err
}

func (r *Inquiry) keptAs(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = id
}

// Kept returns the id under which the report is kept, once the run has ended;
// empty when it is not.
func (r *Inquiry) Kept() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

// Progress returns how far the run has come.
func (r *Inquiry) Progress() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}

// Found returns the checks so far that are failing, warn or could not be seen.
func (r *Inquiry) Found() []Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.found)
}

// Done is closed when the run has ended.
func (r *Inquiry) Done() <-chan struct{} { return r.done }

// Ended says whether the run has ended.
func (r *Inquiry) Ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Result returns what the run found; call it when the run has ended. Errors are
// those of Diagnoser.Diagnose, or a *PanicError.
func (r *Inquiry) Result() (diagnostics.Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report, r.err
}

// PanicError is a panic that became an error, with where it happened.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
