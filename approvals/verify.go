package approvals

import (
	"context"
	"slices"
	"time"
)

// How the proof is looked for.
const (
	defaultSettle = 2 * time.Minute
	examineTime   = time.Minute
	firstPause    = time.Second
	longestPause  = 15 * time.Second
)

// prove runs the checks until they pass or the time to settle is over, and ends
// the request.
func (x *execution) prove(ctx context.Context) error {
	after, passed := x.settle(ctx)
	if ctx.Err() != nil { // all calls are made: another replica goes on with the proof
		return context.Cause(ctx)
	}
	faultpoint(FaultProved)
	if passed {
		return x.finish(ctx, Verified, after, "")
	}
	return x.finish(ctx, Unverified, after, "the checks do not pass: look at the thread, then at the next finding")
}

func (x *execution) settle(ctx context.Context) (after []Observation, passed bool) {
	codes := x.r.codes()
	if len(codes) == 0 {
		return nil, true
	}
	wait := x.remedy.Settle
	if wait <= 0 {
		wait = defaultSettle
	}
	deadline := x.s.now().Add(wait)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if seen := x.s.look(ctx, x.r); seen != nil {
			after = seen
		}
		left := deadline.Sub(x.s.now())
		if allPass(after, codes) || left <= 0 || sleep(ctx, min(pause, left)) != nil {
			return after, allPass(after, codes)
		}
	}
}

// look runs the checks once; nil when there is no answer.
func (s *Service) look(ctx context.Context, r Request) []Observation {
	codes := r.codes()
	if len(codes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	seen, err := s.opts.Examine(ctx, r.Plan.Service, codes)
	if err != nil {
		s.opts.Log.WarnContext(ctx, "the checks could not be run", "request", r.ID, "error", err)
		return nil
	}
	// The checks that those need were run too, and prove nothing here.
	return slices.DeleteFunc(seen.Checks, func(o Observation) bool { return !slices.Contains(codes, o.Code) })
}

// allPass says whether each code was seen, and passes. Unknown is not a pass.
func allPass(seen []Observation, codes []string) bool {
	for _, code := range codes {
		i := slices.IndexFunc(seen, func(o Observation) bool { return o.Code == code })
		if i < 0 || !seen[i].passes() {
			return false
		}
	}
	return true
}

// finish records the end, with before and after.
func (x *execution) finish(ctx context.Context, state State, after []Observation, why string) error {
	err := x.record(ctx, Finished{State: state, After: after, Reason: why, At: x.s.now()}, func(r Request) []Note {
		return []Note{
			x.s.note(r, DeedProved, sides(r.Run.Before, after)),
			x.s.note(r, DeedState, map[string]string{KeyReason: why}),
		}
	})
	faultpoint(FaultFinished)
	return ignore(err, ErrConflict)
}

// sides are before and after, side by side.
func sides(before, after []Observation) map[string]string {
	detail := map[string]string{}
	for key, seen := range map[string][]Observation{KeyBefore: before, KeyAfter: after} {
		for _, o := range seen {
			detail[key+o.Code] = o.Status + ": " + o.Summary.EN
		}
	}
	return detail
}
