package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	writeLimit = 5 * time.Second
	// warningAhead is how long before a connection's end Slack says so.
	warningAhead = 10 * time.Second
	// leaveGrace is how long a connection that was told to go may still acknowledge.
	leaveGrace = time.Second
	// debugLife is the life of a connection that asks for debug_reconnects.
	debugLife = 360 * time.Second
)

// connection is one websocket of the app.
type connection struct {
	id      string
	ws      *websocket.Conn
	log     *slog.Logger
	life    time.Duration
	ping    time.Duration
	appID   string
	gone    atomic.Bool
	left    func()        // told when it is told to go
	greeted chan struct{} // closed after hello
}

func (s *Server) newConnection(ws *websocket.Conn) *connection {
	ws.SetReadLimit(maxRequest) // an answer that is too large is dropped, the connection stays
	return &connection{
		id: newUUID(), ws: ws, log: s.log, life: s.timing.life, ping: s.timing.pingInterval, appID: s.cfg.App.ID,
		left: s.hub.recount, greeted: make(chan struct{}),
	}
}

// leaving reports whether the connection was told to disconnect: it gets no more envelopes.
func (c *connection) leaving() bool { return c.gone.Load() }

func (c *connection) write(ctx context.Context, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, raw)
}

// carry writes an envelope, but nothing before hello.
func (c *connection) carry(ctx context.Context, env envelope) error {
	select {
	case <-c.greeted:
		return c.write(ctx, env)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *connection) hello(ctx context.Context, open int) error {
	defer close(c.greeted)
	return c.write(ctx, object{
		"type": "hello", "num_connections": open,
		"debug_info": object{
			"host": c.id, "build_number": 1, "approximate_connection_time": int(c.life.Seconds()),
		},
		"connection_info": object{"app_id": c.appID},
	})
}

// disconnect tells the app to go, and why. Only "warning" leaves the connection in use.
func (c *connection) disconnect(ctx context.Context, reason string) {
	if reason != "warning" {
		c.gone.Store(true)
		c.left()
	}
	err := c.write(ctx, object{"type": "disconnect", "reason": reason, "debug_info": object{"host": c.id}})
	if err != nil {
		c.log.Debug("write disconnect", "error", err)
	}
}

// serve reads acknowledgements until the connection ends, while the keeper pings it and ends its life in time.
func (c *connection) serve(ctx context.Context, heard func([]byte)) {
	ctx, cancel := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		c.keep(ctx)
	}()
	defer func() {
		cancel()
		<-kept
		_ = c.ws.CloseNow()
	}()
	for {
		_, raw, err := c.ws.Read(ctx)
		if err != nil {
			c.log.Debug("websocket ended", "connection", c.id, "reason", err)
			return
		}
		heard(raw)
	}
}

func (c *connection) keep(ctx context.Context) {
	ping := time.NewTicker(c.ping)
	defer ping.Stop()
	warn := time.NewTimer(max(c.life-warningAhead, c.life/2))
	defer warn.Stop()
	end := time.NewTimer(c.life)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-warn.C:
			c.disconnect(ctx, "warning")
		case <-end.C:
			c.refresh(ctx)
			return
		case <-ping.C:
			if err := c.pingOnce(ctx); err != nil {
				c.log.Debug("ping websocket", "connection", c.id, "error", err)
				_ = c.ws.CloseNow()
				return
			}
		}
	}
}

func (c *connection) pingOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return c.ws.Ping(ctx)
}

// refresh asks the app to connect anew.
func (c *connection) refresh(ctx context.Context) {
	c.disconnect(ctx, "refresh_requested")
	c.hangUp(ctx, "refresh_requested")
}

// hangUp ends a connection that was told to go and does not go by itself.
func (c *connection) hangUp(ctx context.Context, reason string) {
	select {
	case <-ctx.Done():
	case <-time.After(leaveGrace):
		_ = c.ws.Close(websocket.StatusNormalClosure, reason)
	}
}

// kill cuts the line without a word, as a network that fails.
func (c *connection) kill() { _ = c.ws.CloseNow() }
