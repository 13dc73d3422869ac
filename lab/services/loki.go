package services

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	shipEvery   = 500 * time.Millisecond
	shipTimeout = 2 * time.Second
	// lastFlush is what shutdown allows for the final push.
	lastFlush = 500 * time.Millisecond
	// maxBuffered is several minutes of a service's events; beyond it the oldest are dropped.
	maxBuffered = 4096
	// maxBatch keeps one push far below Loki's limit on a request.
	maxBatch = 1024
)

// shipper pushes log lines to Loki in batches. While Loki is down it keeps the latest lines, up to a bound.
type shipper struct {
	url    string
	labels map[string]string
	ops    *slog.Logger
	client *http.Client

	mu      sync.Mutex
	lines   [][2]string // nanoseconds, line: Loki's own shape
	dropped int
}

func newShipper(base string, labels map[string]string, ops *slog.Logger) *shipper {
	return &shipper{
		url:    strings.TrimSuffix(base, "/") + "/loki/api/v1/push",
		labels: labels,
		ops:    ops,
		client: &http.Client{Timeout: shipTimeout, Transport: &http.Transport{MaxIdleConns: 1}},
	}
}

// add takes a line and never waits for Loki.
func (s *shipper) add(at time.Time, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, [2]string{strconv.FormatInt(at.UnixNano(), 10), line})
	if extra := len(s.lines) - maxBuffered; extra > 0 {
		s.lines = append(s.lines[:0], s.lines[extra:]...)
		s.dropped += extra
	}
}

func (s *shipper) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	ticker := time.NewTicker(shipEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
			defer cancel()
			s.flush(last)
			return
		}
	}
}

// flush pushes what is buffered. A batch that Loki could not take for now is put back; one that it refuses is dropped,
// because it would be refused again.
func (s *shipper) flush(ctx context.Context) {
	batch := s.take()
	if len(batch) == 0 {
		return
	}
	retry, err := s.push(ctx, batch)
	if err == nil {
		return
	}
	s.ops.WarnContext(ctx, "push to loki", "lines", len(batch), "retry", retry, "error", err)
	if retry {
		s.putBack(batch)
	}
}

func (s *shipper) take() [][2]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.lines), maxBatch)
	batch := append([][2]string(nil), s.lines[:n]...)
	s.lines = append(s.lines[:0], s.lines[n:]...)
	return batch
}

func (s *shipper) putBack(batch [][2]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := max(maxBuffered-len(s.lines), 0)
	if extra := len(batch) - room; extra > 0 {
		batch, s.dropped = batch[extra:], s.dropped+extra
	}
	s.lines = append(batch, s.lines...)
}

func (s *shipper) push(ctx context.Context, batch [][2]string) (retry bool, err error) {
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][2]string       `json:"values"`
	}
	body, err := json.Marshal(map[string][]stream{"streams": {{Stream: s.labels, Values: batch}}})
	if err != nil {
		return false, fmt.Errorf("encode push: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("build push: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return true, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxText))
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	retry = resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests
	return retry, fmt.Errorf("status %d: %s", resp.StatusCode, clean(string(text)))
}
