package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// The two ways in which an app takes what happens in the workspace.
const (
	bySocket = "socket"
	byHTTP   = "http"
)

// HTTP is where the app listens when it does not use Socket Mode. A kind without an address is not delivered.
type HTTP struct {
	CommandsURL    string `json:"commands_url,omitempty"`
	InteractiveURL string `json:"interactive_url,omitempty"`
	EventsURL      string `json:"events_url,omitempty"`
}

// Delivery is how the app is reached: "socket" or "http", and for HTTP where.
type Delivery struct {
	Mode string `json:"delivery"`
	HTTP
}

// check refuses what could never be delivered to.
func (d Delivery) check(signingSecret string) error {
	var errs []error
	if d.Mode != bySocket && d.Mode != byHTTP {
		errs = append(errs, fmt.Errorf("delivery: %q is neither %q nor %q", d.Mode, bySocket, byHTTP))
	}
	if d.Mode == byHTTP && signingSecret == "" {
		errs = append(errs, errors.New("signing_secret: set it, requests over HTTP are signed with it"))
	}
	for key, address := range map[string]string{
		"commands_url": d.CommandsURL, "interactive_url": d.InteractiveURL, "events_url": d.EventsURL,
	} {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
			errs = append(errs, fmt.Errorf("%s: %q is not an http or https address", key, address))
		}
	}
	return errors.Join(errs...)
}

// wiring is the Delivery of now. It changes while the workspace runs, and remembers which events URL has echoed its
// challenge.
type wiring struct {
	mu       sync.Mutex
	current  Delivery
	verified string
}

func (w *wiring) get() Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

func (w *wiring) set(d Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = d
}

func (w *wiring) hasVerified(address string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.verified == address
}

func (w *wiring) verify(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.verified = address
}

// Delivered is one envelope that was sent to the app, and what became of it.
type Delivered struct {
	At   time.Time `json:"at"`
	Via  string    `json:"via"`
	Kind string    `json:"kind"`
	// ID is the event's id, or the envelope's when it carries no event.
	ID     string  `json:"id"`
	Type   string  `json:"type,omitempty"`
	Retry  int     `json:"retry,omitempty"`
	Reason string  `json:"retry_reason,omitempty"`
	Status int     `json:"status,omitempty"`
	Error  string  `json:"error,omitempty"`
	TookMS float64 `json:"took_ms"`
}

// deliver brings one envelope to the app by the way that is set, and returns the app's immediate answer.
func (s *Server) deliver(ctx context.Context, env envelope) (json.RawMessage, error) {
	started := time.Now()
	note := Delivered{
		At: s.cfg.Now().UTC(), Kind: env.Type, ID: env.subject(), Type: env.about(), Retry: env.RetryAttempt,
		Reason: env.RetryReason,
	}
	answer, err := s.carry(ctx, env, &note)
	note.TookMS = float64(time.Since(started).Microseconds()) / 1000
	if err != nil {
		note.Error = err.Error()
	}
	s.state.delivered(note)
	return answer, err
}

func (s *Server) carry(ctx context.Context, env envelope, note *Delivered) (json.RawMessage, error) {
	way := s.wiring.get()
	note.Via = way.Mode
	if s.weather.get().Down {
		return nil, errNotConnected
	}
	if way.Mode == byHTTP {
		return s.outbound.deliver(ctx, way.HTTP, env, note)
	}
	return s.hub.deliver(ctx, env)
}

func (st *state) delivered(d Delivered) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.deliveries = logged(st.deliveries, d)
}
