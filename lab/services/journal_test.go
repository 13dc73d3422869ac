package services

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEventsHaveThePublicSystemsFields(t *testing.T) {
	log := &recorder{}
	log.logger().Warn("jwt_svid_is_placeholder", "request_id", "req-1")
	event := log.last(t, "jwt_svid_is_placeholder")
	if event["level"] != "warning" || event["service"] != "test" || event["request_id"] != "req-1" {
		t.Errorf("event = %v", event)
	}
	if _, err := time.Parse(time.RFC3339Nano, event["timestamp"].(string)); err != nil {
		t.Errorf("timestamp: %v", err)
	}
	for _, forbidden := range []string{"msg", "time"} {
		if _, ok := event[forbidden]; ok {
			t.Errorf("event has slog's own field %q", forbidden)
		}
	}
}

func TestCleanTakesCredentialsOut(t *testing.T) {
	for _, secret := range []string{
		canaryToken, canaryURI, "s.abcdefghijklmnopqrstuvwx", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
		"postgres://v-x:pass/word@db:5432/x",
	} {
		if got := clean("before " + secret + " after"); got != "before [redacted] after" {
			t.Errorf("clean(%q) = %q", secret, got)
		}
	}
	if got := clean("line\n\twith * permission denied\n"); got != "line with * permission denied" {
		t.Errorf("clean = %q", got)
	}
	if got := clean(strings.Repeat("ü", 1000)); len(got) > maxText+4 {
		t.Errorf("clean left %d bytes", len(got))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Get \"http://127.0.0.1:8200/v1/x\": dial tcp: connection refused")
	f.Add(canaryURI)
	f.Add(canaryToken)
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text + " " + canaryToken + " " + text)
		if strings.Contains(got, canaryToken) {
			t.Errorf("clean let a token through: %q", got)
		}
		if strings.ContainsAny(got, "\n\r") || len(got) > maxText+4 {
			t.Errorf("clean left %q", got)
		}
	})
}

// fakeLoki takes pushes, or answers with a status.
type fakeLoki struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	pushes int
	labels map[string]string
	lines  []string
}

func newFakeLoki(t *testing.T) *fakeLoki {
	t.Helper()
	f := &fakeLoki{}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeLoki) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pushes++
	if f.status != 0 {
		w.WriteHeader(f.status)
		return
	}
	var body struct {
		Streams []struct {
			Stream map[string]string
			Values [][2]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/loki/api/v1/push" || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, stream := range body.Streams {
		f.labels = stream.Stream
		for _, value := range stream.Values {
			f.lines = append(f.lines, value[1])
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeLoki) answerWith(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

func (f *fakeLoki) got() (pushes int, lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pushes, append([]string(nil), f.lines...)
}

func quiet() *slog.Logger { return slog.New(slog.NewJSONHandler(io.Discard, nil)) }

func TestJournalGoesToFileAndLokiLineForLine(t *testing.T) {
	loki := newFakeLoki(t)
	file := filepath.Join(t.TempDir(), "worker.log")
	j, err := openJournal(Config{Name: Worker, LogFile: file, LokiURL: loki.URL}.withDefaults(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	stop := j.shipInBackground(t.Context())
	for range 3 {
		j.events().Info("token_renewed")
	}
	until(t, "loki has the lines", func() bool { _, lines := loki.got(); return len(lines) == 3 })
	j.events().Info("the_last_words")
	stop()
	j.close()
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pushes, lines := loki.got()
	if got := strings.Join(lines, "\n") + "\n"; got != string(written) {
		t.Errorf("loki has %q, the file %q", got, written)
	}
	if pushes != 2 {
		t.Errorf("%d pushes for two batches", pushes)
	}
	for label, want := range map[string]string{"job": Worker, "service": Worker, "pod": "worker-0"} {
		if loki.labels[label] != want {
			t.Errorf("label %s = %q, want %q", label, loki.labels[label], want)
		}
	}
}

func TestLinesWaitForALokiThatIsDown(t *testing.T) {
	loki := newFakeLoki(t)
	loki.answerWith(http.StatusServiceUnavailable)
	s := newShipper(loki.URL, nil, quiet())
	defer s.client.CloseIdleConnections()
	s.add(time.Now(), "one")
	s.flush(t.Context())
	s.add(time.Now(), "two")
	loki.answerWith(0)
	s.flush(t.Context())
	if _, lines := loki.got(); strings.Join(lines, " ") != "one two" {
		t.Errorf("loki has %q, want both in order", lines)
	}
}

func TestLinesThatLokiRefusesAreNotSentAgain(t *testing.T) {
	loki := newFakeLoki(t)
	loki.answerWith(http.StatusBadRequest)
	s := newShipper(loki.URL, nil, quiet())
	defer s.client.CloseIdleConnections()
	s.add(time.Now(), "too old")
	s.flush(t.Context())
	s.flush(t.Context())
	if pushes, _ := loki.got(); pushes != 1 {
		t.Errorf("%d pushes, want 1", pushes)
	}
}

func TestBufferKeepsTheNewestWithinItsBound(t *testing.T) {
	s := newShipper("http://"+freeAddr(t), nil, quiet())
	for i := range maxBuffered + 10 {
		s.add(time.Unix(int64(i), 0), "x")
	}
	s.flush(t.Context())
	s.add(time.Now(), "newest")
	if len(s.lines) != maxBuffered || s.dropped != 11 || s.lines[maxBuffered-1][1] != "newest" {
		t.Errorf("%d lines, %d dropped, last %q", len(s.lines), s.dropped, s.lines[len(s.lines)-1][1])
	}
	if s.lines[0][0] != "11000000000" {
		t.Errorf("oldest line is of %s", s.lines[0][0])
	}
}

func TestLogLevelHidesDebug(t *testing.T) {
	var out bytes.Buffer
	newEvents(&out, slog.LevelInfo, Orchestrator).Debug("jwt_svid_attached")
	if out.Len() != 0 {
		t.Errorf("logged %q", out.String())
	}
}
