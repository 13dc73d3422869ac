package services

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// journal is where a service's log events go: to a file and to Loki. Writing to it never blocks on Loki.
type journal struct {
	cfg   Config
	file  *os.File
	loki  *shipper
	level slog.Level
}

func openJournal(cfg Config, ops *slog.Logger) (*journal, error) {
	j := &journal{cfg: cfg}
	if err := j.level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, fmt.Errorf("log level %q: %w", cfg.LogLevel, err)
	}
	if cfg.LogFile != "" {
		file, err := os.OpenFile(cfg.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open log file: %w", err)
		}
		j.file = file
	}
	if cfg.LokiURL != "" {
		j.loki = newShipper(cfg.LokiURL, map[string]string{"job": cfg.Name, "service": cfg.Name, "pod": cfg.Pod}, ops)
	}
	return j, nil
}

// shipInBackground pushes to Loki until the function that it returns is called, which pushes what is left. It outlives
// ctx, so that a service's last events are not lost.
func (j *journal) shipInBackground(ctx context.Context) (stop func()) {
	if j.loki == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var shipping sync.WaitGroup
	shipping.Go(func() { j.loki.run(ctx) })
	return func() {
		cancel()
		shipping.Wait()
	}
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close() // every line is written through; nothing is lost here
	}
}

// Write takes one line. It always reports success: a full disk must not stop a service.
func (j *journal) Write(line []byte) (int, error) {
	if j.file != nil {
		_, _ = j.file.Write(line)
	}
	if j.loki != nil {
		j.loki.add(time.Now(), strings.TrimSuffix(string(line), "\n"))
	}
	return len(line), nil
}

// events is the logger whose messages are the runbook's events.
func (j *journal) events() *slog.Logger { return newEvents(j, j.level, j.cfg.Name) }

// newEvents writes one object a line with the field names of the public system: event, level, timestamp, service.
func newEvents(w io.Writer, level slog.Level, service string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})).With("service", service)
}

func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.MessageKey:
		a.Key = "event"
	case slog.TimeKey:
		return slog.String("timestamp", a.Value.Time().UTC().Format(time.RFC3339Nano))
	case slog.LevelKey:
		if a.Value.String() == slog.LevelWarn.String() {
			return slog.String("level", "warning") // the public system's word for it
		}
		return slog.String("level", strings.ToLower(a.Value.String()))
	}
	return a
}

// maxText bounds what a server's words may take in a log line.
const maxText = 300

// clean makes another program's words fit for a log: nothing that looks like a credential, one line, bounded.
func clean(text string) string {
	for _, pattern := range credentialShapes() {
		text = pattern.ReplaceAllString(text, "[redacted]")
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// credentialShapes are Vault tokens, JWTs and the userinfo of URIs.
func credentialShapes() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`\b(hv[sbr]\.|[sbr]\.)[A-Za-z0-9_-]{16,}`),
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)?`),
		regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s/@]*:[^\s@]*@\S*`),
	}
}
