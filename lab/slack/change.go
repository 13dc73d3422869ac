package slack

import (
	"errors"
	"slices"
)

// This file is what admins and members change while the app runs: who is in a channel, channels, and people.

// Member is a person joining or leaving a channel. The app itself can be invited and removed, too.
type Member struct {
	Action  string `json:"action"` // join or leave
	User    string `json:"user"`
	Channel string `json:"channel"`
	Inviter string `json:"inviter"`
}

// Member changes who is in a channel and tells the app, which hears of channels that it is in.
func (s *Server) Member(m Member) Outcome {
	return s.timed(func() (string, error) { return "", s.member(m) })
}

func (s *Server) member(m Member) error {
	p, ok := s.state.person(m.User)
	c, known := s.state.channel(m.Channel)
	switch {
	case !ok:
		return refuse("user_not_found")
	case !known || c.IsIM:
		return refuse("channel_not_found")
	case c.IsArchived:
		return refuse("is_archived")
	case m.Action == "join":
		return s.joined(p, c, m.Inviter)
	case m.Action == "leave":
		return s.left(p, c)
	}
	return errors.New(`action must be "join" or "leave"`)
}

func (s *Server) joined(p Person, c Channel, inviter string) error {
	c, already := s.state.join(c.ID, p.ID)
	if already {
		return refuse("already_in_channel")
	}
	event := s.memberEvent("member_joined_channel", p, c)
	if by, ok := s.state.person(inviter); ok && inviter != "" {
		event["inviter"] = by.ID
	}
	return s.emitIn(c, event)
}

func (s *Server) left(p Person, c Channel) error {
	c, was := s.state.leave(c.ID, p.ID)
	if !was {
		return refuse("not_in_channel")
	}
	return s.emitIn(c, s.memberEvent("member_left_channel", p, c))
}

func (s *Server) memberEvent(kind string, p Person, c Channel) object {
	return object{
		"type": kind, "user": p.ID, "channel": c.ID, "channel_type": c.eventLetter(), "team": p.TeamID,
		"event_ts": s.state.stamp(),
	}
}

// eventLetter is the channel_type of membership events.
func (c Channel) eventLetter() string {
	if c.IsPrivate {
		return "G"
	}
	return "C"
}

// emitIn sends an event of a channel, if the app is in it.
func (s *Server) emitIn(c Channel, event object) error {
	if !c.has(s.cfg.App.UserID) {
		return nil
	}
	return s.emit(event)
}

// ChannelChange is what an admin does to a channel. What is left out stays.
type ChannelChange struct {
	Channel string  `json:"channel"`
	Archive *bool   `json:"archive"`
	Rename  string  `json:"rename"`
	Topic   *string `json:"topic"`
	// NewID gives the channel another id, as Slack does when a channel becomes a shared one.
	NewID string `json:"new_id"`
	// PostingRestricted lets the app post no more, or again.
	PostingRestricted *bool `json:"posting_restricted"`
}

// ChangeChannel changes a channel and tells the app.
func (s *Server) ChangeChannel(ch ChannelChange) Outcome {
	return s.timed(func() (string, error) { return "", s.changeChannel(ch) })
}

func (s *Server) changeChannel(ch ChannelChange) error {
	old, ok := s.state.channel(ch.Channel)
	if !ok || old.IsIM {
		return refuse("channel_not_found")
	}
	if _, taken := s.state.channel(ch.Rename); taken && ch.Rename != "" {
		return refuse("name_taken")
	}
	c, _ := s.state.alter(old.ID, ch.onto)
	if ch.NewID != "" {
		if c, ok = s.state.renumber(old.ID, ch.NewID); !ok {
			return refuse("id_taken")
		}
		s.state.reload("")
	}
	var errs []error
	for _, event := range s.channelEvents(old, c) {
		errs = append(errs, s.emitIn(c, event))
	}
	return errors.Join(errs...)
}

func (ch ChannelChange) onto(c *Channel) {
	if ch.Archive != nil {
		c.IsArchived = *ch.Archive
	}
	if ch.Rename != "" {
		c.Name = ch.Rename
	}
	if ch.Topic != nil {
		c.Topic = *ch.Topic
	}
	if ch.PostingRestricted != nil {
		c.PostingRestricted = *ch.PostingRestricted
	}
}

