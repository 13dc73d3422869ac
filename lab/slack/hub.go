package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	maxConnections = 10
	// maxAck is the size from which Slack drops an acknowledgement without a word.
	maxAck = 20 * 1024
)

// hub holds the app's websockets, gives each envelope to one of them and pairs the acknowledgements.
type hub struct {
	log      *slog.Logger
	ackLimit time.Duration
	changed  func(usable int) // told under the lock

	mu      sync.Mutex
	conns   []*connection
	next    int
	waiting map[string]chan json.RawMessage
}

func newHub(log *slog.Logger, ackLimit time.Duration, changed func(int)) *hub {
	return &hub{log: log, ackLimit: ackLimit, changed: changed, waiting: map[string]chan json.RawMessage{}}
}

// add takes a connection in and returns how many there are, or false when there are too many.
func (h *hub) add(c *connection) (int, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) >= maxConnections {
		return len(h.conns), false
	}
	h.conns = append(h.conns, c)
	h.changed(h.usable())
	return len(h.conns), true
}

func (h *hub) remove(c *connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = slices.DeleteFunc(h.conns, func(o *connection) bool { return o == c })
	h.changed(h.usable())
}

// recount tells of the connections that are left to use after one was told to go.
func (h *hub) recount() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed(h.usable())
}

// usable is how many connections take envelopes. Callers hold the lock.
func (h *hub) usable() int {
	n := 0
	for _, c := range h.conns {
		if !c.leaving() {
			n++
		}
	}
	return n
}

func (h *hub) all() []*connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.conns)
}

// turn is the connections in the order to try for the next envelope, without those that are about to close.
func (h *hub) turn() []*connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) == 0 {
		return nil
	}
	h.next = (h.next + 1) % len(h.conns)
	order := append(slices.Clone(h.conns[h.next:]), h.conns[:h.next]...)
	return slices.DeleteFunc(order, (*connection).leaving)
}

// deliver sends env to any one connection and waits for its acknowledgement, which may come by another one.
func (h *hub) deliver(ctx context.Context, env envelope) (json.RawMessage, error) {
	answer := make(chan json.RawMessage, 1)
	h.mu.Lock()
	h.waiting[env.ID] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting, env.ID)
		h.mu.Unlock()
	}()

	ctx, cancel := context.WithTimeoutCause(ctx, h.ackLimit, errNoAck)
	defer cancel()
	if !h.send(ctx, env) {
		return nil, cmp.Or(context.Cause(ctx), errNotConnected)
	}
	select {
	case payload := <-answer:
		return payload, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (h *hub) send(ctx context.Context, env envelope) bool {
	for _, c := range h.turn() {
		err := c.carry(ctx, env)
		if err == nil {
			return true
		}
		h.log.Debug("write envelope", "envelope", env.ID, "error", err)
	}
	return false
}

// acknowledge passes one message of the app to whoever waits for it. An answer that is late or too large is dropped.
func (h *hub) acknowledge(raw []byte) {
	var a ack
	if err := json.Unmarshal(raw, &a); err != nil || len(raw) >= maxAck {
		h.log.Warn("drop acknowledgement: send JSON under 20 KB", "bytes", len(raw), "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	answer, ok := h.waiting[a.ID]
	if !ok {
		h.log.Warn("drop acknowledgement: nobody waits for it any more", "envelope", a.ID)
		return
	}
	delete(h.waiting, a.ID)
	answer <- a.Payload
}
