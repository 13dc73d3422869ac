package approvals

import (
	"context"
	"errors"
	"time"
)

// overdue says whether a request's time is over.
func overdue(r Request, now time.Time) bool {
	return (r.State == Pending || r.State == Approved) && !now.Before(r.Expires)
}

// expire ends a request that nobody decided in time, or that could not run.
func (s *Service) expire(ctx context.Context, id string) error {
	_, err := s.change(ctx, id, func(r Request) (Change, error) {
		if !overdue(r, s.now()) {
			return Change{}, nil
		}
		why := "nobody decided in time"
		if r.State == Approved {
			why = "it could not be carried out in time"
		}
		next, err := Apply(r, TimeOut{At: s.now()})
		if err != nil {
			return Change{}, err
		}
		n := s.note(next, DeedState, map[string]string{KeyReason: why})
		return Change{Request: &next, Notes: []Note{n}, Jobs: following(next)}, nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
