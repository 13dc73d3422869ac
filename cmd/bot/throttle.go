package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tandem/config"
	"tandem/diagnostics"
)

// roomOfOne is more than any diagnosis asks of one system.
const roomOfOne = 100

// roomWait is how long a run that nobody waits for may wait for room.
const roomWait = time.Minute

// throttle keeps the requests to one system within the rate of the configuration.
// What was not used up to roomOfOne for each diagnosis at once may be used at
// once: so a diagnosis that somebody asks for does not wait.
type throttle struct {
	key     string // of the rate in the configuration
	limiter *rate.Limiter
}

// newThrottle has room for so many runs of watches at once, and one that a person
// asks for.
func newThrottle(key string, perSecond float64, runs int) *throttle {
	return &throttle{key: key, limiter: rate.NewLimiter(rate.Limit(perSecond), roomOfOne*(runs+1))}
}

// over has what goes through a transport wait for its turn. A nil throttle does
// not.
func (t *throttle) over(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &throttled{throttle: t, next: next}
}

type throttled struct {
	*throttle
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper. A request whose deadline comes before
// its turn is not sent, and says so.
func (t *throttled) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(req.Context()); err != nil {
		if cause := context.Cause(req.Context()); cause != nil {
			return nil, cause
		}
		return nil, &diagnostics.BlindError{
			Reason: diagnostics.ReasonThrottled, Err: err,
			Detail: fmt.Sprintf("the bot itself asks no more than %s allows", t.key),
			Next:   diagnostics.Both("ask again in a minute, or raise "+t.key, "pergunte de novo em um minuto, ou aumente "+t.key),
		}
	}
	return t.next.RoundTrip(req)
}

// throttles are those of all systems that are asked over HTTP; nil for one that is
// not configured.
type throttles struct {
	vault, prometheus, loki *throttle
	room                    *room
}

func newThrottles(c *config.Config) throttles {
	var t throttles
	t.room = &room{}
	add := func(key string, perSecond float64) *throttle {
		one := newThrottle(key, perSecond, c.Watch.Parallel)
		t.room.systems = append(t.room.systems, one)
		return one
	}
	if c.Vault != nil {
		t.vault = add("vault.requests_per_second", c.Vault.RequestsPerSecond)
	}
	if c.Prometheus != nil {
		t.prometheus = add("prometheus.requests_per_second", c.Prometheus.RequestsPerSecond)
	}
	if c.Logs != nil && c.Logs.Loki != nil {
		t.loki = add("logs.loki.requests_per_second", c.Logs.Loki.RequestsPerSecond)
	}
	return t
}

// room keeps runs that nobody waits for from beginning before every system has
// room for them, for those that run, and for one diagnosis that a person asks for.
// So no question of theirs waits for its turn longer than its deadline, which
// would make a system look as if it did not answer.
type room struct {
	systems []*throttle

	mu      sync.Mutex
	running int
}

var errNoRoom = errors.New("there was no room for another run: raise requests_per_second of the systems, or watch less often")

// enter waits for room, and returns what gives it back.
func (r *room) enter(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, roomWait, errNoRoom)
	defer cancel()
	for {
		wait := r.take()
		if wait == 0 {
			return r.leave, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// take takes room if there is, or says when to look again.
func (r *room) take() (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.systems {
		want := float64(min(roomOfOne*(r.running+2), t.limiter.Burst()))
		if missing := want - t.limiter.Tokens(); missing > 0 {
			wait = max(wait, time.Duration(missing/float64(t.limiter.Limit())*float64(time.Second)), 10*time.Millisecond)
		}
	}
	if wait == 0 {
		r.running++
	}
	return min(wait, time.Second)
}

func (r *room) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}
