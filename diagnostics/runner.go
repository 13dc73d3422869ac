package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Defaults of a Runner.
const (
	DefaultWidth = 64               // probes at work at once, so that 40 checks without needs do not wait for each other
	DefaultSince = 30 * time.Minute // how far back metrics and logs are read
)

// Runner diagnoses services. It is safe for concurrent use.
type Runner struct {
	Catalog *Catalog
	Now     func() time.Time
	Width   int           // probes at work at once in one diagnosis; zero: DefaultWidth
	Timeout time.Duration // of a whole diagnosis; zero: none but the context's

	Tracer   trace.Tracer // makes a span of each check and probe, below that of the context; nil: none
	Observer Observer
}

// RunOptions narrow one diagnosis.
type RunOptions struct {
	Since    time.Duration  // zero: DefaultSince
	Only     []string       // codes; what they need is included. Empty: all
	Progress func(Progress) // called after each check, never concurrently; optional
}

// Progress says that a check was judged.
type Progress struct {
	Done, Total int
	Result      Result // its BecauseOf is not known yet
}

// CheckError says that an asked check does not exist or does not apply.
type CheckError struct {
	Code    string
	Service string // set when the check exists and does not apply to it
}

func (e *CheckError) Error() string {
	if e.Service != "" {
		return fmt.Sprintf("check %s does not apply to %s", e.Code, e.Service)
	}
	return fmt.Sprintf("no check %s in the catalogue", e.Code)
}

// Run diagnoses a service. It gathers each distinct fact once, a check's facts
// as soon as the checks that it needs are judged, and reports what it found
// also when nothing could be seen. Its errors are a *CheckError, an error in the
// catalogue's applies or arguments, or that of a context that ended.
func (r *Runner) Run(ctx context.Context, service Target, opts RunOptions) (Report, error) {
	if opts.Since == 0 {
		opts.Since = DefaultSince
	}
	start := r.Now()
	checks, err := r.Catalog.selection(service, opts)
	if err != nil {
		return Report{}, err
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if r.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, r.Timeout)
	}
	defer cancel()
	run, err := r.newRun(service, opts.Since, checks)
	if err != nil {
		return Report{}, err
	}
	results := run.all(withMemo(limited), opts.Progress)
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	report := Report{Target: service.Name, At: start.UTC(), Checks: results}
	report.Verdict = conclude(service.Name, checks, results)
	report.Took = r.Now().Sub(start)
	run.witness.judged(report.Checks)
	return report, nil
}

// selection lists the checks for a service in the order of the chain.
func (c *Catalog) selection(service Target, opts RunOptions) ([]*Check, error) {
	wanted := map[string]bool{}
	var want func(code string)
	want = func(code string) {
		if !wanted[code] {
			wanted[code] = true
			for _, need := range c.byCode[code].Needs {
				want(need)
			}
		}
	}
	for _, code := range opts.Only {
		if c.byCode[code] == nil {
			return nil, &CheckError{Code: code}
		}
		want(code)
	}
	var checks []*Check
	for _, check := range c.checks {
		applies, err := check.applies(service, opts.Since)
		switch {
		case err != nil:
			return nil, err
		case !applies && slices.Contains(opts.Only, check.Code):
			return nil, &CheckError{Code: check.Code, Service: service.Name}
		case applies && (len(opts.Only) == 0 || wanted[check.Code]):
			checks = append(checks, check)
		}
	}
	return checks, nil
}

// run is one diagnosis at work.
type run struct {
	service Target
	since   time.Duration
	now     func() time.Time
	witness witness
	slots   chan struct{} // a token for each probe at work
	checks  []*Check
	tasks   map[string]*task      // by code
	gathers map[string]*gathering // by question
}

// task is one check at work; its results may be read once done is closed.
type task struct {
	check  *Check
	facts  []*gathering // one for each of its facts
	done   chan struct{}
	result Result
	closed map[string]closedGate // by system: gates at or before this check that did not pass
}

// closedGate is a gate that did not pass.
type closedGate struct {
	code   string
	status Status
	blind  *BlindError
}

