package slack

import (
	"maps"
	"time"
)

// expiring remembers values by id for at least the time keep, and forgets them some time after. Its owner holds a lock.
type expiring[T any] struct {
	keep  time.Duration
	swept time.Time
	byID  map[string]remembered[T]
}

type remembered[T any] struct {
	value T
	since time.Time
}

func newExpiring[T any](keep time.Duration) expiring[T] {
	return expiring[T]{keep: keep, byID: map[string]remembered[T]{}}
}

func (e *expiring[T]) put(id string, value T, now time.Time) {
	if now.Sub(e.swept) > e.keep { // seldom, so that a burst does not look through everything each time
		maps.DeleteFunc(e.byID, func(_ string, r remembered[T]) bool { return now.Sub(r.since) > e.keep })
		e.swept = now
	}
	e.byID[id] = remembered[T]{value: value, since: now}
}

func (e *expiring[T]) get(id string) (T, bool) {
	r, ok := e.byID[id]
	return r.value, ok
}

func (e *expiring[T]) remove(id string) { delete(e.byID, id) }
