package slack

import (
	"context"
	"errors"
	"sync/atomic"
)

// Why the bot is not ready.
var (
	errNotConnected = errors.New("no Socket Mode connection to Slack is open")
	errSocketOff    = errors.New("the app's settings have Socket Mode turned off")
	errNotListening = errors.New("the address for Slack's requests is not open")
	errShutOut      = errors.New("the app was uninstalled from the workspace, or its tokens revoked")
)

// links counts the open connections.
type links struct {
	open    atomic.Int32
	off     atomic.Bool // Socket Mode is turned off in the app's settings
	metrics *metrics
}

// lineUp is one connection of several, as far as it is open. It belongs to the
// goroutine that reads it.
type lineUp struct {
	all *links
	up  bool
}

// set notes that the connection opened or closed; to say it twice is no harm.
func (l *lineUp) set(up bool) {
	if l.up == up {
		return
	}
	l.up = up
	change := 1
	if !up {
		change = -1
	}
	l.all.open.Add(int32(change))
	l.all.metrics.linked(change)
}

// Ready returns nil while Slack can reach the bot, or else why it cannot.
func (b *Bot) Ready() error {
	switch {
	case b.web.out.Load():
		return errShutOut
	case b.opts.AppToken != "" && b.links.off.Load():
		return errSocketOff
	case b.opts.AppToken != "" && b.links.open.Load() == 0:
		return errNotConnected
	case b.opts.HTTP.Listen != "" && b.HTTPAddress() == "":
		return errNotListening
	default:
		return nil
	}
}

// shutOut notes that the workspace took the app's rights away, which only a
// person can give back.
func (b *Bot) shutOut(ctx context.Context, how string) {
	b.log.ErrorContext(ctx, "the workspace took the app's rights away: install the app again and configure its new tokens", "event", how)
	b.web.out.Store(true)
}
