package bench

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// socketConnections are the bot's own number, and so the baseline's.
const socketConnections = 2

// overSocket holds the bot against the loop that slack-go's examples show, each
// with two connections, with some envelopes outstanding at once.
func (t traffic) overSocket(b *testing.B, outstanding int) {
	bareSide, botSide := newStandIn(b), newStandIn(b)
	runBare(b, bareSide)
	t.startBot(b, botSide, nil)
	for _, side := range []*standIn{bareSide, botSide} {
		await(b, "every websocket is open", func() bool { return len(side.sockets()) == socketConnections })
	}
	toBare, toBot := t.asks(bareSide), t.asks(botSide)
	duel(
		b, t.goals(),
		func() volley { return bareSide.envelopes(b, toBare, t.volley, outstanding) },
		func() volley { return t.settled(b, botSide, botSide.envelopes(b, toBot, t.volley, outstanding)) },
	)
}

// runBare is the least that a Socket Mode app can do: read and acknowledge.
func runBare(b *testing.B, s *standIn) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	b.Cleanup(func() {
		cancel()
		s.closeSockets()
		running.Wait()
	})
	api := slackgo.New(
		botToken, slackgo.OptionAppLevelToken(appToken), slackgo.OptionAPIURL(s.URL+"/api/"),
		slackgo.OptionHTTPClient(&http.Client{Timeout: soon}),
	)
	for range socketConnections {
		client := socketmode.New(api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
		running.Go(func() { _ = client.RunContext(ctx) })
		running.Go(func() { acknowledgeAll(ctx, client) })
	}
}

func acknowledgeAll(ctx context.Context, client *socketmode.Client) {
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-client.Events:
			if event.Type != socketmode.EventTypeSlashCommand {
				continue
			}
			if _, ok := event.Data.(slackgo.SlashCommand); ok {
				_ = client.Ack(*event.Request)
			}
		}
	}
}

// envelopes sends so many, each slot its next as soon as its last is
// acknowledged. They are made before the clock runs.
func (s *standIn) envelopes(b *testing.B, a *asks, count, outstanding int) volley {
	b.Helper()
	conns := s.sockets()
	if len(conns) != socketConnections {
		b.Fatalf("%d websockets are open", len(conns))
	}
	ready := make([][][]byte, outstanding)
	for n := range count {
		i := n % outstanding
		ready[i] = append(ready[i], a.envelope(i, n))
	}
	return abreast(b, outstanding, count, func(i int) ([]time.Duration, error) {
		return s.slots[i].send(b.Context(), conns[i%len(conns)], ready[i])
	})
}

func (s slot) send(ctx context.Context, conn *websocket.Conn, ready [][]byte) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	each := make([]time.Duration, 0, len(ready))
	for _, raw := range ready {
		start := time.Now()
		if err := conn.Write(ctx, websocket.MessageText, raw); err != nil {
			return nil, err
		}
		select {
		case <-s:
			each = append(each, time.Since(start))
		case <-ctx.Done():
			return nil, fmt.Errorf("an envelope is not acknowledged: %w", ctx.Err())
		}
	}
	return each, nil
}