// gathering is one question, asked once however many checks want it.
type gathering struct {
	probe Probe
	args  any
	once  sync.Once

	facts    any
	evidence []Evidence
	blind    *BlindError
}

func (r *Runner) newRun(service Target, since time.Duration, checks []*Check) (*run, error) {
	width := r.Width
	if width == 0 {
		width = DefaultWidth
	}
	run := &run{
		service: service, since: since, now: r.Now, witness: r.witness(), checks: checks,
		slots: make(chan struct{}, width),
		tasks: make(map[string]*task, len(checks)), gathers: map[string]*gathering{},
	}
	for _, check := range checks {
		t := &task{check: check, done: make(chan struct{})}
		for _, f := range check.program.facts {
			g, err := run.gathering(f)
			if err != nil {
				return nil, fmt.Errorf("check %s: %w", check.Code, err)
			}
			t.facts = append(t.facts, g)
		}
		run.tasks[check.Code] = t
	}
	return run, nil
}

func (r *run) gathering(f factProgram) (*gathering, error) {
	args, err := f.arguments(r.service, r.since)
	if err != nil {
		return nil, err
	}
	key, err := argsKey(f.probe.Name, args)
	if err != nil {
		return nil, err
	}
	if r.gathers[key] == nil {
		r.gathers[key] = &gathering{probe: f.probe, args: args}
	}
	return r.gathers[key], nil
}

// all judges every check and returns the results in the order of the chain.
func (r *run) all(ctx context.Context, progress func(Progress)) []Result {
	judged := make(chan *task, len(r.checks))
	var wg sync.WaitGroup
	for _, check := range r.checks {
		t := r.tasks[check.Code]
		wg.Go(func() {
			r.judge(ctx, t)
			close(t.done)
			judged <- t
		})
	}
	for i := range r.checks {
		t := <-judged
		if progress != nil {
			progress(Progress{Done: i + 1, Total: len(r.checks), Result: t.result})
		}
	}
	wg.Wait()
	results := make([]Result, 0, len(r.checks))
	for _, check := range r.checks {
		results = append(results, r.tasks[check.Code].result)
	}
	return results
}

// judge waits for the checks that this one needs, gathers and judges.
func (r *run) judge(ctx context.Context, t *task) {
	for _, need := range t.check.Needs {
		if needed := r.tasks[need]; needed != nil {
			<-needed.done // ends, because every probe has a deadline
			t.inherit(needed)
		}
	}
	ctx, end := r.witness.check(ctx, t.check.Code)
	defer func() { end(t.result) }()
	start := r.now()
	in := r.gatherAll(ctx, t)
	j := t.check.judge(in)
	t.result = Result{
		Code: t.check.Code, Title: t.check.Title, Status: j.status, Summary: j.summary, Remedy: j.remedy, Fixes: j.fixes,
		Blind: j.blind, Took: r.now().Sub(start), Evidence: t.evidence(),
	}
	t.skipBehindGate()
	t.closeGate()
}

// closeGate closes this check's own gate when it does not pass. A gate that was
// closed before stays the reason.
func (t *task) closeGate() {
	gate := t.check.Gate
	if gate == "" || t.result.Status == Pass || t.result.Status == Warn {
		return
	}
	if _, already := t.closed[gate]; !already {
		t.closed[gate] = closedGate{code: t.check.Code, status: t.result.Status, blind: t.result.Blind}
	}
}

// inherit takes over the gates that are closed before a needed check.
func (t *task) inherit(needed *task) {
	if t.closed == nil {
		t.closed = map[string]closedGate{}
	}
	maps.Copy(t.closed, needed.closed)
}

