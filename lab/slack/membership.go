package slack

import "slices"

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
	return change{Kind: "conversation", Channel: c.ID, Conversation: &c}
}

// join makes user a member of the channel and returns the channel as it is then.
func (st *state) join(channel, user string) (joined Channel, already bool) {
	joined, _ = st.alter(channel, func(c *Channel) {
		if already = c.has(user); !already {
			c.Members = append(c.Members, user)
		}
	})
	return joined, already
}

// leave is the opposite of join.
func (st *state) leave(channel, user string) (left Channel, was bool) {
	left, _ = st.alter(channel, func(c *Channel) {
		was = c.has(user)
		c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return m == user })
	})
	return left, was
}

// im is the direct messages of person with the app, opened when there are none yet.
func (st *state) im(person string) (c Channel, already bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	c = directMessage(person, st.app.UserID)
	if i := slices.IndexFunc(st.channels, func(o Channel) bool { return o.ID == c.ID }); i >= 0 {
		return st.channels[i], true
	}
	st.channels = append(st.channels, c)
	st.tell(changedChannel(c))
	return c, false
}

func (st *state) groups() []UserGroup {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.subteams)
}
