// Package throttle keeps what the bot asks of a system within a rate, without
// making that look as if the system did not answer.
package throttle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tandem/diagnostics"
)

// RoomOfOne is more than any diagnosis asks of one system.
const RoomOfOne = 100

// Wait is how long a run that nobody waits for may wait for room.
const Wait = time.Minute

// Throttle keeps the requests to one system within the rate of the configuration.
// What was not used up to RoomOfOne for each diagnosis at once may be used at
// once: so a diagnosis that somebody asks for does not wait.
type Throttle struct {
	key     string // of the rate in the configuration
	limiter *rate.Limiter
}

// New has room for so many runs of watches at once, and one that a person
// asks for.
func New(key string, perSecond float64, runs int) *Throttle {
	return &Throttle{key: key, limiter: rate.NewLimiter(rate.Limit(perSecond), RoomOfOne*(runs+1))}
}

// Over has what goes through a transport wait for its turn. A nil Throttle does
// not.
func (t *Throttle) Over(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &throttled{Throttle: t, next: next}
}

type throttled struct {
	*Throttle
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

// Room keeps runs that nobody waits for from beginning before every system has
// room for them, for those that run, and for one diagnosis that a person asks for.
// So no question of theirs waits for its turn longer than its deadline, which
// would make a system look as if it did not answer.
type Room struct {
	Systems []*Throttle

	mu      sync.Mutex
	running int
}

// ErrNoRoom says that there was none for Wait.
var ErrNoRoom = errors.New("there was no room for another run: raise requests_per_second of the systems, or watch less often")

// Enter waits for room, and returns what gives it back.
func (r *Room) Enter(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Wait, ErrNoRoom)
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
func (r *Room) take() (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.Systems {
		want := float64(min(RoomOfOne*(r.running+2), t.limiter.Burst()))
		if missing := want - t.limiter.Tokens(); missing > 0 {
			wait = max(wait, time.Duration(missing/float64(t.limiter.Limit())*float64(time.Second)), 10*time.Millisecond)
		}
	}
	if wait == 0 {
		r.running++
	}
	return min(wait, time.Second)
}

func (r *Room) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}
