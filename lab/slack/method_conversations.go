package slack

import (
	"slices"
	"strings"
)

func (s *Server) conversationMethods() []method {
	read := []string{"channels:read", "groups:read"}
	return []method{
		{name: "conversations.info", scopes: read, tier: tier3, handle: s.conversationsInfo},
		{name: "conversations.list", scopes: read, tier: tier2, handle: s.conversationsList},
		{name: "conversations.members", scopes: read, tier: tier4, handle: s.conversationsMembers},
		{name: "conversations.join", scopes: []string{"channels:join"}, tier: tier3, handle: s.conversationsJoin},
	}
}

// visibleChannel is the channel of the arguments, if the app may know of it: a private one exists only for members.
func (s *Server) visibleChannel(id string) (Channel, error) {
	c, ok := s.state.channel(id)
	if !ok || c.ID != id || (c.IsPrivate && !c.has(s.cfg.App.UserID)) {
		return Channel{}, refuse("channel_not_found")
	}
	return c, nil
}

// writableChannel is visibleChannel for what only a member may do.
func (s *Server) writableChannel(id string) (Channel, error) {
	c, err := s.visibleChannel(id)
	switch {
	case err != nil:
		return Channel{}, err
	case c.IsArchived:
		return Channel{}, refuse("is_archived")
	case !c.has(s.cfg.App.UserID):
		return Channel{}, refuse("not_in_channel")
	}
	return c, nil
}

func (s *Server) channelView(c Channel, withCount bool) map[string]any {
	view := c.view(s.cfg.App.UserID, s.cfg.Team.ID)
	if withCount {
		view["num_members"] = len(c.Members)
	}
	return view
}

func (s *Server) conversationsInfo(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	if err != nil {
		return nil, err
	}
	return reply{"channel": s.channelView(channel, c.args.flag("include_num_members"))}, nil
}

func (s *Server) conversationsList(c call) (reply, error) {
	wanted := c.args.str("types")
	if wanted == "" {
		wanted = "public_channel"
	}
	types := strings.Split(wanted, ",")
	channels := slices.DeleteFunc(s.state.allChannels(), func(ch Channel) bool {
		kind := "public_channel"
		if ch.IsPrivate {
			kind = "private_channel"
		}
		hidden := ch.IsPrivate && !ch.has(s.cfg.App.UserID)
		return hidden || !slices.Contains(types, kind) || (ch.IsArchived && c.args.flag("exclude_archived"))
	})
	page, next, err := pageOf(channels, c.args)
	if err != nil {
		return nil, err
	}
	views := make([]map[string]any, len(page))
	for i, ch := range page {
		views[i] = s.channelView(ch, true)
	}
	return reply{"channels": views, "response_metadata": nextCursor(next)}, nil
}

func (s *Server) conversationsMembers(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(channel.Members, c.args)
	if err != nil {
		return nil, err
	}
	return reply{"members": page, "response_metadata": nextCursor(next)}, nil
}

func (s *Server) conversationsJoin(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case channel.IsArchived:
		return nil, refuse("is_archived")
	case channel.IsPrivate:
		return nil, refuse("method_not_supported_for_channel_type")
	}
	channel, already := s.state.join(channel.ID, s.cfg.App.UserID)
	answer := reply{"channel": s.channelView(channel, false)}
	if already {
		answer["warning"] = "already_in_channel"
		answer["response_metadata"] = map[string]any{"warnings": []string{"already_in_channel"}}
	}
	return answer, nil
}
