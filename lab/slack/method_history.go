package slack

import "slices"

// span is the part of a conversation that the arguments ask for.
type span struct {
	oldest, latest string
	inclusive      bool
}

func readSpan(a args) (span, error) {
	sp := span{oldest: a.str("oldest"), latest: a.str("latest"), inclusive: a.flag("inclusive")}
	for name, ts := range map[string]string{"oldest": sp.oldest, "latest": sp.latest} {
		if ts != "" && !isTS(ts) {
			return span{}, refuse("invalid_ts_" + name)
		}
	}
	return sp, nil
}

// holds compares as texts: a ts always has ten digits before its dot.
func (sp span) holds(ts string) bool {
	if sp.inclusive && (ts == sp.oldest || ts == sp.latest) {
		return true
	}
	return (sp.oldest == "" || ts > sp.oldest) && (sp.latest == "" || ts < sp.latest)
}

// conversationsHistory is the messages that stand in the conversation itself, newest first.
func (s *Server) conversationsHistory(c call) (reply, error) {
	channel, sp, err := s.historyOf(c.args)
	if err != nil {
		return nil, err
	}
	found := s.kept(channel, func(m Message) bool {
		top := m.ThreadTS == "" || m.ThreadTS == m.TS || m.Subtype == "thread_broadcast"
		return top && sp.holds(m.TS)
	})
	slices.Reverse(found)
	return s.messagesReply(found, c.args)
}

// conversationsReplies is a thread, oldest first, its parent always at the top.
func (s *Server) conversationsReplies(c call) (reply, error) {
	channel, sp, err := s.historyOf(c.args)
	if err != nil {
		return nil, err
	}
	m, ok := s.state.message(channel.ID, c.args.str("ts"))
	if !ok || m.Ephemeral {
		return nil, refuse("thread_not_found")
	}
	thread := m.ThreadTS
	orElse(&thread, m.TS)
	found := s.kept(channel, func(m Message) bool {
		return m.TS == thread || (m.ThreadTS == thread && sp.holds(m.TS))
	})
	return s.messagesReply(found, c.args)
}

func (s *Server) historyOf(a args) (Channel, span, error) {
	channel, err := s.readable(a, "history")
	if err != nil {
		return Channel{}, span{}, err
	}
	if !channel.has(s.cfg.App.UserID) {
		return Channel{}, span{}, refuse("not_in_channel")
	}
	sp, err := readSpan(a)
	return channel, sp, err
}

// kept are the messages that Slack keeps, which the ephemeral ones are not.
func (s *Server) kept(channel Channel, wanted func(Message) bool) []Message {
	return slices.DeleteFunc(s.state.timeline(channel.ID), func(m Message) bool { return m.Ephemeral || !wanted(m) })
}

func (s *Server) messagesReply(found []Message, a args) (reply, error) {
	page, next, err := pageOf(found, a)
	if err != nil {
		return nil, err
	}
	views := make([]posted, len(page))
	for i, m := range page {
		views[i] = s.messageView(m)
		if !a.flag("include_all_metadata") {
			views[i].Metadata = nil
		}
	}
	return reply{
		"messages": views, "has_more": next != "", "pin_count": 0, "response_metadata": nextCursor(next),
	}, nil
}
