package approvals

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tandem/i18n"
)

// Ask is an ask for a remedy, by a finding, by the remedy's name, or by both: a
// finding's remedy of that name.
type Ask struct {
	Check      string // code of a finding, whose first remedy is meant
	Remedy     string
	Service    string
	Params     map[string]string // in addition to those that the finding gives
	By         string            // account
	Via        Via
	Reason     string
	BreakGlass bool
	Place      Place
	Lang       string
}

// Plan runs the check again and says what would be done, without asking for it.
// The Refusal says why nothing can be planned; it is not audited, since nothing
// was asked for.
func (s *Service) Plan(ctx context.Context, a Ask) (Plan, error) {
	if _, err := s.member(ctx, a.By); err != nil {
		return Plan{}, err
	}
	d, err := s.draft(ctx, a)
	return d.plan, err
}

// Ask makes a pending request out of a plan made now. Errors are a *Refusal,
// which is audited, or the store's. When an open request for the same target
// has the same fingerprint, that one is returned with found true.
func (s *Service) Ask(ctx context.Context, a Ask) (r Request, found bool, err error) {
	a.Reason = tidy(a.Reason)
	r, found, err = s.ask(ctx, a)
	if err != nil {
		return Request{}, false, s.refuse(ctx, err, refused{
			what: "ask", by: a.By, via: a.Via, channel: a.Place.Channel, detail: map[string]string{
				KeyRemedy: tidy(a.Remedy), KeyCheck: tidy(a.Check), KeyService: tidy(a.Service), KeyReason: a.Reason,
			},
		})
	}
	faultpoint(FaultAsked)
	return r, found, nil
}

func (s *Service) ask(ctx context.Context, a Ask) (Request, bool, error) {
	p, err := s.mayAskNow(ctx, a)
	if err != nil {
		return Request{}, false, err
	}
	d, err := s.draft(ctx, a)
	if err != nil {
		return Request{}, false, err
	}
	if err := s.judgeAsk(ctx, a, d.plan); err != nil {
		return Request{}, false, err
	}
	for range attempts {
		r, found, err := s.open(ctx, a, p, d)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnsure) {
			return r, found, err
		}
	}
	return Request{}, false, &Refusal{Why: WhyUnderWay}
}

// mayAskNow judges all that needs no plan, so that nothing is looked at for
// somebody who may not ask.
func (s *Service) mayAskNow(ctx context.Context, a Ask) (person, error) {
	p, err := s.member(ctx, a.By)
	if err != nil {
		return p, err
	}
	if err := p.known(); err != nil {
		return p, err
	}
	if err := s.whole(ctx); err != nil {
		return p, err
	}
	return p, s.notTooMany(ctx, p)
}

// whole refuses when the audit chain is broken.
func (s *Service) whole(ctx context.Context) error {
	b, err := s.opts.Store.Broken(ctx)
	if err != nil {
		return fmt.Errorf("look at the audit chain: %w", err)
	}
	if b != nil {
		return &Refusal{Why: WhyChain, Detail: i18n.Text{EN: b.What}}
	}
	return nil
}

func (s *Service) notTooMany(ctx context.Context, p person) error {
	limit := s.opts.Policy.PerHour
	if limit <= 0 {
		limit = defaultPerHour
	}
	latest, err := s.opts.Store.Requests(ctx, Filter{Since: s.now().Add(-time.Hour), Limit: 1000})
	if err != nil {
		return err
	}
	count := 0
	for _, r := range latest {
		if r.Reviews == "" && r.Requester.Same(p.voter(r.ID)) {
			count++
		}
	}
	if count >= limit {
		return &Refusal{Why: WhyTooMany, Detail: same(strconv.Itoa(limit))}
	}
	return nil
}

