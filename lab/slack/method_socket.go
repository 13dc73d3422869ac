package slack

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const ticketLife = 30 * time.Second

func (s *Server) socketMethods() []method {
	return []method{{name: "apps.connections.open", token: appToken, handle: s.appsConnectionsOpen}}
}

// tickets open one websocket each, for a short time.
type tickets struct {
	mu   sync.Mutex
	open expiring[time.Time] // when they were issued
}

func newTickets() *tickets { return &tickets{open: newExpiring[time.Time](ticketLife)} }

func (t *tickets) issue(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ticket := rand.Text()
	t.open.put(ticket, now, now)
	return ticket
}

func (t *tickets) redeem(ticket string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	issued, ok := t.open.get(ticket)
	t.open.remove(ticket)
	return ok && now.Sub(issued) < ticketLife
}

func (s *Server) appsConnectionsOpen(call) (reply, error) {
	ticket := s.tickets.issue(s.cfg.Now())
	address := "ws" + strings.TrimPrefix(s.URL(), "http") + "/link/?ticket=" + ticket + "&app_id=" + s.cfg.App.ID
	return reply{"url": address}, nil
}

// serveLink is the websocket of Socket Mode.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	if !s.tickets.redeem(r.FormValue("ticket"), s.cfg.Now()) {
		http.Error(w, "the ticket is used or expired: call apps.connections.open", http.StatusUnauthorized)
		return
	}
	// Slack's SDKs send the origin of Slack itself.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"api.slack.com"}})
	if err != nil {
		s.log.Debug("accept websocket", "error", err)
		return
	}
	c := s.newConnection(ws)
	if r.FormValue("debug_reconnects") == "true" {
		c.life = min(c.life, debugLife)
	}
	s.linked(c)
}

func (s *Server) linked(c *connection) {
	open, ok := s.hub.add(c)
	if !ok {
		c.disconnect(s.ctx, "too_many_websockets")
		_ = c.ws.Close(websocket.StatusPolicyViolation, "too_many_websockets")
		return
	}
	defer s.hub.remove(c)
	if err := c.hello(s.ctx, open); err != nil {
		s.log.Debug("write hello", "error", err)
		c.kill()
		return
	}
	c.serve(s.ctx, s.hub.acknowledge)
}
