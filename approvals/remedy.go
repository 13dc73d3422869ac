package approvals

import (
	"context"
	"time"

	"tandem/i18n"
)

// Remedy is one way to mend something.
type Remedy struct {
	Name   string    // like kv-undelete
	Title  i18n.Text // like Undelete a secret
	About  i18n.Text // in one sentence, what it does and when it helps
	Risk   Risk
	Params []Param
	// Repeatable says that it may be carried out again after a crash in the
	// middle: the second time changes nothing that the first time did.
	Repeatable bool
	// Procedure says that it is asked for by name, with `run`, and not only
	// offered by findings.
	Procedure bool
	// Settle is how long the checks may take to pass afterwards; zero: 2 minutes.
	Settle time.Duration

	// Plan looks, with the right to read only, and says what it would do. An
	// error is a *Refusal (WhyParameters, WhyBlind, WhyHealthy when there is
	// nothing to do), or a defect.
	Plan func(ctx context.Context, want Want) (Plan, error)
	// Execute carries a plan out, with a privilege that it takes for it and lets
	// go of before it returns. Each call is told to act before and after it is
	// made. An error says in few words what is done and what is not; only the
	// text of a *Trouble is shown and kept, since any other may have come from
	// outside and hold a secret.
	Execute func(ctx context.Context, p Plan, act Act) error
}

// Param is something that a remedy must be told.
type Param struct {
	Name     string
	About    i18n.Text
	Required bool
}

// Want is what a plan is asked for.
type Want struct {
	Service string
	Params  map[string]string
	Seen    []Observation // the finding that offers it; empty when it was asked for by name
}

// Act makes the calls of a remedy known: to the audit before and after each, and
// to the thread.
type Act interface {
	// Call tells that a call is about to be made under an identity, makes it by
	// do, and tells how it ended: do returns a short result without any secret.
	// A call that could not be recorded is not made, nor is one under a kill switch
	// that was pulled meanwhile. It returns the error of do, or its own *Trouble.
	Call(ctx context.Context, call, identity string, do func(context.Context) (result string, err error)) error
	// Say tells the thread something on the way, like a line of a run's output.
	Say(ctx context.Context, line i18n.Text) error
}

// Trouble is an error whose text a remedy made itself, out of words that it
// knows: no text of a server. People read it, and the audit keeps it.
type Trouble struct {
	Text string // in English, short: what is done, what is not, and the next step
	Err  error  // what it comes of; never shown
}

func (t *Trouble) Error() string { return t.Text }

// Unwrap returns what it comes of.
func (t *Trouble) Unwrap() error { return t.Err }

// Examination is what the checks of a service say now.
type Examination struct {
	At     time.Time
	Status string // of the whole: pass, warn, fail, unknown
	Checks []Observation
}

// Examine runs checks of a service now, never an older answer; without codes
// all of them. An error means that there is no answer at all.
type Examine func(ctx context.Context, service string, codes []string) (Examination, error)