// gatherAll gathers the facts of a check side by side, but none behind a
// closed gate: that system is known not to answer.
func (r *run) gatherAll(ctx context.Context, t *task) inputs {
	if t.closed == nil {
		t.closed = map[string]closedGate{}
	}
	var wg sync.WaitGroup
	for _, g := range t.facts {
		if _, closed := t.closed[g.probe.System()]; !closed {
			wg.Go(func() { g.once.Do(func() { r.gather(ctx, g) }) })
		}
	}
	wg.Wait()
	in := inputs{service: r.service, since: r.since, now: r.now(), facts: map[string]any{}, blind: map[string]*BlindError{}}
	for i, g := range t.facts {
		name := t.check.Facts[i].Name
		gate, closed := t.closed[g.probe.System()]
		switch {
		case closed:
			in.blind[name] = gate.asBlind()
		case g.blind != nil:
			in.blind[name] = g.blind
		default:
			in.facts[name] = g.facts
		}
	}
	return in
}

// asBlind is why nothing was asked behind the gate.
func (g closedGate) asBlind() *BlindError {
	if g.blind != nil {
		return &BlindError{Reason: g.blind.Reason, Detail: g.code + ": " + g.blind.Detail, Next: g.blind.Next, Gate: g.code}
	}
	return &BlindError{Reason: ReasonGate, Detail: "not asked, because " + g.code + " did not pass", Gate: g.code}
}

// skipBehindGate turns unknown into skipped when a failing gate is the reason:
// that the system does not answer is already said, once.
func (t *task) skipBehindGate() {
	if t.result.Status != Unknown || t.result.Blind == nil || t.result.Blind.Gate == "" {
		return
	}
	for _, gate := range t.closed {
		if gate.code == t.result.Blind.Gate && gate.status == Fail {
			t.result.Status = Skipped
		}
	}
}

func (t *task) evidence() []Evidence {
	var all []Evidence
	for _, g := range t.facts {
		if _, closed := t.closed[g.probe.System()]; !closed {
			all = append(all, g.evidence...)
		}
	}
	return all
}

// gather asks one question, under its own deadline. A probe that ignores its
// deadline is left behind: its answer goes to nobody.
func (r *run) gather(ctx context.Context, g *gathering) {
	ctx, end := r.witness.probe(ctx, g.probe.Name)
	defer func() { end(g.blind) }()
	timeout := g.probe.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		g.blind = Blind("ask "+g.probe.Name, ctx.Err())
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-r.slots }()
		answers <- g.probe.ask(ctx, g.args)
	}()
	select {
	case a := <-answers:
		g.facts, g.evidence, g.blind = a.facts, a.evidence, a.blind
	case <-ctx.Done():
		g.settle(ctx, answers)
	}
}

// settleTime is how long an answer may come after its deadline, with the
// evidence of what was asked.
const settleTime = 100 * time.Millisecond

func (g *gathering) settle(ctx context.Context, answers <-chan answer) {
	select {
	case a := <-answers:
		g.facts, g.evidence, g.blind = a.facts, a.evidence, a.blind
	case <-time.After(settleTime):
		g.blind = Blind("ask "+g.probe.Name, ctx.Err())
	}
}

// answer is what a probe came back with.
type answer struct {
	facts    any
	evidence []Evidence
	blind    *BlindError
}

// ask runs the probe and turns errors and panics into blindness.
func (p Probe) ask(ctx context.Context, args any) (a answer) {
	defer func() {
		if broken := recover(); broken != nil {
			// The value of a panic may hold anything, a secret too: only its
			// type and place are told.
			a = answer{blind: &BlindError{
				Reason: ReasonPanic,
				Detail: fmt.Sprintf("probe %s broke (%T)", p.Name, broken),
				Next:   Both("report this as a bug of the bot", "relate isto como um defeito do bot"),
				Err:    &PanicError{Stack: debug.Stack()},
			}}
		}
	}()
	facts, evidence, err := p.gather(ctx, args)
	if err != nil {
		return answer{evidence: evidence, blind: Blind("probe "+p.Name, err)}
	}
	return answer{facts: facts, evidence: evidence}
}

// PanicError is the stack of a probe that panicked.
type PanicError struct{ Stack []byte }

func (e *PanicError) Error() string { return "panic" }

// IsPanic says whether a probe broke, and returns its stack for the log.
func IsPanic(err error) ([]byte, bool) {
	var p *PanicError
	if errors.As(err, &p) {
		return p.Stack, true
	}
	return nil, false
}
