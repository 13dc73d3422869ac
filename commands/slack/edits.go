package slack

import (
	"slices"
	"sync"
	"time"
)

const (
	// editsAMinute is how many messages Slack lets an app edit in a workspace.
	editsAMinute = 50
	// editsForVerdicts are those of them that progress does not use up.
	editsForVerdicts = 15
)

// edits counts the edits of the last minute, so that the progress of many
// diagnoses at once leaves room for their verdicts.
type edits struct {
	mu    sync.Mutex
	times []time.Time
}

// note counts an edit that is made whatever there is room for.
func (e *edits) note(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(now)
	e.times = append(e.times, now)
}

// take counts an edit of progress, if there is room for one.
func (e *edits) take(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(now)
	if len(e.times) >= editsAMinute-editsForVerdicts {
		return false
	}
	e.times = append(e.times, now)
	return true
}

func (e *edits) forget(now time.Time) {
	e.times = slices.DeleteFunc(e.times, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
}
