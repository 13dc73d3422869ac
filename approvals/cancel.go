package approvals

import (
	"context"
	"errors"
)

// Cancel takes a request back on its requester's word. It may be pending, or
// approved and not yet begun. Cancelling what is cancelled is no error.
func (s *Service) Cancel(ctx context.Context, id, by string, via Via, reason string) (Request, error) {
	reason = tidy(reason)
	r, err := s.opts.Store.Request(ctx, id)
	if err != nil {
		return Request{}, err
	}
	if err := s.mayCancel(ctx, r, by); err != nil {
		return Request{}, s.refuse(ctx, err, refused{what: "cancel", by: by, via: via, request: r})
	}
	r, err = s.change(ctx, id, func(r Request) (Change, error) {
		if r.State == Cancelled {
			return Change{}, nil
		}
		next, err := Apply(r, CancelledBy{ID: by, Reason: reason, At: s.now()})
		if err != nil {
			return Change{}, err
		}
		n := s.note(next, DeedState, map[string]string{KeyReason: reason}).by(by, via, "")
		return Change{Request: &next, Notes: []Note{n}, Jobs: following(next)}, nil
	})
	if err != nil {
		return Request{}, s.refuse(ctx, err, refused{what: "cancel", by: by, via: via, request: r})
	}
	return r, nil
}

// mayCancel refuses all but the requester, under any of their accounts.
func (s *Service) mayCancel(ctx context.Context, r Request, by string) error {
	p, err := s.member(ctx, by)
	switch {
	case err != nil:
		return err
	case !r.Requester.Same(p.voter(r.ID)):
		return &Refusal{Why: WhyNotYours, Who: Who{People: []string{r.Requester.ID}}}
	}
	return nil
}

func isRefusal(err error) bool {
	var r *Refusal
	return errors.As(err, &r)
}
