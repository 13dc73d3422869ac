package services

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps a service's events as a reader of its log sees them.
type recorder struct {
	mu  sync.Mutex
	raw bytes.Buffer
}

func (r *recorder) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.raw.Write(line)
}

func (r *recorder) logger() *slog.Logger { return newEvents(r, slog.LevelDebug, "test") }

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.raw.String()
}

// events returns the objects with the given event name, oldest first; all when the name is "".
func (r *recorder) events(t *testing.T, name string) []map[string]any {
	t.Helper()
	return eventsIn(t, r.text(), name)
}

func eventsIn(t testing.TB, log, name string) []map[string]any {
	t.Helper()
	var found []map[string]any
	lines := bufio.NewScanner(bytes.NewBufferString(log))
	for lines.Scan() {
		var event map[string]any
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("log line %q is no JSON object: %v", lines.Text(), err)
		}
		if name == "" || event["event"] == name {
			found = append(found, event)
		}
	}
	return found
}

// last is the newest event of that name.
func (r *recorder) last(t *testing.T, name string) map[string]any {
	t.Helper()
	found := r.events(t, name)
	if len(found) == 0 {
		t.Fatalf("no event %q in:\n%s", name, r.text())
	}
	return found[len(found)-1]
}

func mustSwitches(t *testing.T, start Behaviour) *switches {
	t.Helper()
	s, err := newSwitches(start)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func change(t *testing.T, s *switches, patch string) {
	t.Helper()
	if _, err := s.merge([]byte(patch)); err != nil {
		t.Fatal(err)
	}
}

// until polls for what happens in another process or goroutine and tells nobody.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	for {
		// From below the kernel's own range, so that an outgoing connection of
		// another test does not take the port between its choice and its use, and
		// below those of a lab that runs.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(2_000)))
		if err != nil {
			continue // somebody has it
		}
		defer func() { _ = l.Close() }()
		return l.Addr().String()
	}
}
