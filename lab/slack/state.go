package slack

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// keptEntries is how many API calls, and how many deliveries, the logs remember.
const keptEntries = 2000

// state is everything the workspace knows. One lock guards it; readers get copies, and every change is told to the
// watchers inside the lock, so that a snapshot and the changes after it never overlap or leave a gap.
type state struct {
	now  func() time.Time
	team Team
	app  App

	// heard is told of every message that is new, changed or removed, outside the lock.
	heard func(Channel, heard)

	mu       sync.Mutex
	people   []Person
	channels []Channel
	subteams []UserGroup
	messages map[string][]Message // by channel, in the order of ts
	calls    []Call
	// deliveries is what was sent to the app, oldest first.
	deliveries []Delivered
	lastTS     int64
	linked     int               // websockets of the app that take envelopes
	views      map[string][]View // the open modals of each person, the lowest first
	homes      map[string]View
	watchers   map[*watcher]struct{}
}

// Call is one request to the Web API, without its token.
type Call struct {
	At     time.Time         `json:"at"`
	Method string            `json:"method"`
	Args   map[string]string `json:"args"`
	Error  string            `json:"error,omitempty"`
	TookMS float64           `json:"took_ms"`
}

// Snapshot is the whole workspace at one moment, as GET /lab/state answers it.
type Snapshot struct {
	Team        Team           `json:"team"`
	App         App            `json:"app"`
	Connections int            `json:"connections"`
	People      []Person       `json:"people"`
	Channels    []ChannelState `json:"channels"`
	UserGroups  []UserGroup    `json:"user_groups"`
	// Delivery is how the app is reached. Views are the open modals, the lowest of each person's first; Homes are the
	// published Home tabs by person.
	Delivery   Delivery        `json:"delivery"`
	Views      []View          `json:"views"`
	Homes      map[string]View `json:"homes"`
	Calls      []Call          `json:"calls,omitempty"`
	Deliveries []Delivered     `json:"deliveries,omitempty"`
}

// ChannelState is a channel with its messages, oldest first.
type ChannelState struct {
	Channel
	Messages []Message `json:"messages"`
}

func newState(cfg Config) *state {
	st := &state{
		now: cfg.Now, team: cfg.Team, app: cfg.App, channels: slices.Clone(cfg.Channels), subteams: slices.Clone(cfg.UserGroups),
		messages: map[string][]Message{}, watchers: map[*watcher]struct{}{},
		views: map[string][]View{}, homes: map[string]View{},
	}
	st.people = append(st.people, cfg.People...)
	st.people = append(
		st.people,
		Person{ID: cfg.App.UserID, Name: "tandem", RealName: cfg.App.Name, IsBot: true, Locale: "en-US"},
		Person{ID: slackbotID, Name: "slackbot", RealName: "Slackbot", Locale: "en-US"},
	)
	for i := range st.people {
		if st.people[i].TeamID == "" {
			st.people[i].TeamID = cfg.Team.ID
		}
	}
	return st
}

// nextTS gives a new message its ts: microseconds since 1970, never the same twice. Callers hold the lock.
func (st *state) nextTS() string {
	st.lastTS = max(st.now().UnixMicro(), st.lastTS+1)
	return fmt.Sprintf("%d.%06d", st.lastTS/1e6, st.lastTS%1e6)
}

func (st *state) person(who string) (Person, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.people, func(p Person) bool { return p.is(who) })
	if i < 0 {
		return Person{}, false
	}
	return st.people[i], true
}

func (st *state) everyone() []Person {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.people)
}

func (st *state) channel(which string) (Channel, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.channels, func(c Channel) bool { return c.is(which) })
	if i < 0 {
		return Channel{}, false
	}
	return st.channels[i], true
}

func (st *state) allChannels() []Channel {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.channels)
}

func (st *state) record(c Call) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.calls = logged(st.calls, c)
}

// logged is the log with one more entry, and without its oldest when it is full.
func logged[T any](log []T, entry T) []T {
	if len(log) >= keptEntries {
		log = log[1:]
	}
	return append(log, entry)
}

// link counts the app's websockets, without those that were told to go; people see from it whether the app is there.
func (st *state) link(usable int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.linked = usable
	st.tell(change{Kind: "link", Connections: usable})
}

// snapshot copies the workspace. With a user, it holds only what that user sees; without, everything and
// the logs.
func (st *state) snapshot(user string) Snapshot {
	st.mu.Lock()
	defer st.mu.Unlock()
	snap := st.snapshotLocked(user)
	if user == "" {
		snap.Calls, snap.Deliveries = slices.Clone(st.calls), slices.Clone(st.deliveries)
	}
	return snap
}

func (st *state) snapshotLocked(user string) Snapshot {
	snap := Snapshot{Team: st.team, App: st.app, Connections: st.linked, People: slices.Clone(st.people), UserGroups: slices.Clone(st.subteams)}
	snap.Views, snap.Homes = st.viewsOf(user), st.homesOf(user)
	for _, c := range st.channels {
		if !c.shownTo(user) {
			continue
		}
		cs := ChannelState{Channel: c, Messages: []Message{}}
		for _, m := range st.messages[c.ID] {
			if user == "" || m.visibleTo(user) {
				cs.Messages = append(cs.Messages, m)
			}
		}
		snap.Channels = append(snap.Channels, cs)
	}
	return snap
}

// stamp is a ts for something that is not a message.
func (st *state) stamp() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.nextTS()
}
