package slack

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

const (
	// triggerLife is how long an interaction entitles the app to open a view.
	triggerLife = 3 * time.Second
	// triggerMemory is how long the workspace tells an expired trigger from one that never was.
	triggerMemory = 10 * time.Minute
)

// trigger is the right to show one view to the person who acted.
type trigger struct {
	user string
	view string // the view they acted in, if any
	at   time.Time
	used bool
}

// triggers holds the trigger_ids that were handed out.
type triggers struct {
	mu    sync.Mutex
	known expiring[*trigger]
}

func newTriggers() *triggers { return &triggers{known: newExpiring[*trigger](triggerMemory)} }

func (ts *triggers) issue(user, view string, now time.Time) string {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	id := fmt.Sprintf("%d.%s", now.UnixMicro(), rand.Text())
	ts.known.put(id, &trigger{user: user, view: view, at: now}, now)
	return id
}

// exchange uses a trigger, once and in time.
func (ts *triggers) exchange(id string, now time.Time) (trigger, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.known.get(id)
	switch {
	case !ok:
		return trigger{}, refuse("invalid_trigger_id")
	case t.used:
		return trigger{}, refuse("exchanged_trigger_id")
	case now.Sub(t.at) > triggerLife:
		return trigger{}, refuse("expired_trigger_id")
	}
	t.used = true
	return *t, nil
}

// triggerID lets the app show a view to p, who has just acted, in a view when one is named.
func (s *Server) triggerID(p Person, view string) string {
	return s.triggers.issue(p.ID, view, s.cfg.Now())
}
