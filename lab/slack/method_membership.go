package slack

import (
	"cmp"
	"errors"
	"strings"
)

// This file is what changes who is in a conversation: join, leave, invite, open.

func (s *Server) conversationsJoin(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case channel.IsArchived:
		return nil, refuse("is_archived")
	case channel.IsPrivate || channel.IsIM:
		return nil, refuse("method_not_supported_for_channel_type")
	}
	if channel.has(s.cfg.App.UserID) {
		answer := reply{"channel": s.channelView(channel, false)}
		return answer.warned("already_in_channel"), nil
	}
	channel = s.enter(channel, s.cfg.App.UserID)
	return reply{"channel": s.channelView(channel, false)}, nil
}

// enter makes user a member. The app hears of it; it must be free to answer this call before it hears.
func (s *Server) enter(channel Channel, user string) Channel {
	channel, _ = s.state.join(channel.ID, user)
	if p, ok := s.state.person(user); ok {
		event := s.memberEvent("member_joined_channel", p, channel)
		event["inviter"] = s.cfg.App.UserID
		s.spawn(func() { _ = s.emitIn(channel, event) }) // what fails is sent again by itself
	}
	return channel
}

func (s *Server) conversationsLeave(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case channel.IsIM:
		return nil, refuse("method_not_supported_for_channel_type")
	case channel.Name == "general":
		return nil, refuse("cant_leave_general")
	case channel.IsArchived:
		return nil, refuse("is_archived")
	}
	if _, was := s.state.leave(channel.ID, s.cfg.App.UserID); !was {
		return reply{"not_in_channel": true}, nil
	}
	return nil, nil
}

func (s *Server) conversationsInvite(c call) (reply, error) {
	channel, err := s.writableChannel(c.args.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case channel.IsIM:
		return nil, refuse("method_not_supported_for_channel_type")
	case c.args.str("users") == "":
		return nil, refuse("no_user")
	}
	users := strings.Split(c.args.str("users"), ",")
	for _, user := range users {
		if err := s.invitable(channel, user); err != nil {
			return nil, err
		}
	}
	for _, user := range users {
		channel = s.enter(channel, user)
	}
	return reply{"channel": s.channelView(channel, false)}, nil
}

func (s *Server) invitable(channel Channel, user string) error {
	p, ok := s.personByID(user)
	switch {
	case !ok:
		return refuse("user_not_found")
	case user == s.cfg.App.UserID:
		return refuse("cant_invite_self")
	case channel.has(user):
		return refuse("already_in_channel")
	case p.Deleted || p.ID == slackbotID || s.foreign(p):
		return refuse("cant_invite")
	case p.IsUltraRestricted:
		return refuse("ura_max_channels")
	}
	return nil
}

func (s *Server) conversationsOpen(c call) (reply, error) {
	if id := c.args.str("channel"); id != "" {
		channel, err := s.visibleChannel(id)
		if err != nil {
			return nil, err
		}
		return s.opened(channel, true, c.args), nil
	}
	users := strings.Split(c.args.str("users"), ",")
	switch {
	case users[0] == "":
		return nil, refuse("users_list_not_supplied")
	case len(users) > 1:
		return nil, cmp.Or(s.needs("mpim:write"), errors.New("this workspace has no conversations of several people"))
	}
	p, err := s.addressee(users[0])
	if err != nil {
		return nil, err
	}
	channel, already := s.state.directMessages(p.ID, s.cfg.App.UserID)
	return s.opened(channel, already, c.args), nil
}

func (s *Server) opened(channel Channel, already bool, a args) reply {
	answer := reply{"channel": object{"id": channel.ID}}
	if a.flag("return_im") {
		answer["channel"] = s.channelView(channel, false)
	}
	if already {
		answer["no_op"], answer["already_open"] = true, true
	}
	return answer
}

// addressee is a person whom the app may write to directly.
func (s *Server) addressee(id string) (Person, error) {
	p, ok := s.personByID(id)
	switch {
	case !ok:
		return Person{}, refuse("user_not_found")
	case p.Deleted:
		return Person{}, refuse("user_disabled")
	case p.IsBot || p.ID == slackbotID:
		return Person{}, refuse("cannot_dm_bot")
	case s.foreign(p):
		return Person{}, refuse("user_not_visible")
	}
	return p, nil
}
