package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	firstPause = 200 * time.Millisecond
	longPause  = 30 * time.Second // the longest between two attempts to connect
	steadyFor  = time.Second      // a connection that lasted longer did not fail; Slack limits by itself how often one is opened
)

// listen keeps the websockets of Socket Mode open until the context is done or
// one of them can never be made. Slack sends each envelope to any one of them,
// so that they share nothing but the intake.
func (b *Bot) listen(ctx, jobs context.Context) error {
	links, ctx := errgroup.WithContext(ctx)
	for range b.opts.Connections {
		links.Go(func() error { return b.keepLinked(ctx, jobs) })
	}
	return links.Wait()
}

// keepLinked keeps one websocket open. Slack says when it is about to close
// one: the next is opened before that, so that nothing is lost between them.
func (b *Bot) keepLinked(ctx, jobs context.Context) error {
	links, ctx := errgroup.WithContext(ctx)
	links.Go(func() error {
		for failures := 0; ; failures++ {
			began := b.opts.Now()
			wait, err := b.linkOnce(ctx, jobs, links)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if next, hopeless := neverLets(err); hopeless {
				return fmt.Errorf("open a Socket Mode connection with the app token: %w: %s", err, next)
			}
			if err == nil && b.opts.Now().Sub(began) > steadyFor {
				failures = 0
			}
			if err := b.web.wait(ctx, max(wait, pauseAfter(failures))); err != nil {
				return err
			}
		}
	})
	return links.Wait()
}

// linkOnce opens a websocket, has it served by a goroutine of its own, and
// returns when the next one is wanted. It says how long Slack wants to be left
// alone, when it does.
func (b *Bot) linkOnce(ctx, jobs context.Context, links *errgroup.Group) (wait time.Duration, err error) {
	l, err := b.dial(ctx)
	if err != nil {
		wait, _ = retryAfter(err)
		b.log.WarnContext(ctx, "no connection to slack", "error", err)
		return wait, err
	}
	links.Go(func() error {
		b.serveLink(ctx, jobs, l)
		return nil
	})
	select {
	case <-l.leaving:
	case <-ctx.Done():
	}
	return 0, nil
}

// pauseAfter grows with the failures in a row, and differs from bot to bot.
func pauseAfter(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	pause := min(longPause, firstPause<<min(failures-1, 10))
	return pause/2 + rand.N(pause/2)
}

// withoutTicket takes the address out of an error, which lets whoever has it in.
func withoutTicket(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("dial the address that Slack gave: %w", wrapped.Err)
	}
	return fmt.Errorf("dial the address that Slack gave: %w", err)
}

// envelope is one message of Slack's over a websocket.
type envelope struct {
	ID      json.RawMessage `json:"envelope_id"` // goes back as it came
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`

	Reason         string `json:"reason"`          // of a disconnect
	NumConnections int    `json:"num_connections"` // in a hello
}

// response acknowledges an envelope, with an answer for a person or nil.
func (e envelope) response(answer any) ([]byte, error) {
	body, err := encodeAnswer(answer)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 0, len(`{"envelope_id":,"payload":}`)+len(e.ID)+len(body))
	raw = append(append(raw, `{"envelope_id":`...), e.ID...)
	if len(body) > 0 {
		raw = append(append(raw, `,"payload":`...), body...)
	}
	if raw = append(raw, '}'); len(raw) >= maxAck {
		return nil, fmt.Errorf("an answer of %d bytes, which Slack drops", len(raw))
	}
	return raw, nil
}

// delivery reads what an envelope carries.
func (e envelope) delivery() (delivery, drop) {
	var d delivery
	var err error
	switch e.Type {
	case "slash_commands":
		err = json.Unmarshal(e.Payload, &d.command)
	case "interactive":
		d, err = parseInteraction(e.Payload)
	case "events_api":
		d, err = parseDelivery(e.Payload)
	default:
		return delivery{}, dropUnknown
	}
	if err != nil || d == (delivery{}) {
		return delivery{}, dropMalformed
	}
	return d, ""
}
