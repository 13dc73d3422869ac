package slack

import (
	"maps"
	"sync"
	"time"
)

// floodWindow is what the bound on one person's asks is counted over.
const floodWindow = time.Minute

// flood keeps one person from taking the places of all others: so many asks of
// a person are answered at once, and so many are taken in a minute. It is safe
// for use by several goroutines.
type flood struct {
	atOnce, inWindow int
	now              func() time.Time

	mu     sync.Mutex
	people map[string]*asker
}

// asker is what one person does to the bot.
type asker struct {
	running int
	taken   int       // in the window
	since   time.Time // when the window began
	told    bool      // in the window, that it is too much
}

func newFlood(atOnce, inWindow int, now func() time.Time) *flood {
	return &flood{atOnce: atOnce, inWindow: inWindow, now: now, people: map[string]*asker{}}
}

// enter lets a person in; then leave is to be called once. It refuses who asks
// too much: first is true for the first refusal in a while.
func (f *flood) enter(person string) (leave func(), first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.asker(person)
	if a.running >= f.atOnce || a.taken >= f.inWindow {
		first = !a.told
		a.told = true
		return nil, first
	}
	a.running++
	a.taken++
	return func() { f.leave(person) }, false
}

func (f *flood) leave(person string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.people[person].running--
}

// asker returns a person's entry with the window that now is in.
func (f *flood) asker(person string) *asker {
	now := f.now()
	a, ok := f.people[person]
	if !ok {
		f.tidy(now)
		a = &asker{since: now}
		f.people[person] = a
	}
	if now.Sub(a.since) >= floodWindow {
		a.taken, a.told, a.since = 0, false, now
	}
	return a
}

// tidy forgets, when many are known, who neither asks nor asked.
func (f *flood) tidy(now time.Time) {
	if len(f.people) < maxPeople {
		return
	}
	maps.DeleteFunc(f.people, func(_ string, a *asker) bool {
		return a.running == 0 && now.Sub(a.since) >= floodWindow
	})
}
