package approvals

import (
	"slices"
	"time"
)

// Event is something that happens to a request; switch on its type.
type Event interface{ event() }

// The events. Who caused them was judged before: Apply knows the rules that
// need no directory.
type (
	// Voted is a vote of somebody entitled.
	Voted struct{ Vote Vote }
	// Withdrawn takes an account's vote back.
	Withdrawn struct {
		ID string
		At time.Time
	}
	// GlassBroken approves without a second person, where that is configured.
	GlassBroken struct{ At time.Time }
	// TimeOut ends a request that nobody decided or that could not run in time.
	TimeOut struct{ At time.Time }
	// CancelledBy ends it on the requester's word.
	CancelledBy struct {
		ID, Reason string
		At         time.Time
	}
	// Overtaken ends it since the world, or who approved it, is no longer the same.
	Overtaken struct {
		By, Reason string // By is the id of the request that stands for it; may be empty
		At         time.Time
	}
	// Began starts the execution, or takes it over from an executor that died.
	Began struct {
		Executor string
		Before   []Observation
		At       time.Time
	}
	// Stepped tells what the execution did.
	Stepped struct {
		Step Step
		Last bool // replaces the last step, whose result is now known
	}
	// Through tells that all calls of the remedy are made; what remains is the proof.
	Through struct{ At time.Time }
	// Finished ends the execution.
	Finished struct {
		State  State // Verified, Unverified, Failed or Interrupted
		After  []Observation
		Reason string
		At     time.Time
	}
)

func (Voted) event()       {}
func (Withdrawn) event()   {}
func (GlassBroken) event() {}
func (TimeOut) event()     {}
func (CancelledBy) event() {}
func (Overtaken) event()   {}
func (Began) event()       {}
func (Stepped) event()     {}
func (Through) event()     {}
func (Finished) event()    {}

// Grace is how long an approved request may wait for its execution.
const Grace = 15 * time.Minute

// Apply returns the request after an event, or a *Refusal. It changes nothing
// that it is given.
func Apply(r Request, e Event) (Request, error) {
	r.Votes, r.Run.Steps = slices.Clone(r.Votes), slices.Clone(r.Run.Steps)
	switch e := e.(type) {
	case Voted:
		return r.voted(e.Vote)
	case Withdrawn:
		return r.withdrawn(e)
	case GlassBroken:
		if r.Reviews != "" {
			return r, &Refusal{Why: WhyNoBreakGlass}
		}
		r.BrokeGlass = true
		return r.approved(e.At)
	case TimeOut:
		return r.end(Expired, e.At, "")
	case CancelledBy:
		if r.Reviews != "" { // what is reviewed was done, and its doer does not end that
			return r, &Refusal{Why: WhyNotYours, Who: r.Terms.Approvers}
		}
		r.Ender = e.ID
		return r.end(Cancelled, e.At, e.Reason)
	case Overtaken:
		r.ReplacedBy = e.By
		return r.end(Superseded, e.At, e.Reason)
	case Began:
		return r.began(e)
	case Stepped:
		return r.stepped(e)
	case Through:
		return r.through(e.At)
	case Finished:
		if r.State != Executing {
			return r, notPending(r)
		}
		r.Run.After = e.After
		return r.end(e.State, e.At, e.Reason)
	default:
		return r, &Refusal{Why: WhyNotPending, Detail: both("no such event", "não existe esse evento")}
	}
}

func notPending(r Request) error { return &Refusal{Why: WhyNotPending, Detail: same(string(r.State))} }

func (r Request) voted(v Vote) (Request, error) {
	switch {
	case r.State != Pending || !v.At.Before(r.Expires):
		return r, notPending(r)
	case v.Choice != Approve && v.Choice != Deny:
		return r, &Refusal{Why: WhyNotEntitled, Detail: both("a vote is to approve or to deny", "um voto aprova ou nega")}
	case r.Requester.Same(v.Voter):
		return r, &Refusal{Why: WhyOwnRequest, Who: r.Terms.Approvers}
	case v.Via == ByReaction && !r.Terms.Reactions:
		return r, &Refusal{Why: WhyReactions, Who: r.Terms.Approvers}
	case v.Reason == "" && (v.Choice == Deny && v.Via != ByReaction || v.Choice == Approve && r.Terms.Reason):
		return r, &Refusal{Why: WhyReason}
	}
	for _, other := range r.Votes {
		if other.ID != v.ID && other.Same(v.Voter) {
			return r, &Refusal{Why: WhySamePerson, Who: r.Terms.Approvers}
		}
	}
	r.Votes = slices.DeleteFunc(r.Votes, func(o Vote) bool { return o.ID == v.ID })
	r.Votes = append(r.Votes, v)
	if v.Choice == Deny {
		r.Ender, r.Decided = v.ID, v.At
		return r.end(Denied, v.At, v.Reason)
	}
	if len(r.Approvals()) >= max(1, r.Terms.Quorum) {
		return r.approved(v.At)
	}
	return r, nil
}

func (r Request) withdrawn(e Withdrawn) (Request, error) {
	if r.State != Pending {
		return r, notPending(r)
	}
	r.Votes = slices.DeleteFunc(r.Votes, func(o Vote) bool { return o.ID == e.ID })
	return r, nil
}

func (r Request) approved(at time.Time) (Request, error) {
	if r.Reviews != "" { // there is nothing to carry out
		r.Decided = at
		return r.end(Reviewed, at, "")
	}
	if !r.State.Leads(Approved) {
		return r, notPending(r)
	}
	r.State, r.Decided, r.Expires = Approved, at, at.Add(Grace)
	return r, nil
}

func (r Request) began(e Began) (Request, error) {
	if r.State != Executing && !r.State.Leads(Executing) {
		return r, notPending(r)
	}
	if r.State == Approved {
		r.Run.Began, r.Run.Before = e.At, e.Before
	}
	r.State, r.Run.Executor = Executing, e.Executor
	r.Run.Attempt++
	return r, nil
}

func (r Request) stepped(e Stepped) (Request, error) {
	if r.State != Executing {
		return r, notPending(r)
	}
	if last := len(r.Run.Steps) - 1; e.Last && last >= 0 {
		r.Run.Steps[last] = e.Step
		return r, nil
	}
	r.Run.Steps = append(r.Run.Steps, e.Step)
	return r, nil
}

func (r Request) through(at time.Time) (Request, error) {
	if r.State != Executing {
		return r, notPending(r)
	}
	r.Run.Done = at
	return r, nil
}

func (r Request) end(state State, at time.Time, why string) (Request, error) {
	if !r.State.Leads(state) {
		return r, notPending(r)
	}
	r.State, r.Ended, r.Ending = state, at, why
	return r, nil
}
