package slack

import (
	"context"
	"errors"
	"time"

	"tandem/approvals"
)

const (
	// vigilEvery is how often cards are looked at without a reason: Slack may lose
	// an event, and tells nobody of a card that somebody deletes.
	vigilEvery   = time.Minute
	vigilTimeout = 2 * time.Minute
	maxMissed    = 1000 // cards looked for at once
)

// keepVigil reads the votes that stand on the cards at the start, after each
// reconnect and from time to time, until the context is done.
func (b *Bot) keepVigil(ctx context.Context) error {
	ticker := time.NewTicker(vigilEvery)
	defer ticker.Stop()
	for {
		b.reconcile(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-b.linked:
		}
	}
}

func (b *Bot) reconcile(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, vigilTimeout)
	defer cancel()
	if err := errors.Join(b.opts.Approvals.Reconcile(ctx), b.missCards(ctx)); err != nil && ctx.Err() == nil {
		b.log.WarnContext(ctx, "read the votes on the cards", "error", err)
		return
	}
	b.log.DebugContext(ctx, "read the votes on the cards")
}

// missCards looks whether the cards are still there on which reactions do not
// count, and which therefore nobody reads otherwise.
func (b *Bot) missCards(ctx context.Context) error {
	pending, err := b.opts.Approvals.List(ctx, approvals.Filter{States: []approvals.State{approvals.Pending}, Limit: maxMissed})
	var errs []error
	for _, r := range pending {
		if r.Terms.Reactions || r.Card.TS == "" {
			continue
		}
		if _, err := b.Votes(ctx, r); errors.Is(err, approvals.ErrNoCard) {
			errs = append(errs, b.opts.Approvals.Lost(ctx, r.ID, r.Card.TS))
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, err)...)
}

// noteLinked says that a connection was made, without waiting for anybody.
func (b *Bot) noteLinked() {
	select {
	case b.linked <- struct{}{}:
	default: // somebody is about to look anyway
	}
}
