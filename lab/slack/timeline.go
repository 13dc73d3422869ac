package slack

import "slices"

// This file is the part of the state that is messages: post, find, change, remove.

// post appends m to the channel, gives it its ts, counts it in its thread and returns it.
func (st *state) post(channel string, m Message) Message {
	m = st.add(channel, m)
	st.hear(channel, heard{message: m})
	return m
}

// heard is what happened to a message: it is new, or it is the one that is left of previous after a change or removal.
type heard struct {
	subtype  string // message_changed, message_deleted, or nothing for a new one
	message  Message
	previous Message
}

func (st *state) hear(channel string, h heard) {
	if c, ok := st.channel(channel); ok && st.heard != nil {
		st.heard(c, h)
	}
}

func (st *state) add(channel string, m Message) Message {
	st.mu.Lock()
	defer st.mu.Unlock()
	m.Type, m.TS = "message", st.nextTS()
	if m.Team == "" {
		m.Team = st.team.ID
	}
	if m.ThreadTS != "" && !m.Ephemeral {
		m.ParentUserID = st.countReply(channel, m)
	}
	st.messages[channel] = append(st.messages[channel], m)
	st.tell(change{Kind: "message", Channel: channel, Message: &m})
	return m
}

// countReply keeps the "2 replies" of the parent, and returns the parent's author.
func (st *state) countReply(channel string, reply Message) string {
	i := st.index(channel, reply.ThreadTS)
	if i < 0 {
		return ""
	}
	parent := st.messages[channel][i].replied(reply)
	st.put(channel, i, parent)
	return parent.User
}

func (st *state) index(channel, ts string) int {
	return slices.IndexFunc(st.messages[channel], func(m Message) bool { return m.TS == ts })
}

func (st *state) put(channel string, i int, m Message) {
	st.messages[channel][i] = m
	st.tell(change{Kind: "message", Channel: channel, Message: &m})
}

func (st *state) message(channel, ts string) (Message, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.index(channel, ts)
	if i < 0 {
		return Message{}, false
	}
	return st.messages[channel][i], true
}

// standing is a message that Slack keeps and nobody has deleted.
func (st *state) standing(channel, ts string) (Message, bool) {
	m, ok := st.message(channel, ts)
	return m, ok && !m.Ephemeral && !m.deleted()
}

// edit changes one message in place. When change says no, nothing happens and edit returns false.
func (st *state) edit(channel, ts string, change func(*Message) bool) (Message, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.index(channel, ts)
	if i < 0 {
		return Message{}, false
	}
	m := st.messages[channel][i]
	if !change(&m) {
		return Message{}, false
	}
	st.put(channel, i, m)
	return m, true
}

// rewrite is edit with the mark that people see as "(edited)".
func (st *state) rewrite(channel, ts, by string, change func(*Message)) (Message, bool) {
	var before Message
	m, ok := st.edit(channel, ts, func(m *Message) bool {
		if m.deleted() {
			return false
		}
		before = *m
		change(m)
		m.Edited = &Edit{User: by, TS: st.nextTS()}
		return true
	})
	if ok {
		st.hear(channel, heard{subtype: "message_changed", message: m, previous: before})
	}
	return m, ok
}

// remove deletes a message. One that has replies leaves a tombstone, so that its thread stays.
func (st *state) remove(channel, ts string) {
	if m, ok := st.takeAway(channel, ts); ok {
		st.hear(channel, heard{subtype: "message_deleted", previous: m})
	}
}

func (st *state) takeAway(channel, ts string) (Message, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.index(channel, ts)
	if i < 0 {
		return Message{}, false
	}
	old := st.messages[channel][i]
	switch {
	case old.deleted():
		return Message{}, false
	case old.ReplyCount > 0:
		st.put(channel, i, old.tombstone())
		return old, true
	}
	st.drop(channel, i)
	if old.ThreadTS != "" && !old.Ephemeral {
		st.discountReply(channel, old.ThreadTS)
	}
	return old, true
}

// drop takes a message out of the channel without a trace. Callers hold the lock.
func (st *state) drop(channel string, i int) {
	old := st.messages[channel][i]
	st.messages[channel] = slices.Delete(st.messages[channel], i, i+1)
	st.tell(change{Kind: "removed", Channel: channel, Message: &old})
}

// discountReply counts the replies of a thread anew after one was deleted. A tombstone goes with its last reply.
func (st *state) discountReply(channel, thread string) {
	i := st.index(channel, thread)
	if i < 0 {
		return
	}
	parent := st.messages[channel][i]
	parent.ThreadTS, parent.ReplyCount, parent.ReplyUsers, parent.LatestReply = "", 0, nil, ""
	for _, m := range st.messages[channel] {
		if m.ThreadTS == thread && m.TS != thread && !m.Ephemeral {
			parent = parent.replied(m)
		}
	}
	if parent.deleted() && parent.ReplyCount == 0 {
		st.drop(channel, i)
		return
	}
	st.put(channel, i, parent)
}

// timeline is a copy of all messages of a channel, oldest first.
func (st *state) timeline(channel string) []Message {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.messages[channel])
}
