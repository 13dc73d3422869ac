package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	lab "tandem/lab/slack"
)

const (
	botToken      = "xoxb-bench"
	appToken      = "xapp-bench"
	signingSecret = "bench-signing-secret"
	slashCommand  = "/vault"
	channel       = "C0INCIDENT"
	team          = "T0NEURALHV"

	crowdSize = 2000            // enough that none of them asks too often
	soon      = 2 * time.Minute // for what is to happen between two measurements
)

// standIn is the Slack that a bot speaks to while it is measured: the lab's
// workspace, but for what would be measured along with the bot. Its websockets
// carry envelopes that were made before the clock ran, and a response address
// only counts.
type standIn struct {
	*httptest.Server
	slots   []slot
	answers atomic.Int64 // POSTs to response addresses
	calls   sync.Map     // of the Web API: method to *atomic.Int64

	mu    sync.Mutex
	conns []*websocket.Conn
}

// slot is told when the envelope that it has sent is acknowledged.
type slot chan struct{}

// maxSlots is the greatest number of envelopes outstanding at once.
const maxSlots = 64

func newStandIn(b *testing.B) *standIn {
	b.Helper()
	workspace, err := lab.Start(context.Background(), lab.Config{
		Addr: "127.0.0.1:0", BotToken: botToken, AppToken: appToken, People: crowd(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	s := &standIn{slots: make([]slot, maxSlots)}
	for i := range s.slots {
		s.slots[i] = make(slot, 1)
	}
	target, err := url.Parse(workspace.URL())
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	s.Server = httptest.NewServer(s.routes(proxy))
	b.Cleanup(func() {
		s.closeSockets()
		s.Close()
		transport.CloseIdleConnections()
		if err := workspace.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// crowd is many people, half of each language.
func crowd() []lab.Person {
	people := make([]lab.Person, crowdSize)
	for i := range people {
		people[i] = lab.Person{
			ID: member(i), Name: "person" + strconv.Itoa(i), RealName: "Person " + strconv.Itoa(i),
			TZ: "Etc/UTC", Locale: []string{"en-US", "pt-BR"}[i%2],
		}
	}
	return people
}

func member(i int) string { return fmt.Sprintf("U0CROWD%04d", i%crowdSize) }

func (s *standIn) routes(workspace http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
		address := "ws" + strings.TrimPrefix(s.URL, "http") + "/link"
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "url": address})
	})
	mux.HandleFunc("/link", s.link)
	mux.HandleFunc("POST /hooks/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.answers.Add(1)
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	mux.HandleFunc("/api/{method}", func(w http.ResponseWriter, r *http.Request) {
		s.counter(r.PathValue("method")).Add(1)
		workspace.ServeHTTP(w, r)
	})
	return mux
}

func (s *standIn) counter(method string) *atomic.Int64 {
	n, _ := s.calls.LoadOrStore(method, &atomic.Int64{})
	return n.(*atomic.Int64)
}

// allCalls is how often the Web API and the response addresses were asked.
func (s *standIn) allCalls() int64 {
	total := s.answers.Load()
	s.calls.Range(func(_, n any) bool {
		total += n.(*atomic.Int64).Load()
		return true
	})
	return total
}

// link is one websocket.
func (s *standIn) link(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"api.slack.com"}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	hello := `{"type":"hello","num_connections":1,"debug_info":{"host":"bench","approximate_connection_time":3600},"connection_info":{"app_id":"A0TANDEM01"}}`
	if conn.Write(r.Context(), websocket.MessageText, []byte(hello)) != nil {
		return
	}
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	defer s.forget(conn)
	go keepAlive(r.Context(), conn)
	for {
		_, raw, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if i, ok := slotOf(raw); ok {
			s.slots[i] <- struct{}{}
		}
	}
}

// keepAlive pings, because a client drops a server that does not.
func keepAlive(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if conn.Ping(ctx) != nil {
				return
			}
		}
	}
}

func (s *standIn) forget(conn *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(c *websocket.Conn) bool { return c == conn })
}

// sockets are the open websockets.
func (s *standIn) sockets() []*websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

func (s *standIn) closeSockets() {
	for _, conn := range s.sockets() {
		_ = conn.CloseNow()
	}
}

// envelopeID begins with the slot that waits for the acknowledgement, so that
// to find it costs next to nothing.
func envelopeID(slot, number int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", slot, number)
}

// slotOf reads an acknowledgement.
func slotOf(raw []byte) (int, bool) {
	_, after, found := bytes.Cut(raw, []byte(`"envelope_id":"`))
	if !found || len(after) < 8 {
		return 0, false
	}
	i, err := strconv.ParseUint(string(after[:8]), 16, 32)
	return int(i), err == nil && i < maxSlots
}

// await waits for what is not measured.
func await(b *testing.B, what string, holds func() bool) {
	b.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(soon)
	for !holds() {
		select {
		case <-ticker.C:
		case <-timeout:
			b.Fatalf("waited in vain until %s", what)
		}
	}
}

// quiet waits until the bot has asked nothing for a while.
func (s *standIn) quiet(b *testing.B, while time.Duration) {
	b.Helper()
	before, since := s.allCalls(), time.Now()
	await(b, "the bot is quiet", func() bool {
		if now := s.allCalls(); now != before {
			before, since = now, time.Now()
		}
		return time.Since(since) >= while
	})
}
