package slack

import (
	"sync"
	"time"
)

// tier is Slack's name for how often a method may be called.
type tier int

const (
	noTier   tier = iota // not limited
	tier1                // 1 a minute
	tier2                // 20 a minute
	tier3                // 50 a minute
	tier4                // 100 a minute
	postTier             // chat.postMessage: 1 a second and channel
)

func (t tier) limit() (calls int, window time.Duration) {
	switch t {
	case tier1:
		return 1, time.Minute
	case tier2:
		return 20, time.Minute
	case tier3:
		return 50, time.Minute
	case tier4:
		return 100, time.Minute
	case postTier:
		return 1, time.Second
	}
	return 0, 0
}

// rates counts the calls of each method in a sliding window. Slack tolerates short bursts; this does not, so that an
// app that keeps to it keeps to Slack's as well.
type rates struct {
	on    bool
	burst int // messages to one channel at once
	now   func() time.Time

	mu   sync.Mutex
	past map[string][]time.Time
}

func newRates(cfg Config, now func() time.Time) *rates {
	return &rates{on: cfg.RateLimits, burst: max(1, cfg.PostBurst), now: now, past: map[string][]time.Time{}}
}

// take counts one call, or returns how long to wait before the next one.
func (r *rates) take(m method, channel string) time.Duration {
	calls, window := m.tier.limit()
	if !r.on || calls == 0 {
		return 0
	}
	key := m.name
	if m.tier == postTier {
		key += " " + channel
		calls, window = r.burst, time.Duration(r.burst)*window
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	past := r.past[key]
	for len(past) > 0 && now.Sub(past[0]) >= window {
		past = past[1:]
	}
	r.past[key] = past
	if len(past) >= calls {
		return past[0].Add(window).Sub(now)
	}
	r.past[key] = append(past, now)
	return 0
}
