package approvals

import (
	"context"

	"tandem/i18n"
)

// breakGlass stores a request that is approved by its requester alone, together
// with the request to review it, which tells everybody where the policy says.
func (s *Service) breakGlass(ctx context.Context, a Ask, p person, r Request) (Request, bool, error) {
	r, err := Apply(r, GlassBroken{At: s.now()})
	if err != nil {
		return Request{}, false, err
	}
	review := s.review(p, r)
	asked := s.asked(r, a)
	asked.Detail[KeyGlass] = "true"
	c := Change{
		Request: &r, Also: &review, Notes: []Note{asked, s.asked(review, a)},
		Jobs: append(opening(review), Job{Kind: JobShow, Request: r.ID}, Job{Kind: JobExecute, Request: r.ID}),
	}
	if err := s.commit(ctx, c); err != nil {
		return Request{}, false, err
	}
	r.Version++
	return r, false, nil
}

// review is the request in which others look at what was done alone. Nothing is
// carried out by it, so its target keeps nobody from anything.
func (s *Service) review(p person, r Request) Request {
	id := s.opts.NewID()
	next := r
	next.ID, next.State, next.Reviews, next.BrokeGlass, next.Votes = id, Pending, r.ID, false, nil
	next.Requester = p.voter(id)
	next.Plan.Target = "review:" + r.ID
	next.Plan.Calls, next.Plan.Proof, next.Plan.Preconditions = nil, nil, nil
	next.Plan.Does = i18n.Text{
		EN: "Review what was done alone, with broken glass: " + r.Plan.Does.EN,
		PT: "Revisar o que foi feito por uma só pessoa, com quebra de vidro: " + r.Plan.Does.PT,
	}
	next.Fingerprint = next.Plan.Fingerprint()
	next.Decided, next.Asked = Moment{}, s.now()
	next.Expires = next.Asked.Add(reviewPatience)
	next.Place = Place{Channel: s.opts.Policy.BreakGlass.Channel}
	if next.Place.Channel == "" {
		next.Place = r.Place
	}
	return next
}
