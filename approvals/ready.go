package approvals

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// obstacle is why an approved request is not carried out now: it waits for
// something, or it is over.
type obstacle struct {
	kind      Why
	why       string // in English
	over      bool
	plan      *Plan  // that stands for it, when it is over; nil: none does
	requester person // as judged now
}

func (o *obstacle) Error() string { return o.why }

// ready is all that was judged again.
type ready struct {
	remedy    Remedy
	approvers []string
	before    []Observation
}

// ready judges an approved request again, as if nothing had been said yet. An
// *obstacle says that it is not carried out now.
func (s *Service) ready(ctx context.Context, r Request) (ready, error) {
	if err := s.whole(ctx); err != nil {
		return ready{}, blocks(err)
	}
	d, err := s.redraft(ctx, r)
	if err != nil {
		return ready{}, replanned(err)
	}
	faultpoint(FaultPlanned)
	if err := s.frozen(ctx, d.plan, r.BrokeGlass); err != nil {
		return ready{}, blocks(err)
	}
	if unmet, ok := d.plan.Unmet(); ok {
		return ready{}, &obstacle{kind: WhyPrecondition, why: "a precondition does not hold: " + unmet.Text.EN}
	}
	approvers, requester, err := s.judgeAgain(ctx, r, d.plan)
	if err != nil {
		return ready{}, err
	}
	faultpoint(FaultJudged)
	if d.plan.Fingerprint() != r.Fingerprint {
		why := "the plan is not the one that was approved: the world changed since"
		return ready{}, &obstacle{why: why, over: true, plan: &d.plan, requester: requester}
	}
	before := s.look(ctx, r)
	if before == nil && len(r.codes()) > 0 {
		return ready{}, &obstacle{kind: WhyBlind, why: "the checks could not be run"}
	}
	return ready{remedy: d.remedy, approvers: approvers, before: before}, nil
}

// blocks makes a refusal something to wait for.
func blocks(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		return &obstacle{kind: r.Why, why: r.Error()}
	}
	return err
}

// replanned says what it means that no plan could be made again.
func replanned(err error) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	switch r.Why {
	case WhyBlind, WhyPrecondition, WhyCannotTell, WhyFrozen:
		return blocks(r)
	case WhyHealthy:
		return &obstacle{over: true, why: "the finding is gone: there is nothing to mend"}
	default:
		return &obstacle{over: true, why: "there is no such plan any more: " + tidy(r.Error())}
	}
}

// redraft plans the same again, from the finding as it is now.
func (s *Service) redraft(ctx context.Context, r Request) (draft, error) {
	remedy, ok := s.remedy(r.Plan.Remedy)
	if !ok {
		return draft{}, &Refusal{Why: WhyNoRemedy, Detail: same(r.Plan.Remedy)}
	}
	want := Want{Service: r.Plan.Service, Params: map[string]string{}}
	maps.Copy(want.Params, r.Plan.Params)
	if r.Check != "" {
		seen, fix, err := s.offered(ctx, Ask{Check: r.Check, Remedy: r.Plan.Remedy, Service: r.Plan.Service})
		if err != nil {
			return draft{}, err
		}
		want.Seen = seen
		maps.Copy(want.Params, fix.Params)
	}
	plan, err := s.plan(ctx, remedy, want)
	return draft{remedy: remedy, plan: plan, check: r.Check}, err
}

// judgeAgain judges the requester and the approvers as they are now. When too
// few approvals are left, the same plan is to be approved anew.
func (s *Service) judgeAgain(ctx context.Context, r Request, now Plan) (approvers []string, requester person, err error) {
	requester, err = s.askerStill(ctx, r)
	if err != nil {
		return nil, requester, err
	}
	r.Requester.Keys = append(requester.voter(r.ID).Keys, r.Requester.Keys...)
	var valid []Voter
	var lost string
	for _, v := range r.Approvals() {
		voter, err := s.judgeVoter(ctx, r, v.ID, Approve)
		var refusal *Refusal
		switch {
		case errors.As(err, &refusal) && refusal.Why != WhyCannotTell:
			lost = fmt.Sprintf("%s may no longer approve (%s)", v.ID, refusal.Why)
		case err != nil:
			return nil, requester, blocks(err)
		case !among(valid, voter):
			valid, approvers = append(valid, voter), append(approvers, v.ID)
		}
	}
	quorum := max(r.Terms.Quorum, s.opts.Policy.terms(r.Plan.Risk).Quorum)
	if !r.BrokeGlass && len(valid) < quorum {
		if lost == "" {
			lost = fmt.Sprintf("the policy asks for %d now", quorum)
		}
		why := "there are too few approvals left: " + lost
		return nil, requester, &obstacle{over: true, why: why, plan: &now, requester: requester}
	}
	return approvers, requester, nil
}

func among(voters []Voter, v Voter) bool {
	for _, o := range voters {
		if o.Same(v) {
			return true
		}
	}
	return false
}

// askerStill judges the requester again. A request whose requester may not ask
// any more is over, and nothing stands for it.
func (s *Service) askerStill(ctx context.Context, r Request) (person, error) {
	p, err := s.member(ctx, r.Requester.ID)
	if err == nil {
		err = s.mayAsk(ctx, r.Requester.ID, r.Plan.Risk)
	}
	if err == nil && r.BrokeGlass {
		err = s.mayStillBreak(ctx, r)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Why != WhyCannotTell {
		return p, &obstacle{over: true, why: "the requester may no longer ask for it: " + string(refusal.Why)}
	}
	return p, blocks(err)
}

func (s *Service) mayStillBreak(ctx context.Context, r Request) error {
	if !s.opts.Policy.mayBreakGlass(r.Plan.Risk) {
		return &Refusal{Why: WhyNoBreakGlass}
	}
	return s.among(ctx, s.opts.Policy.BreakGlass.Who, r.Requester.ID)
}

// codes are the checks that are run before and after.
func (r Request) codes() []string {
	if len(r.Plan.Proof) > 0 || r.Check == "" {
		return r.Plan.Proof
	}
	return []string{r.Check}
}