// judgeAsk judges what depends on the plan.
func (s *Service) judgeAsk(ctx context.Context, a Ask, p Plan) error {
	if err := s.mayAsk(ctx, a.By, p.Risk); err != nil {
		return err
	}
	if err := s.frozen(ctx, p, a.BreakGlass); err != nil {
		return err
	}
	if unmet, ok := p.Unmet(); ok {
		return &Refusal{Why: WhyPrecondition, Detail: unmet.said()}
	}
	if !a.BreakGlass {
		return nil
	}
	if !s.opts.Policy.mayBreakGlass(p.Risk) {
		return &Refusal{Why: WhyNoBreakGlass}
	}
	if a.Reason == "" {
		return &Refusal{Why: WhyReason}
	}
	return s.among(ctx, s.opts.Policy.BreakGlass.Who, a.By)
}

// said is what does not hold, and what was seen instead.
func (p Precondition) said() i18n.Text {
	if p.Observed == "" {
		return p.Text
	}
	observed := " (" + p.Observed + ")"
	return i18n.Text{EN: p.Text.EN + observed, PT: p.Text.PT + observed}
}

// open stores the request, or joins the one that is open for its target.
func (s *Service) open(ctx context.Context, a Ask, p person, d draft) (Request, bool, error) {
	standing, ok, err := s.openFor(ctx, d.plan.Target)
	if err != nil {
		return Request{}, false, err
	}
	if ok {
		return s.join(ctx, a, standing, d)
	}
	r := s.request(a, p, d)
	if a.BreakGlass {
		return s.breakGlass(ctx, a, p, r)
	}
	c := Change{Request: &r, Notes: []Note{s.asked(r, a)}, Jobs: opening(r)}
	if err := s.commit(ctx, c); err != nil {
		return Request{}, false, err
	}
	r.Version++
	return r, false, nil
}

// openFor finds the request that keeps others from a target. One whose time is
// over is ended on the way.
func (s *Service) openFor(ctx context.Context, target string) (Request, bool, error) {
	found, err := s.opts.Store.Requests(ctx, Filter{Target: target, States: Open(), Limit: 1})
	if err != nil || len(found) == 0 {
		return Request{}, false, err
	}
	if overdue(found[0], s.now()) {
		return Request{}, false, s.expire(ctx, found[0].ID)
	}
	return found[0], true, nil
}

func (s *Service) join(ctx context.Context, a Ask, standing Request, d draft) (Request, bool, error) {
	if standing.Fingerprint != d.plan.Fingerprint() || a.BreakGlass {
		return Request{}, false, &Refusal{Why: WhyUnderWay, Detail: same(standing.ID)}
	}
	n := s.asked(standing, a)
	n.Detail[KeyJoined] = "true"
	return standing, true, s.commit(ctx, Change{Notes: []Note{n}, Jobs: []Job{{Kind: JobShow, Request: standing.ID}}})
}

func (s *Service) request(a Ask, p person, d draft) Request {
	id, now, terms := s.opts.NewID(), s.now(), s.opts.Policy.terms(d.plan.Risk)
	return Request{
		ID: id, State: Pending, Plan: d.plan, Fingerprint: d.plan.Fingerprint(), Check: d.check,
		Requester: p.voter(id), Reason: a.Reason, Terms: terms, Place: a.Place, Lang: a.Lang,
		Asked: now, Expires: now.Add(terms.Patience),
	}
}

func (s *Service) asked(r Request, a Ask) Note {
	return s.note(r, DeedAsked, map[string]string{
		KeyRemedy: r.Plan.Remedy, KeyService: r.Plan.Service, KeyTarget: r.Plan.Target, KeyCheck: r.Check,
		KeyRisk: string(r.Plan.Risk), KeyFingerprint: r.Fingerprint, KeyReason: a.Reason,
		KeyQuorum: strconv.Itoa(r.Terms.Quorum), KeyReplaces: r.Replaces, KeyReviews: r.Reviews,
	}).by(a.By, a.Via, a.Place.Channel)
}

// opening are the jobs that follow from a new pending request.
func opening(r Request) []Job {
	return []Job{{Kind: JobShow, Request: r.ID}, {Kind: JobExpire, Request: r.ID, At: r.Expires}}
}
