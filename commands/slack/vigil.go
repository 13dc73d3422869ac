package slack

import (
	"context"
	"time"
)

const (
	// vigilEvery is how often cards are looked at without a reason: Slack may lose
	// an event, and tells nobody of a card that somebody deletes.
	vigilEvery   = time.Minute
	vigilTimeout = 2 * time.Minute
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
	if err := b.opts.Approvals.Reconcile(ctx); err != nil && ctx.Err() == nil {
		b.log.WarnContext(ctx, "read the votes on the cards", "error", err)
	}
}

// noteLinked says that a connection was made, without waiting for anybody.
func (b *Bot) noteLinked() {
	select {
	case b.linked <- struct{}{}:
	default: // somebody is about to look anyway
	}
}
