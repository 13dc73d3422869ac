package slack

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	labelFor     = 5 * time.Minute // the name of a channel is asked again after this
	labelRetry   = time.Minute     // and after this when Slack did not say
	labelTimeout = 3 * time.Second
	maxLabels    = 1000 // known at once
)

// labels knows what channels are called. It is safe for use by several
// goroutines.
type labels struct {
	web    *web
	now    func() time.Time
	asking singleflight.Group

	mu   sync.Mutex
	byID map[string]label
}

// label is what people call a channel.
type label struct {
	name, topic string
	err         error
	until       time.Time
}

func newLabels(web *web, now func() time.Time) *labels {
	return &labels{web: web, now: now, byID: map[string]label{}}
}

// of returns what a channel is called.
func (l *labels) of(ctx context.Context, channel string) (label, error) {
	l.mu.Lock()
	known := l.byID[channel]
	l.mu.Unlock()
	if !l.now().Before(known.until) {
		known = l.ask(ctx, channel)
	}
	return known, known.err
}

// ask asks Slack; several who want to know wait for one answer.
func (l *labels) ask(ctx context.Context, channel string) label {
	asked, _, _ := l.asking.Do(channel, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), labelTimeout)
		defer cancel()
		info, err := l.web.channel(ctx, channel)
		known := label{err: err, until: l.now().Add(labelRetry)}
		if err == nil {
			known = label{name: info.Name, topic: info.Topic.Value, until: l.now().Add(labelFor)}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.byID) >= maxLabels {
			clear(l.byID) // they are soon known again
		}
		l.byID[channel] = known
		return known, nil
	})
	return asked.(label)
}
