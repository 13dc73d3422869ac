package approvals

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// How long one showing may take, and how long another waits for it.
const (
	showTime = 50 * time.Second
	showWait = 5 * time.Second
)

// show brings the card and the thread up to the row and the trail. One replica
// shows a request at a time, since what is told twice stays told twice.
func (s *Service) show(ctx context.Context, id string) error {
	if s.opts.Face == nil {
		return errors.New("there is no face yet to show requests with")
	}
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	name, owner := "show:"+id, s.owner()
	if err := s.await(ctx, name, owner); err != nil {
		return fmt.Errorf("wait to show request %q: %w", id, err)
	}
	defer s.letGo(ctx, name, owner)
	return s.showNow(ctx, id)
}

// showNow records where the card is before the thread tells anything: votes on it
// count from then on.
func (s *Service) showNow(ctx context.Context, id string) error {
	for {
		behind, err := s.showStep(ctx, id)
		if err != nil || !behind {
			return err
		}
	}
}

// showStep has the face show what it shows at once, and says whether there is
// more.
func (s *Service) showStep(ctx context.Context, id string) (behind bool, err error) {
	r, err := s.opts.Store.Request(ctx, id)
	if err != nil {
		return false, ignore(err, ErrNotFound)
	}
	trail, err := s.Trail(ctx, id)
	if err != nil {
		return false, err
	}
	last := int64(0)
	if len(trail) > 0 {
		last = trail[len(trail)-1].Number
	}
	if r.Card.TS != "" && r.Card.Shown >= last {
		return false, nil
	}
	faultpoint(FaultBeforeShow)
	card, err := s.opts.Face.Show(ctx, r, trail)
	if err != nil {
		return false, fmt.Errorf("show request %q: %w", id, err)
	}
	faultpoint(FaultShown)
	if card == r.Card {
		return false, nil
	}
	return card.Shown < last, s.commit(ctx, Change{Card: &CardChange{Request: id, Card: card}})
}

// Lost tells that the card of a request is not there any more: it is posted
// again, and until then no message is its card.
func (s *Service) Lost(ctx context.Context, id, ts string) error {
	r, err := s.opts.Store.Request(ctx, id)
	if err != nil || r.Card.TS != ts {
		return err
	}
	gone := Card{Channel: r.Card.Channel, Shown: r.Card.Shown}
	return s.commit(ctx, Change{Card: &CardChange{Request: id, Card: gone}, Jobs: []Job{{Kind: JobShow, Request: id}}})
}

// await takes a lease that others hold for moments only.
func (s *Service) await(ctx context.Context, name, owner string) error {
	deadline, pause := s.opts.Now().Add(showWait), 20*time.Millisecond
	for {
		ok, err := s.opts.Leases.Hold(ctx, name, owner, s.opts.Now().Add(showTime+leaseMargin))
		if err != nil || ok {
			return err
		}
		if s.opts.Now().After(deadline) {
			return errors.New("another replica is at it")
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}

// letGo releases a lease even when the work was cancelled. One that cannot be
// released ends by itself.
func (s *Service) letGo(ctx context.Context, name, owner string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseMargin)
	defer cancel()
	if err := s.opts.Leases.Release(ctx, name, owner); err != nil {
		s.opts.Log.WarnContext(ctx, "a lease was not released; it ends by itself", "lease", name, "error", err)
	}
}

// owner names one holder of leases: two works of one replica are two.
func (s *Service) owner() string { return s.opts.Replica + "/" + rand.Text()[:8] }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
