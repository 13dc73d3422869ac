package approvals

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"tandem/i18n"
)

// Bounds of one execution.
const (
	longest    = 30 * time.Minute // for the calls of a remedy
	recordTime = 30 * time.Second // for the record of what was done, also after a cancellation
	sayTime    = 10 * time.Second
)

// execution is a request that is being carried out, by this process alone: each
// of its changes is a compare-and-swap on the version that it wrote itself.
type execution struct {
	s      *Service
	remedy Remedy
	mu     sync.Mutex // one call after the other
	r      Request    // as it is in the store
}

// save applies an event and commits it, and again while the store does not
// answer. ErrConflict means that somebody else has the execution now.
func (x *execution) save(ctx context.Context, e Event, notes func(Request) []Note) error {
	next, err := Apply(x.r, e)
	if err != nil {
		return err
	}
	c := Change{Request: &next, Notes: notes(next), Jobs: following(next)}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := x.s.commit(ctx, c)
		if err == nil || x.s.wrote(ctx, next) {
			x.r = next
			x.r.Version++
			return nil
		}
		if errors.Is(err, ErrConflict) || isRefusal(err) || sleep(ctx, pause) != nil {
			return err
		}
	}
}

// record saves what has happened already, so that a cancellation does not stop it.
func (x *execution) record(ctx context.Context, e Event, notes func(Request) []Note) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return x.save(ctx, e, notes)
}

// Call implements Act.
func (x *execution) Call(ctx context.Context, call, identity string, do func(context.Context) (string, error)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	step := Step{Call: call, Identity: identity, At: x.s.now()}
	if err := x.save(ctx, Stepped{Step: step}, x.noting(DeedCalling, step)); err != nil {
		return notMade(err)
	}
	faultpoint(FaultCallRecorded)
	result, err := x.unlessFrozen(ctx, do)
	faultpoint(FaultCallMade)
	step.Result, step.Failed = outcome(result, err), err != nil
	if unrecorded := x.record(ctx, Stepped{Step: step, Last: true}, x.noting(DeedCalled, step)); unrecorded != nil {
		return errors.Join(err, &Trouble{Text: "a call was made and its result could not be recorded", Err: unrecorded})
	}
	faultpoint(FaultResultRecorded)
	return err
}

// unlessFrozen makes the call, unless somebody pulled the kill switch meanwhile.
func (x *execution) unlessFrozen(ctx context.Context, do func(context.Context) (string, error)) (string, error) {
	if err := x.s.frozen(ctx, x.r.Plan, true); err != nil {
		return "", notMade(err)
	}
	return do(ctx)
}

// outcome is a result as people read it; it is never empty, since empty means
// that it is not known.
func outcome(result string, err error) string {
	if err != nil {
		return words(err)
	}
	if result = tidy(result); result == "" {
		return "done"
	}
	return result
}

func notMade(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		return &Trouble{Text: "a call was not made: " + tidy(r.Error()), Err: err}
	}
	return &Trouble{Text: "a call was not made, since it could not be recorded", Err: err}
}

func (x *execution) noting(d Deed, step Step) func(Request) []Note {
	return func(r Request) []Note {
		detail := map[string]string{
			KeyStep: strconv.Itoa(len(r.Run.Steps)), KeyCall: step.Call, KeyIdentity: step.Identity, KeyResult: step.Result,
		}
		if step.Failed {
			detail[KeyFailed] = "true"
		}
		return []Note{x.s.note(r, d, detail)}
	}
}

// Say implements Act. That nobody hears it does not stop the remedy.
func (x *execution) Say(ctx context.Context, line i18n.Text) error {
	if x.s.opts.Face == nil {
		return nil
	}
	said, cancel := context.WithTimeout(ctx, sayTime)
	defer cancel()
	if err := x.s.opts.Face.Say(said, x.r, line); err != nil {
		x.s.opts.Log.WarnContext(ctx, "a line for the thread was not told", "request", x.r.ID, "error", err)
	}
	return ctx.Err()
}

// run carries the plan out, and brings the request to its end unless the process
// is stopped in a place where another can go on.
func (x *execution) run(ctx context.Context) error {
	err := x.carryOut(ctx)
	faultpoint(FaultExecuted)
	switch {
	case err == nil:
		if err := x.record(ctx, Through{At: x.s.now()}, x.throughNote); err != nil {
			return err
		}
		faultpoint(FaultThrough)
		return x.prove(ctx)
	case errors.Is(err, ErrConflict):
		return nil // it is somebody else's now, who also tells how it ended
	case ctx.Err() != nil && x.resumable():
		return context.Cause(ctx) // another replica goes on
	case ctx.Err() != nil:
		return x.finish(ctx, Interrupted, nil, x.whereItStood())
	default:
		return x.finish(ctx, Failed, x.s.look(ctx, x.r), words(err))
	}
}

func (x *execution) throughNote(r Request) []Note { return []Note{x.s.note(r, DeedThrough, nil)} }

// resumable says whether a second executor may go on: all calls are made, or
// none, or they may be made again.
func (x *execution) resumable() bool {
	return x.remedy.Repeatable || len(x.r.Run.Steps) == 0 || !x.r.Run.Done.IsZero()
}

// carryOut calls the remedy. A panic in it is trouble like any other.
func (x *execution) carryOut(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = &Trouble{Text: "the remedy broke off by a defect of its own", Err: fmt.Errorf("panic: %T", p)}
		}
	}()
	return x.remedy.Execute(ctx, x.r.Plan, x)
}
