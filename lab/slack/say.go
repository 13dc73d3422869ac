package slack

import (
	"regexp"
	"strings"
	"time"
)

// Said is what a person types, with who and where. User and Channel are ids or names; "@tandem" is the direct messages
// with the app.
type Said struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	ThreadTS string `json:"thread_ts"`
}

// Outcome is what became of something a person did. AckMS is the time until the app acknowledged it, when it was told.
type Outcome struct {
	TS    string  `json:"ts,omitempty"`
	AckMS float64 `json:"ack_ms"`
	Error string  `json:"error,omitempty"`
	// Errors are what stands at the inputs of a modal that was not accepted, by block_id.
	Errors map[string]string `json:"errors,omitempty"`
}

// Say does what typing in the page's composer does: a slash command or a message. It returns when the app has
// acknowledged, or has not in time.
func (s *Server) Say(said Said) Outcome {
	return s.timed(func() (string, error) { return s.say(said) })
}

func (s *Server) timed(act func() (string, error)) Outcome {
	started := time.Now()
	ts, err := act()
	out := Outcome{TS: ts, AckMS: float64(time.Since(started).Microseconds()) / 1000}
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

func (s *Server) say(said Said) (string, error) {
	p, channel, err := s.actor(said.User, said.Channel)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(said.Text)
	if text == "" {
		return "", refuse("no_text")
	}
	if strings.HasPrefix(text, "/") {
		return "", s.runCommand(p, channel, text, said.ThreadTS)
	}
	thread, err := s.thread(channel, said.ThreadTS)
	if err != nil {
		return "", err
	}
	if home := s.cfg.App.Home; channel.IsIM && (!home.MessagesTab || home.MessagesReadOnly) {
		return "", refuse("messages_tab_disabled")
	}
	m := s.state.post(channel.ID, Message{User: p.ID, Team: p.TeamID, Text: s.encode(text, false), ThreadTS: thread})
	if event := s.mention(channel, m); event != nil {
		if err := s.emit(event); err != nil {
			return m.TS, err
		}
	}
	return m.TS, s.emit(messageEvent(channel, m))
}

// human is a person who can act.
func (s *Server) human(who string) (Person, error) {
	p, ok := s.state.person(who)
	if !ok || p.Deleted || p.IsBot {
		return Person{}, refuse("user_not_found")
	}
	return p, nil
}

// foreign reports whether p belongs to another organisation.
func (s *Server) foreign(p Person) bool { return p.TeamID != s.cfg.Team.ID }

// directMessages is the conversation between p and the app.
func (s *Server) directMessages(p Person) Channel {
	c, _ := s.state.directMessages(p.ID, s.cfg.App.UserID)
	return c
}

// actor is the person who acts and the channel they act in, of which they must be a member.
func (s *Server) actor(user, channel string) (Person, Channel, error) {
	p, err := s.human(user)
	if err != nil {
		return Person{}, Channel{}, err
	}
	if to, ok := s.state.person(channel); ok && to.ID == s.cfg.App.UserID && !s.foreign(p) {
		return p, s.directMessages(p), nil
	}
	c, ok := s.state.channel(channel)
	switch {
	case !ok:
		return Person{}, Channel{}, refuse("channel_not_found")
	case c.IsArchived:
		return Person{}, Channel{}, refuse("is_archived")
	case !c.has(p.ID):
		return Person{}, Channel{}, refuse("not_in_channel")
	}
	return p, c, nil
}

// Reacting is a person putting an emoji on a message, or taking it back.
type Reacting struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	Reaction string `json:"reaction"`
	Remove   bool   `json:"remove"`
}

// React does what clicking a reaction does, and tells the app.
func (s *Server) React(r Reacting) Outcome {
	return s.timed(func() (string, error) { return r.TS, s.reactAs(r) })
}

func (s *Server) reactAs(r Reacting) error {
	p, channel, err := s.actor(r.User, r.Channel)
	if err != nil {
		return err
	}
	m, ok := s.state.standing(channel.ID, r.TS)
	if !ok {
		return refuse("message_not_found")
	}
	event, err := s.react(channel, m, p.ID, strings.Trim(r.Reaction, ":"), r.Remove)
	if err != nil || !channel.has(s.cfg.App.UserID) {
		return err
	}
	return s.emit(event)
}

// encode turns what a person types into Slack's own markup: &, < and > are escaped, names and addresses are marked.
// Commands get the labelled form of a mention, <@U1|ana>. Markup that is already there stays.
func (s *Server) encode(text string, labelled bool) string {
	token := regexp.MustCompile(`<[@#][A-Z0-9]+(\|[^<>]*)?>|https?://[^\s<>]+|[@#][a-z0-9][a-z0-9._-]*`)
	var out strings.Builder
	last := 0
	for _, at := range token.FindAllStringIndex(text, -1) {
		out.WriteString(escape(text[last:at[0]]))
		out.WriteString(s.encodeToken(text[at[0]:at[1]], labelled))
		last = at[1]
	}
	out.WriteString(escape(text[last:]))
	return out.String()
}

func (s *Server) encodeToken(token string, labelled bool) string {
	name := strings.TrimRight(token, "._-")
	rest := token[len(name):]
	switch {
	case strings.HasPrefix(token, "<"):
		return token
	case strings.HasPrefix(token, "@"):
		if p, ok := s.state.person(name); ok {
			return mentionOf("@"+p.ID, p.Name, labelled) + rest
		}
		if g, ok := s.state.group(name); ok {
			return mentionOf("!subteam^"+g.ID, "@"+g.Handle, labelled) + rest
		}
	case strings.HasPrefix(token, "#"):
		if c, ok := s.state.channel(name); ok {
			return mentionOf("#"+c.ID, c.Name, true) + rest
		}
	default:
		return "<" + escape(token) + ">"
	}
	return escape(token)
}

func mentionOf(id, name string, labelled bool) string {
	if labelled {
		return "<" + id + "|" + name + ">"
	}
	return "<" + id + ">"
}

func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
