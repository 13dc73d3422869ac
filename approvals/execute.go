package approvals

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// tries bounds how often one request is taken over from an executor that died.
const tries = 5

// execute carries out what is approved, or takes up what a dead executor left.
// It holds the target meanwhile; whoever does not get it leaves it to who has it.
func (s *Service) execute(ctx context.Context, id string) error {
	r, err := s.opts.Store.Request(ctx, id)
	if err != nil || r.State != Approved && r.State != Executing {
		return ignore(err, ErrNotFound)
	}
	held, l, err := s.hold(ctx, targetLease(r))
	if err != nil || l == nil {
		return err
	}
	defer l.release(ctx)
	faultpoint(FaultLocked)
	if r, err = s.opts.Store.Request(held, id); err != nil {
		return err
	}
	switch {
	case r.State == Executing:
		return s.takeOver(held, l, r)
	case overdue(r, s.now()):
		return s.expire(held, id)
	case r.State == Approved:
		return s.begin(held, l, r)
	}
	return nil
}

func targetLease(r Request) string { return "target:" + r.Plan.Target }

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// begin judges all again, and starts.
func (s *Service) begin(ctx context.Context, l *lease, r Request) error {
	ready, err := s.ready(ctx, r)
	var o *obstacle
	switch {
	case errors.As(err, &o) && o.over:
		return s.overtake(ctx, r, o)
	case errors.As(err, &o):
		return s.waits(ctx, r, o)
	case err != nil:
		return err
	}
	x := &execution{s: s, remedy: ready.remedy, r: r}
	judged := s.note(r, DeedJudged, map[string]string{
		KeyApprovers: strings.Join(ready.approvers, ","), KeyFingerprint: r.Fingerprint,
	})
	err = x.save(ctx, Began{Executor: l.owner, Before: ready.before, At: s.now()}, func(next Request) []Note {
		return []Note{judged, s.startNote(next)}
	})
	if err != nil { // a conflict: somebody cancelled it, or it is begun elsewhere
		return ignore(err, ErrConflict)
	}
	faultpoint(FaultBegan)
	return x.run(ctx)
}

func (s *Service) startNote(r Request) Note {
	return s.note(r, DeedState, map[string]string{KeyExecutor: r.Run.Executor, KeyAttempt: strconv.Itoa(r.Run.Attempt)})
}

// takeOver goes on after an executor that died: its lease was free. What cannot
// be repeated and was begun is left to a person.
func (s *Service) takeOver(ctx context.Context, l *lease, r Request) error {
	remedy, ok := s.remedy(r.Plan.Remedy)
	x := &execution{s: s, remedy: remedy, r: r}
	if !ok || !x.resumable() || r.Run.Attempt >= tries {
		return x.interrupted(ctx)
	}
	err := x.save(ctx, Began{Executor: l.owner, At: s.now()}, func(next Request) []Note {
		return []Note{s.startNote(next)}
	})
	if err != nil {
		return ignore(err, ErrConflict)
	}
	if !x.r.Run.Done.IsZero() {
		return x.prove(ctx)
	}
	return x.run(ctx)
}

// overtake ends an approved request whose plan or approvers are not what they
// were, and opens the one that stands for it, if one can.
func (s *Service) overtake(ctx context.Context, r Request, o *obstacle) error {
	next, err := s.replacement(ctx, r, o)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, r.ID, func(r Request) (Change, error) { return s.overtaken(r, next, o.why) })
	if isRefusal(err) { // it ended otherwise meanwhile
		return nil
	}
	return err
}

// overtaken ends a request in favour of the next one, which may be nil.
func (s *Service) overtaken(r Request, next *Request, why string) (Change, error) {
	e := Overtaken{Reason: why, At: s.now()}
	if next != nil {
		e.By = next.ID
	}
	ended, err := Apply(r, e)
	if err != nil {
		return Change{}, err
	}
	c := Change{Request: &ended, Also: next, Jobs: following(ended)}
	c.Notes = []Note{s.note(ended, DeedState, map[string]string{KeyReason: why, KeyReplacedBy: e.By})}
	if next != nil {
		c.Notes = append(c.Notes, s.asked(*next, Ask{Reason: next.Reason}))
		c.Jobs = append(c.Jobs, opening(*next)...)
	}
	return c, nil
}

// replacement is the request for the plan as it is now, without any vote. There
// is none when there is no plan, or when another request has its target.
func (s *Service) replacement(ctx context.Context, r Request, o *obstacle) (*Request, error) {
	if o.plan == nil {
		return nil, nil
	}
	if o.plan.Target != r.Plan.Target {
		if _, busy, err := s.openFor(ctx, o.plan.Target); err != nil || busy {
			return nil, err
		}
	}
	a := Ask{Reason: r.Reason, Place: r.Place, Lang: r.Lang}
	next := s.request(a, o.requester, draft{plan: *o.plan, check: r.Check})
	next.Replaces = r.ID
	return &next, nil
}

// waits says once why an approved request is not carried out yet.
func (s *Service) waits(ctx context.Context, r Request, o *obstacle) error {
	trail, err := s.Trail(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, e := range trail {
		if e.Detail[KeyWaits] != "" && e.Detail[KeyWhy] == string(o.kind) {
			return nil
		}
	}
	n := s.note(r, DeedState, map[string]string{KeyWaits: o.why, KeyWhy: string(o.kind)})
	return s.commit(ctx, Change{Notes: []Note{n}, Jobs: []Job{{Kind: JobShow, Request: r.ID}}})
}

// interrupted ends what a dead executor left open, and says where it stood.
func (x *execution) interrupted(ctx context.Context) error {
	return x.finish(ctx, Interrupted, x.s.look(ctx, x.r), x.whereItStood())
}

func (x *execution) whereItStood() string {
	steps := x.r.Run.Steps
	if len(steps) == 0 {
		return "the bot stopped again and again before the first call: nothing was done; ask again"
	}
	last := steps[len(steps)-1]
	if last.Result == "" {
		return fmt.Sprintf("the bot stopped in call %d, and whether it was made is not known: look at %s, then ask again",
			len(steps), x.r.Plan.Target)
	}
	return fmt.Sprintf("the bot stopped after call %d of %d: look at %s, then ask again",
		len(steps), max(len(steps), len(x.r.Plan.Calls)), x.r.Plan.Target)
}
