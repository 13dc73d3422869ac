package slack

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"
)

const (
	// ackTimeout bounds the wait for room to acknowledge. Slack gives 3 s for
	// all of it.
	ackTimeout = time.Second
	// maxEnvelope is far above what Slack sends.
	maxEnvelope = 4 << 20
)

// listen serves the connections until the context is done or one of them can
// never be made. Slack sends each envelope to any one of them, so that they
// share nothing but the crew.
func (b *Bot) listen(ctx, jobs context.Context) error {
	connections, ctx := errgroup.WithContext(ctx)
	for range b.opts.Connections {
		connections.Go(func() error { return b.connect(ctx, jobs) })
	}
	return connections.Wait()
}

// connect serves one connection, which the client renews as often as it must.
func (b *Bot) connect(ctx, jobs context.Context) error {
	client := socketmode.New(
		b.web.api,
		socketmode.OptionReadLimit(maxEnvelope),
		socketmode.OptionLog(log.New(io.Discard, "", 0)), // events tell the same, and without payloads
	)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.refused(client.RunContext(ctx)) }) // it renews the connection until an error
	group.Go(func() error { return b.receive(ctx, jobs, client) })
	return group.Wait()
}

// refused adds the next step to an error for which the client gave up.
func (b *Bot) refused(err error) error {
	if next, hopeless := neverLets(err); hopeless {
		return fmt.Errorf("open a Socket Mode connection with the app token: %w: %s", err, next)
	}
	return fmt.Errorf("open a Socket Mode connection: %w", err)
}

func (b *Bot) receive(ctx, jobs context.Context, client *socketmode.Client) error {
	link := &link{all: &b.links}
	defer link.set(false)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event := <-client.Events:
			link.follow(event.Type)
			if err := b.hear(ctx, jobs, client, event); err != nil {
				return err
			}
		}
	}
}

// hear handles one event without ever waiting for more than an ack. It returns
// an error when the connection can never be made.
func (b *Bot) hear(ctx, jobs context.Context, client *socketmode.Client, event socketmode.Event) error {
	switch event.Type {
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		b.take(ctx, jobs, delivered(event), func(answer any) bool { return b.ack(ctx, client, event.Request, answer) })
	case socketmode.EventTypeHello:
		b.log.InfoContext(ctx, "connected to slack", "connections", event.Request.NumConnections)
	case socketmode.EventTypeConnectionError:
		return b.connectionFailed(ctx, event)
	case socketmode.EventTypeErrorBadMessage, socketmode.EventTypeErrorWriteFailed, socketmode.EventTypeIncomingError:
		// The data holds messages of people: only the kind is logged.
		b.log.WarnContext(ctx, "socket mode trouble", "kind", string(event.Type))
	}
	return nil
}

// delivered is the delivery in an envelope.
func delivered(event socketmode.Event) delivery {
	switch data := event.Data.(type) {
	case slackgo.SlashCommand:
		return delivery{command: &data}
	case slackgo.InteractionCallback:
		return delivery{interaction: &data}
	}
	if event.Type == socketmode.EventTypeEventsAPI {
		if e, err := parseEvent(event.Request.Payload); err == nil {
			return delivery{event: e}
		}
	}
	return delivery{}
}

// connectionFailed ends the attempts that the client would repeat for ever
// though only a person can help.
func (b *Bot) connectionFailed(ctx context.Context, event socketmode.Event) error {
	failed, ok := event.Data.(*slackgo.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	if _, hopeless := neverLets(failed.ErrorObj); hopeless {
		return b.refused(failed.ErrorObj)
	}
	b.log.WarnContext(ctx, "no connection to slack", "error", failed.ErrorObj, "again_in", failed.Backoff)
	return nil
}

// ack acknowledges an envelope and says whether it could.
func (b *Bot) ack(ctx context.Context, client *socketmode.Client, req *socketmode.Request, payload any) bool {
	if req == nil || req.EnvelopeID == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	err := client.AckCtx(ctx, req.EnvelopeID, payload)
	if err != nil {
		b.log.WarnContext(ctx, "acknowledge an envelope", "type", req.Type, "error", err)
		return false
	}
	return true
}
