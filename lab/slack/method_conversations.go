package slack

import (
	"slices"
	"strings"
)

func (s *Server) conversationMethods() []method {
	return []method{
		{name: "conversations.info", scopes: ofConversations("read"), tier: tier3, formOnly: true, handle: s.conversationsInfo},
		{name: "conversations.list", scopes: ofConversations("read"), tier: tier2, formOnly: true, handle: s.conversationsList},
		{name: "conversations.members", scopes: ofConversations("read"), tier: tier4, formOnly: true, handle: s.conversationsMembers},
		{name: "users.conversations", scopes: ofConversations("read"), tier: tier3, formOnly: true, handle: s.usersConversations},
		{name: "conversations.join", scopes: []string{"channels:join"}, tier: tier3, handle: s.conversationsJoin},
		{name: "conversations.leave", scopes: []string{"channels:manage", "groups:write"}, tier: tier3, handle: s.conversationsLeave},
		{name: "conversations.invite", scopes: []string{"channels:manage", "channels:write.invites", "groups:write"}, tier: tier3, handle: s.conversationsInvite},
		{name: "conversations.open", scopes: []string{"im:write"}, tier: tier3, handle: s.conversationsOpen},
		{name: "conversations.history", scopes: ofConversations("history"), tier: tier3, formOnly: true, handle: s.conversationsHistory},
		{name: "conversations.replies", scopes: ofConversations("history"), tier: tier3, formOnly: true, handle: s.conversationsReplies},
	}
}

// ofConversations are the scopes of which any opens a method; which of them a conversation needs, its kind decides.
func ofConversations(verb string) []string {
	return []string{"channels:" + verb, "groups:" + verb, "im:" + verb, "mpim:" + verb}
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
	case c.PostingRestricted:
		return Channel{}, refuse("restricted_action")
	}
	return c, nil
}

// readable is visibleChannel for what needs the scope of this kind of conversation.
func (s *Server) readable(a args, verb string) (Channel, error) {
	c, err := s.visibleChannel(a.str("channel"))
	if err != nil {
		return Channel{}, err
	}
	return c, s.mayUse(c, verb)
}

func (s *Server) channelView(c Channel, withCount bool) map[string]any {
	view := c.view(s.cfg.App.UserID, s.cfg.Team.ID)
	if withCount {
		view["num_members"] = len(c.Members)
	}
	return view
}

func (s *Server) conversationsInfo(c call) (reply, error) {
	channel, err := s.readable(c.args, "read")
	if err != nil {
		return nil, err
	}
	view := s.channelView(channel, c.args.flag("include_num_members"))
	if c.args.flag("include_locale") {
		view["locale"] = "en-US"
	}
	return reply{"channel": view}, nil
}

func (s *Server) conversationsList(c call) (reply, error) {
	return s.listChannels(c.args, func(Channel) bool { return true })
}

// usersConversations is the conversations of one person, or of the app: those that the app may see.
func (s *Server) usersConversations(c call) (reply, error) {
	user := c.args.str("user")
	orElse(&user, s.cfg.App.UserID)
	if _, ok := s.personByID(user); !ok {
		return nil, refuse("user_not_found")
	}
	return s.listChannels(c.args, func(ch Channel) bool { return ch.has(user) })
}

func (s *Server) listChannels(a args, wanted func(Channel) bool) (reply, error) {
	types, err := s.channelTypes(a)
	if err != nil {
		return nil, err
	}
	channels := slices.DeleteFunc(s.state.allChannels(), func(ch Channel) bool {
		return !ch.shownTo(s.cfg.App.UserID) || !slices.Contains(types, ch.kind()) || !wanted(ch) ||
			(ch.IsArchived && a.flag("exclude_archived"))
	})
	page, next, err := pageOf(channels, a)
	if err != nil {
		return nil, err
	}
	views := make([]object, len(page))
	for i, ch := range page {
		views[i] = s.channelView(ch, true)
	}
	return reply{"channels": views, "response_metadata": nextCursor(next)}, nil
}

// channelTypes are the kinds of conversation that the arguments ask for, each of which needs its scope.
func (s *Server) channelTypes(a args) ([]string, error) {
	wanted := a.str("types")
	orElse(&wanted, "public_channel")
	families := map[string]string{"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
	var types []string
	for kind := range strings.SplitSeq(wanted, ",") {
		kind = strings.TrimSpace(kind)
		if families[kind] == "" {
			return nil, refuse("invalid_types")
		}
		if err := s.needs(families[kind] + ":read"); err != nil {
			return nil, err
		}
		types = append(types, kind)
	}
	return types, nil
}

func (s *Server) conversationsMembers(c call) (reply, error) {
	channel, err := s.readable(c.args, "read")
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(channel.Members, c.args)
	if err != nil {
		return nil, err
	}
	return reply{"members": page, "response_metadata": nextCursor(next)}, nil
}