// channelEvents are the events of what changed between two states of a channel.
func (s *Server) channelEvents(old, c Channel) []object {
	var events []object
	at := s.state.stamp()
	if old.ID != c.ID {
		events = append(events, object{
			"type": "channel_id_changed", "old_channel_id": old.ID, "new_channel_id": c.ID, "event_ts": at,
		})
	}
	if old.Name != c.Name {
		events = append(events, object{
			"type": "channel_rename", "channel": object{"id": c.ID, "name": c.Name, "created": 0}, "event_ts": at,
		})
	}
	if old.IsArchived != c.IsArchived {
		kind := "channel_archive"
		if !c.IsArchived {
			kind = "channel_unarchive"
		}
		events = append(events, object{"type": kind, "channel": c.ID, "user": slackbotID, "event_ts": at})
	}
	return events
}

// renumber gives a channel another id; its messages go with it.
func (st *state) renumber(from, to string) (Channel, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.channels, func(c Channel) bool { return c.ID == from })
	if i < 0 || slices.ContainsFunc(st.channels, func(c Channel) bool { return c.ID == to }) {
		return Channel{}, false
	}
	c := st.channels[i]
	c.ID = to
	st.channels[i] = c
	st.messages[to] = st.messages[from]
	delete(st.messages, from)
	return c, true
}

// PersonChange is what an admin, or their own settings, do to a person. What is left out stays.
type PersonChange struct {
	User              string  `json:"user"`
	Deleted           *bool   `json:"deleted"`
	IsAdmin           *bool   `json:"is_admin"`
	IsBot             *bool   `json:"is_bot"`
	IsRestricted      *bool   `json:"is_restricted"`
	IsUltraRestricted *bool   `json:"is_ultra_restricted"`
	IsStranger        *bool   `json:"is_stranger"`
	TeamID            *string `json:"team_id"`
	Locale            *string `json:"locale"`
}

// ChangePerson changes a person at once, and tells the app if it subscribes to user_change.
func (s *Server) ChangePerson(pc PersonChange) Outcome {
	return s.timed(func() (string, error) {
		p, ok := s.state.person(pc.User)
		if !ok {
			return "", refuse("user_not_found")
		}
		p = s.state.alterPerson(p.ID, pc.onto)
		return "", s.emit(object{
			"type": "user_change", "user": p.view(s.cfg.Team.ID, seen{locale: true}), "event_ts": s.state.stamp(),
		})
	})
}

func (pc PersonChange) onto(p *Person) {
	for flag, to := range map[*bool]*bool{
		&p.Deleted: pc.Deleted, &p.IsAdmin: pc.IsAdmin, &p.IsBot: pc.IsBot, &p.IsRestricted: pc.IsRestricted,
		&p.IsUltraRestricted: pc.IsUltraRestricted, &p.IsStranger: pc.IsStranger,
	} {
		if to != nil {
			*flag = *to
		}
	}
	if pc.TeamID != nil {
		p.TeamID = *pc.TeamID
	}
	if pc.Locale != nil {
		p.Locale = *pc.Locale
	}
}

func (st *state) alterPerson(id string, onto func(*Person)) Person {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.people, func(p Person) bool { return p.ID == id })
	p := st.people[i]
	onto(&p)
	st.people = slices.Clone(st.people)
	st.people[i] = p
	st.tell(change{Kind: "person", Person: &p})
	return p
}

// RawEvent is any event, as the app gets it. Type is required; event_ts is added.
type RawEvent struct {
	Event object `json:"event"`
}

// Event sends an event to the app, subscribed to or not, known or not.
func (s *Server) Event(e RawEvent) Outcome {
	return s.timed(func() (string, error) {
		if kind, _ := e.Event["type"].(string); kind == "" {
			return "", errors.New("event: give it a type")
		}
		if e.Event["event_ts"] == nil {
			e.Event["event_ts"] = s.state.stamp()
		}
		return "", s.sendThroughWeather(s.wrapEvent(e.Event))
	})
}

// SSLCheck is what Slack sends to the commands URL from time to time: no command, and nothing to be seen.
func (s *Server) SSLCheck(struct{}) Outcome {
	return s.timed(func() (string, error) {
		return "", s.outbound.sslCheck(s.ctx, s.wiring.get().CommandsURL, s.hooks.verification)
	})
}
