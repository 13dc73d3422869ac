package slack

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/slack-go/slack/socketmode"
)

// Why the bot is not ready.
var (
	errNotConnected = errors.New("no Socket Mode connection to Slack is open")
	errNotListening = errors.New("the address for Slack's requests is not open")
	errShutOut      = errors.New("the app was uninstalled from the workspace, or its tokens revoked")
)

// links counts the open connections.
type links struct {
	open    atomic.Int32
	metrics *metrics
}

// link is one connection of several, as far as it is open. It belongs to the
// goroutine that takes its events.
type link struct {
	all *links
	up  bool
}

// set notes that the connection opened or closed; to say it twice is no harm.
func (l *link) set(up bool) {
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

// follow notes what an event of the connection says about it. A client that
// connects anew has lost the connection that it had.
func (l *link) follow(event socketmode.EventType) {
	switch event {
	case socketmode.EventTypeHello:
		l.set(true)
	case socketmode.EventTypeConnecting, socketmode.EventTypeConnectionError, socketmode.EventTypeInvalidAuth:
		l.set(false)
	}
}

// Ready returns nil while Slack can reach the bot, or else why it cannot.
func (b *Bot) Ready() error {
	switch {
	case b.out.Load():
		return errShutOut
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
	b.out.Store(true)
}
