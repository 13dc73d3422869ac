package slack

import "slices"

// watcherBacklog is how far behind a page may fall before it is cut off and has to come back for a new snapshot.
const watcherBacklog = 256

// change is one thing that happened, as the page's event stream carries it.
type change struct {
	Kind        string   `json:"kind"` // message, removed, link, channel, views, home, person
	Channel     string   `json:"channel,omitempty"`
	Message     *Message `json:"message,omitempty"`
	Connections int      `json:"connections,omitempty"`
	// Conversation is a channel that is new or has changed, when the kind says so.
	Conversation *Channel `json:"conversation,omitempty"`
	// User is whom Views, the whole stack of open modals, or Home is of. Only that person's watchers are told.
	User   string  `json:"user,omitempty"`
	Views  []View  `json:"views,omitempty"`
	Home   *View   `json:"home,omitempty"`
	Person *Person `json:"person,omitempty"`
}

// watcher is one open page, seen as one person.
type watcher struct {
	user    string
	changes chan change
}

// watch returns what user sees now and everything they see from then on. The channel closes when the watcher is too
// slow; the caller calls stop in any case.
func (st *state) watch(user string) (snap Snapshot, changes <-chan change, stop func()) {
	st.mu.Lock()
	defer st.mu.Unlock()
	w := &watcher{user: user, changes: make(chan change, watcherBacklog)}
	st.watchers[w] = struct{}{}
	return st.snapshotLocked(user), w.changes, func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		delete(st.watchers, w)
	}
}

// tell passes a change to every watcher who may see it. Callers hold the lock.
func (st *state) tell(c change) {
	for w := range st.watchers {
		if !st.sees(w.user, c) {
			continue
		}
		select {
		case w.changes <- c:
		default:
			st.cutOff(w)
		}
	}
}

func (st *state) cutOff(w *watcher) {
	delete(st.watchers, w)
	close(w.changes)
}

// reload makes the pages of user, of everybody when user is empty, come back for a new snapshot: what they see is no
// longer a change away.
func (st *state) reload(user string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for w := range st.watchers {
		if user == "" || w.user == user {
			st.cutOff(w)
		}
	}
}

// sees reports whether a change is any of user's business.
func (st *state) sees(user string, c change) bool {
	if c.User != "" && c.User != user {
		return false
	}
	if c.Message != nil && !c.Message.visibleTo(user) {
		return false
	}
	i := slices.IndexFunc(st.channels, func(ch Channel) bool { return ch.ID == c.Channel })
	return i < 0 || st.channels[i].shownTo(user)
}
