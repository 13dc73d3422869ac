package approvals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Reconcile makes the votes by reaction of every pending request what stands on
// their cards now. Call it after each reconnect and at the start.
func (s *Service) Reconcile(ctx context.Context) error {
	pending, err := s.opts.Store.Requests(ctx, Filter{States: []State{Pending}, Limit: sweepLimit})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range pending {
		if r.Card.TS == "" || !r.Terms.Reactions || overdue(r, s.now()) {
			continue
		}
		if err := s.reconcile(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("reconcile the reactions of request %q: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) reconcile(ctx context.Context, r Request) error {
	shown, err := s.opts.Face.Votes(ctx, r)
	if errors.Is(err, ErrNoCard) {
		return s.Lost(ctx, r.ID, r.Card.TS)
	}
	if err != nil {
		return err
	}
	told, err := s.refusedReactions(ctx, r)
	if err != nil {
		return err
	}
	errs := []error{s.withdrawMissing(ctx, r, shown)}
	for _, choice := range []Choice{Deny, Approve} { // who says both says no
		for _, id := range slices.Sorted(maps.Keys(shown)) {
			b := Ballot{Request: r.ID, Card: r.Card.TS, Channel: r.Card.Channel, By: id, Via: ByReaction, Choice: choice}
			if !slices.Contains(shown[id], choice) || told[id+string(choice)] {
				continue
			}
			errs = append(errs, s.voteFound(ctx, r, b))
		}
	}
	return errors.Join(errs...)
}

// voteFound counts a reaction that was found, and answers when it does not count.
func (s *Service) voteFound(ctx context.Context, r Request, b Ballot) error {
	_, err := s.Vote(ctx, b)
	if refusal, refused := errors.AsType[*Refusal](err); refused {
		s.opts.Face.Refused(ctx, r, b.By, refusal)
		return nil
	}
	return err
}

// refusedReactions are the reactions to which a refusal was told already.
func (s *Service) refusedReactions(ctx context.Context, r Request) (map[string]bool, error) {
	trail, err := s.Trail(ctx, r.ID)
	told := map[string]bool{}
	for _, e := range trail {
		if e.Deed == DeedRefused && e.Via == string(ByReaction) {
			told[e.Actor+e.Detail[KeyChoice]] = true
		}
	}
	return told, err
}

// withdrawMissing takes back the votes whose reaction is not there any more. Of
// those on a card that is gone nobody can tell: they stand.
func (s *Service) withdrawMissing(ctx context.Context, r Request, shown map[string][]Choice) error {
	var errs []error
	for _, v := range r.Votes {
		if v.Via != ByReaction || v.Card != r.Card.TS || slices.Contains(shown[v.ID], v.Choice) {
			continue
		}
		b := Ballot{Request: r.ID, Card: r.Card.TS, Channel: r.Card.Channel, By: v.ID, Via: ByReaction, Choice: v.Choice}
		if _, err := s.Withdraw(ctx, b); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
