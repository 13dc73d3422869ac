package slack

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	maxEnvelope = 4 << 20 // far above what Slack sends
	// silence is how long a websocket may be quiet: Slack pings every few seconds.
	silence = 30 * time.Second
	// hearTimeout is how long one message may take, which is its acknowledgement:
	// Slack gives 3 s for all of it.
	hearTimeout = time.Second
	// leavingFor is how long a websocket that Slack wants closed is still read.
	leavingFor = 20 * time.Second

	// maxAck is the size from which Slack drops an acknowledgement without a word.
	maxAck = 20 << 10

	methodOpen = "apps.connections.open"
)

// link is one websocket of Socket Mode.
type link struct {
	conn    *websocket.Conn
	alive   *time.Timer // cuts the line when it runs out
	leaving chan struct{}
	leave   func() // closes leaving, once
}

// dial opens a websocket. Errors of Slack's Web API are returned as they are.
func (b *Bot) dial(ctx context.Context) (*link, error) {
	var address string
	err := b.web.once(ctx, methodOpen, func(ctx context.Context) (err error) {
		_, address, err = b.web.api.StartSocketModeContext(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	l := &link{leaving: make(chan struct{})}
	l.leave = sync.OnceFunc(func() { close(l.leaving) })
	l.alive = time.NewTimer(silence)
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient: b.web.http,
		OnPingReceived: func(context.Context, []byte) bool {
			l.alive.Reset(silence)
			return true
		},
	})
	if err != nil {
		return nil, withoutTicket(err)
	}
	conn.SetReadLimit(maxEnvelope)
	l.conn = conn
	return l, nil
}

// serveLink takes what comes over a websocket until that closes, is quiet for
// too long, or the context is done.
func (b *Bot) serveLink(ctx, jobs context.Context, l *link) {
	cut, cancel := context.WithCancel(ctx)
	up := &lineUp{all: &b.links}
	defer up.set(false)
	defer l.leave()
	var cutting sync.WaitGroup
	defer cutting.Wait()
	defer cancel()
	cutting.Go(func() { l.cutWhenOver(cut) })
	ctx = context.WithoutCancel(ctx) // whoever cuts ends reads and writes; a deadline for each costs more than they do
	for {
		l.alive.Reset(silence)
		_, raw, err := l.conn.Read(ctx)
		if err != nil {
			b.log.DebugContext(ctx, "a websocket of slack's ended", "reason", err)
			return
		}
		l.alive.Reset(hearTimeout)
		b.hear(ctx, jobs, l, up, raw)
	}
}

// cutWhenOver closes the websocket when it is quiet for too long or a message
// takes too long, some time after Slack asked for that, or when the context is
// done.
func (l *link) cutWhenOver(ctx context.Context) {
	defer l.alive.Stop()
	select {
	case <-ctx.Done():
	case <-l.alive.C:
	case <-l.leaving:
		goodbye := time.NewTimer(leavingFor)
		defer goodbye.Stop()
		select {
		case <-ctx.Done():
		case <-l.alive.C:
		case <-goodbye.C:
		}
	}
	_ = l.conn.CloseNow() // it fails when it is closed already
}

// hear handles one message, without ever waiting for more than an
// acknowledgement.
func (b *Bot) hear(ctx, jobs context.Context, l *link, up *lineUp, raw []byte) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		b.metrics.dropped(dropMalformed)
		b.log.WarnContext(ctx, "slack sent what is no envelope", "bytes", len(raw))
		return
	}
	switch e.Type {
	case "hello":
		up.set(true)
		b.links.off.Store(false)
		b.noteLinked()
		b.log.InfoContext(ctx, "connected to slack", "connections", e.NumConnections)
	case "disconnect":
		b.toldToLeave(ctx, l, e.Reason)
	default:
		b.unpack(ctx, jobs, l, e)
	}
}

// unpack gives the delivery in an envelope to the intake. What cannot be read
// is acknowledged too: it would only come again.
func (b *Bot) unpack(ctx, jobs context.Context, l *link, e envelope) {
	ack := func(answer any) bool { return b.ack(ctx, l, e, answer) }
	d, why := e.delivery()
	if why == "" {
		b.take(ctx, jobs, d, ack)
		return
	}
	b.metrics.dropped(why)
	b.log.WarnContext(ctx, "slack sent an envelope that cannot be read", "type", e.Type, "why", string(why))
	ack(nil)
}

// toldToLeave has the next websocket opened. This one is read as long as Slack
// leaves it open.
func (b *Bot) toldToLeave(ctx context.Context, l *link, reason string) {
	switch reason {
	case "link_disabled":
		b.links.off.Store(true)
		b.log.ErrorContext(ctx, "Socket Mode is turned off: turn it on in the app's settings")
	case "too_many_websockets":
		b.log.ErrorContext(ctx, "too many websockets of this app: is another bot running with the same app token?")
	}
	b.log.InfoContext(ctx, "slack asks for a new connection", "reason", reason)
	l.leave()
}

// ack acknowledges an envelope and says whether it could.
func (b *Bot) ack(ctx context.Context, l *link, e envelope, payload any) bool {
	if len(e.ID) == 0 {
		return false
	}
	raw, err := e.response(payload)
	if err == nil {
		err = l.conn.Write(ctx, websocket.MessageText, raw)
	}
	if err != nil {
		b.log.WarnContext(ctx, "acknowledge an envelope", "type", e.Type, "error", err)
	}
	return err == nil
}
