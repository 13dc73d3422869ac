package slack

import "slices"

// watcherBacklog is how far behind a page may fall before it is cut off and has to come back for a new snapshot.
const watcherBacklog = 256

// change is one thing that happened, as the page's event stream carries it.
type change struct {
	Kind    string `json:"kind"` // message, removed, link, channel
	Channel string `json:"channel,omitempty"`
	// Conversation is a channel that is new or has changed, when the kind says so.
	Conversation *Channel `json:"conversation,omitempty"`
	Message      *Message `json:"message,omitempty"`
	Connections  int      `json:"connections,omitempty"`
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
	i := slices.IndexFunc(st.channels, func(ch Channel) bool { return ch.ID == c.Channel })
	for w := range st.watchers {
		if (i >= 0 && !st.channels[i].shownTo(w.user)) || (c.Message != nil && !c.Message.visibleTo(w.user)) {
			continue
		}
		select {
		case w.changes <- c:
		default:
			delete(st.watchers, w)
			close(w.changes)
		}
	}
}
