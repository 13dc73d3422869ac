package slack

import (
	"sync"
	"time"
)

// memory remembers what came lately, without ever growing beyond a bound. It
// has two generations: the younger becomes the elder when its time is over or
// it is full, and the elder is forgotten. Whatever is in it is remembered for
// life at least, unless more than size things come in that time.
type memory[K comparable] struct {
	life time.Duration
	size int
	now  func() time.Time

	mu           sync.Mutex
	since        time.Time // when the young generation began
	young, elder map[K]struct{}
}

func newMemory[K comparable](life time.Duration, size int, now func() time.Time) *memory[K] {
	return &memory[K]{life: life, size: size, now: now, since: now(), young: map[K]struct{}{}}
}

// first remembers the keys, and says whether none of them was known. When one
// was, nothing changes.
func (m *memory[K]) first(keys ...K) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age()
	for _, k := range keys {
		if m.knows(k) {
			return false
		}
	}
	for _, k := range keys {
		m.young[k] = struct{}{}
	}
	return true
}

// forget lets the keys come again.
func (m *memory[K]) forget(keys ...K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.young, k)
		delete(m.elder, k)
	}
}

func (m *memory[K]) knows(k K) bool {
	if _, ok := m.young[k]; ok {
		return true
	}
	_, ok := m.elder[k]
	return ok
}

func (m *memory[K]) age() {
	now := m.now()
	passed := now.Sub(m.since)
	if passed < m.life && len(m.young) < m.size {
		return
	}
	m.elder, m.young, m.since = m.young, map[K]struct{}{}, now
	if passed >= 2*m.life {
		m.elder = nil
	}
}
