package commands

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// maxAskers is how many people a Quota counts at once; beyond, it forgets those
// who asked longest ago.
const maxAskers = 10_000

// Quota bounds how often each person asks within a minute. It is safe for use
// by several goroutines.
type Quota struct {
	limit int
	now   func() time.Time

	mu    sync.Mutex
	asked map[string][]time.Time // by person, the latest last, at most limit
}

// NewQuota lets everyone ask limit times in any minute.
func NewQuota(limit int, now func() time.Time) *Quota {
	return &Quota{limit: limit, now: now, asked: map[string][]time.Time{}}
}

// Take counts one ask of a person. If that is one too many, it counts nothing
// and says in how long the person may ask again.
func (q *Quota) Take(person string) (wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	recent := q.recent(person)
	if len(recent) >= q.limit {
		return recent[0].Add(time.Minute).Sub(q.now()), false
	}
	if _, known := q.asked[person]; !known && len(q.asked) >= maxAskers {
		q.forget()
	}
	q.asked[person] = append(slices.Clone(recent), q.now())
	return 0, true
}

// Left returns how often a person may ask now, and how often in a minute.
func (q *Quota) Left(person string) (left, limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limit - len(q.recent(person)), q.limit
}

// recent are the asks of a person in the last minute.
func (q *Quota) recent(person string) []time.Time {
	asked := q.asked[person]
	for len(asked) > 0 && q.now().Sub(asked[0]) >= time.Minute {
		asked = asked[1:]
	}
	return asked
}

// forget makes room for one more: whoever did not ask within the minute goes,
// or else whoever asked longest ago.
func (q *Quota) forget() {
	maps.DeleteFunc(q.asked, func(person string, _ []time.Time) bool { return len(q.recent(person)) == 0 })
	if len(q.asked) < maxAskers {
		return
	}
	oldest, at := "", time.Time{}
	for person, asked := range q.asked {
		if last := asked[len(asked)-1]; oldest == "" || last.Before(at) {
			oldest, at = person, last
		}
	}
	delete(q.asked, oldest)
}
