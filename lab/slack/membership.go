package slack

import (
	"slices"
	"strings"
)

// This file is the part of the state that is conversations and who is in them.

// alter changes one channel in place, tells the watchers, and returns it as it is then.
func (st *state) alter(channel string, change func(*Channel)) (Channel, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.channels, func(c Channel) bool { return c.ID == channel })
	if i < 0 {
		return Channel{}, false
	}
	c := st.channels[i]
	c.Members = slices.Clone(c.Members)
	change(&c)
	st.channels[i] = c
	st.tell(changedChannel(c))
	return c, true
}

func changedChannel(c Channel) change {
	return change{Kind: "channel", Channel: c.ID, Conversation: &c}
}

// join makes user a member of the channel and returns the channel as it is then.
func (st *state) join(channel, user string) (joined Channel, already bool) {
	joined, _ = st.alter(channel, func(c *Channel) {
		if already = c.has(user); !already {
			c.Members = append(c.Members, user)
		}
	})
	if joined.IsPrivate && !already {
		st.reload(user)
	}
	return joined, already
}

// leave is the opposite of join.
func (st *state) leave(channel, user string) (left Channel, was bool) {
	left, _ = st.alter(channel, func(c *Channel) {
		was = c.has(user)
		c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return m == user })
	})
	if left.IsPrivate && was {
		st.reload(user)
	}
	return left, was
}

// directMessages is the conversation between user and the app's user bot. The first who asks makes it.
func (st *state) directMessages(user, bot string) (c Channel, already bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.channels, func(c Channel) bool { return c.IsIM && c.User == user })
	if i >= 0 {
		return st.channels[i], true
	}
	c = Channel{ID: "D" + strings.TrimPrefix(user, "U"), IsIM: true, User: user, Members: []string{user, bot}}
	st.channels = append(st.channels, c)
	st.tell(changedChannel(c))
	return c, false
}

func (st *state) groups() []UserGroup {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.subteams)
}

// group finds a user group that is in use by its id or handle.
func (st *state) group(which string) (UserGroup, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.subteams, func(g UserGroup) bool { return g.is(which) && !g.Disabled })
	if i < 0 {
		return UserGroup{}, false
	}
	return st.subteams[i], true
}
