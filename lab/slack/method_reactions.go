package slack

import "regexp"

// shownReactors is how many users of a reaction are named without full=true. Slack does not say how many it names; few,
// so that an app which counts on all of them is found out.
const shownReactors = 3

func (s *Server) reactionMethods() []method {
	write := []string{"reactions:write"}
	return []method{
		{name: "reactions.add", scopes: write, tier: tier3, handle: s.reactionsAdd},
		{name: "reactions.remove", scopes: write, tier: tier2, handle: s.reactionsRemove},
		{name: "reactions.get", scopes: []string{"reactions:read"}, tier: tier3, formOnly: true, handle: s.reactionsGet},
	}
}

// reactedItem is the message that the arguments point at.
func (s *Server) reactedItem(a args) (Channel, Message, error) {
	switch ts := a.str("timestamp"); {
	case a.str("channel") == "" || ts == "":
		return Channel{}, Message{}, refuse("no_item_specified")
	case !isTS(ts):
		return Channel{}, Message{}, refuse("bad_timestamp")
	}
	channel, err := s.visibleChannel(a.str("channel"))
	if err != nil {
		return Channel{}, Message{}, err
	}
	m, ok := s.state.standing(channel.ID, a.str("timestamp"))
	if !ok {
		return Channel{}, Message{}, refuse("message_not_found")
	}
	return channel, m, nil
}

func (s *Server) reactionsAdd(c call) (reply, error) {
	return s.reactAsBot(c.args, false)
}

func (s *Server) reactionsRemove(c call) (reply, error) {
	return s.reactAsBot(c.args, true)
}

func (s *Server) reactAsBot(a args, remove bool) (reply, error) {
	channel, m, err := s.reactedItem(a)
	if err != nil {
		return nil, err
	}
	switch {
	case channel.IsArchived:
		return nil, refuse("is_archived")
	case !channel.has(s.cfg.App.UserID):
		return nil, refuse("not_in_channel")
	}
	event, err := s.react(channel, m, s.cfg.App.UserID, a.str("name"), remove)
	if err != nil {
		return nil, err
	}
	// The app hears of its own reactions too; it must be free to answer this call before it hears.
	s.spawn(func() { _ = s.emit(event) }) // what fails is sent again by itself
	return nil, nil
}

// react adds or removes one reaction and returns the event that tells of it.
func (s *Server) react(channel Channel, m Message, user, name string, remove bool) (object, error) {
	if !regexp.MustCompile(`^[a-z0-9_+'-]+(::skin-tone-[2-6])?$`).MatchString(name) {
		return nil, refuse("invalid_name")
	}
	kind, refusal, change := "reaction_added", "already_reacted", Message.react
	if code := m.full(name, user); code != "" && !remove {
		return nil, refuse(code)
	}
	if remove {
		kind, refusal, change = "reaction_removed", "no_reaction", Message.unreact
	}
	_, ok := s.state.edit(channel.ID, m.TS, func(m *Message) bool {
		reactions, changed := change(*m, name, user)
		if changed {
			m.Reactions = reactions
		}
		return changed
	})
	if !ok {
		return nil, refuse(refusal)
	}
	return object{
		"type": kind, "user": user, "reaction": name, "item_user": m.User, "event_ts": s.state.stamp(),
		"item": object{"type": "message", "channel": channel.ID, "ts": m.TS},
	}, nil
}

func (s *Server) reactionsGet(c call) (reply, error) {
	channel, m, err := s.reactedItem(c.args)
	if err != nil {
		return nil, err
	}
	if !c.args.flag("full") {
		m.Reactions = abridged(m.Reactions)
	}
	view := s.messageView(m)
	view.Permalink = s.permalink(channel, m)
	return reply{"type": "message", "channel": channel.ID, "message": view}, nil
}

// abridged cuts the lists of users as Slack does without full=true: the count stays exact.
func abridged(reactions []Reaction) []Reaction {
	short := make([]Reaction, len(reactions))
	for i, r := range reactions {
		short[i] = r
		short[i].Users = r.Users[:min(shownReactors, len(r.Users))]
	}
	return short
}
