package mongodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Faults are the ways in which the server can be broken.
type Faults struct {
	// Down is "" (serving), "refused" (the port is closed) or "hang" (connections open and never answer).
	Down string `json:"down"`
	// NotPrimary makes the member a secondary without a primary.
	NotPrimary bool `json:"not_primary"`
}

func (f Faults) validate() error {
	switch f.Down {
	case "", "refused", "hang":
		return nil
	}
	return fmt.Errorf(`down %q: want "", "refused" or "hang"`, f.Down)
}

// faultSwitch holds the present faults and tells of changes.
type faultSwitch struct {
	mu      sync.Mutex
	current Faults
	changed chan struct{}
}

func newFaultSwitch() *faultSwitch { return &faultSwitch{changed: make(chan struct{})} }

// get returns the present faults and a channel that is closed at the next change.
func (s *faultSwitch) get() (Faults, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

// merge lays a JSON object over the present faults: fields it does not name stay.
func (s *faultSwitch) merge(patch []byte) (Faults, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.current
	dec := json.NewDecoder(bytes.NewReader(patch))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&next); err != nil {
		return s.current, fmt.Errorf("decode faults: %w", err)
	}
	if err := next.validate(); err != nil {
		return s.current, err
	}
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
	return next, nil
}

// ServeHTTP answers GET with the present faults, and PUT by merging the body first.
func (s *faultSwitch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	current, _ := s.get()
	if r.Method == http.MethodPut {
		patch, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err == nil {
			current, err = s.merge(patch)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(current) // the client is gone; nobody is left to tell
}

func serveAdmin(ctx context.Context, addr string, faults *faultSwitch) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /admin/faults", faults)
	mux.Handle("PUT /admin/faults", faults)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	srv := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin: %w", err)
	}
	return nil
}
