package slack

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxPostText    = 40_000 // cut off beyond
	maxUpdateText  = 4_000  // refused beyond
	maxAttachments = 100
	maxMetadata    = 8_000 // bytes
)

func (s *Server) chatMethods() []method {
	write := []string{"chat:write"}
	return []method{
		{name: "chat.postMessage", scopes: write, tier: postTier, handle: s.chatPostMessage},
		{name: "chat.postEphemeral", scopes: write, tier: tier4, handle: s.chatPostEphemeral},
		{name: "chat.update", scopes: write, tier: tier3, handle: s.chatUpdate},
		{name: "chat.delete", scopes: write, tier: tier3, handle: s.chatDelete},
		{name: "chat.getPermalink", formOnly: true, handle: s.chatGetPermalink},
	}
}

// content is what a message says, checked against Slack's limits.
type content struct {
	text        string
	blocks      []object
	hasBlocks   bool // the caller sent the argument, be it an empty list
	attachments json.RawMessage
	metadata    json.RawMessage
}

func readContent(a args) (content, error) {
	c := content{text: a.str("text"), attachments: a.raw("attachments"), metadata: a.raw("metadata")}
	raw, err := blocksOf(a)
	if err != nil {
		return content{}, err
	}
	if raw != nil {
		if c.blocks, err = parseBlocks(raw, onMessage); err != nil {
			return content{}, err
		}
		c.hasBlocks = true
	}
	if err := checkAttachments(c.attachments); err != nil {
		return content{}, err
	}
	return c, checkMetadata(c.metadata)
}

// blocksOf are the blocks of the arguments, or the one block that markdown_text is short for.
func blocksOf(a args) (json.RawMessage, error) {
	raw, markdown := a.raw("blocks"), a.str("markdown_text")
	switch {
	case markdown == "":
		return raw, nil
	case raw != nil || a.str("text") != "":
		return nil, refuse("markdown_text_conflict")
	case utf8.RuneCountInString(markdown) > maxMarkdown:
		return nil, refuse("msg_too_long")
	}
	return json.Marshal([]object{{"type": "markdown", "text": markdown}})
}

// checkAttachments looks at what the old attachments may hold of the new: blocks.
func checkAttachments(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	var attachments []struct{ Blocks json.RawMessage }
	switch err := json.Unmarshal(raw, &attachments); {
	case err != nil:
		return refuse("invalid_attachments")
	case len(attachments) > maxAttachments:
		return refuse("too_many_attachments")
	}
	for i, a := range attachments {
		c := newBlockCheck(onMessage, fmt.Sprintf("/attachments/%d/blocks", i))
		if a.Blocks == nil {
			continue
		}
		if _, err := c.parse(a.Blocks); err != nil || len(c.problems) > 0 {
			return &apiError{code: "invalid_attachments", messages: c.problems}
		}
	}
	return nil
}

// checkMetadata holds that metadata is an event_type and a flat event_payload.
func checkMetadata(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	var metadata struct {
		EventType    string          `json:"event_type"`
		EventPayload json.RawMessage `json:"event_payload"`
	}
	var payload object
	switch err := json.Unmarshal(raw, &metadata); {
	case err != nil:
		return refuse("invalid_metadata_format")
	case metadata.EventType == "" && (metadata.EventPayload == nil || string(metadata.EventPayload) == "null"):
		return nil // official clients send an empty one when there is none
	case len(raw) > maxMetadata:
		return refuse("metadata_too_large")
	case metadata.EventType == "" || json.Unmarshal(metadata.EventPayload, &payload) != nil:
		return refuse("invalid_metadata_schema")
	}
	return nil
}

// empty reports whether there is nothing to see: blanks, and empty lists, are nothing.
func (c content) empty() bool {
	return strings.TrimSpace(c.text) == "" && len(c.blocks) == 0 && !hasItems(c.attachments)
}

func hasItems(raw json.RawMessage) bool {
	var items []json.RawMessage
	return json.Unmarshal(raw, &items) == nil && len(items) > 0
}

// message is a new message of the app with this content.
func (s *Server) message(c content) (Message, error) {
	if c.empty() {
		return Message{}, refuse("no_text")
	}
	return Message{
		User: s.cfg.App.UserID, BotID: s.cfg.App.BotID, AppID: s.cfg.App.ID, Text: cut(c.text, maxPostText),
		Blocks: c.blocks, Attachments: c.attachments, Metadata: c.metadata,
	}, nil
}

func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}

// draft is the message that the arguments of a post describe, and the channel it is for.
func (s *Server) draft(a args) (Channel, Message, error) {
	channel, err := s.destination(a.str("channel"))
	if err != nil {
		return Channel{}, Message{}, err
	}
	said, err := readContent(a)
	if err != nil {
		return Channel{}, Message{}, err
	}
	m, err := s.message(said)
	if err != nil {
		return Channel{}, Message{}, err
	}
	m.ThreadTS, err = s.thread(channel, a.str("thread_ts"))
	return channel, m, err
}

// destination is the channel that a message is for. A person's id means the direct messages with them.
func (s *Server) destination(id string) (Channel, error) {
	if _, ok := s.personByID(id); !ok {
		return s.writableChannel(id)
	}
	p, err := s.addressee(id)
	if err != nil {
		return Channel{}, refuse("channel_not_found")
	}
	return s.directMessages(p), nil
}

// thread is ts if it can be the parent of a thread. Slack warns of using a reply's and then shows the message in the
// wrong place; here it is refused.
func (s *Server) thread(channel Channel, ts string) (string, error) {
	switch {
	case ts == "":
		return "", nil
	case !isTS(ts):
		return "", &apiError{code: "invalid_thread_ts", messages: []string{fmt.Sprintf("[ERROR] %s is not a valid thread_ts", ts)}}
	}
	m, ok := s.state.message(channel.ID, ts)
	switch {
	case !ok:
		return "", refuse("thread_not_found")
	case m.Ephemeral || (m.ThreadTS != "" && m.ThreadTS != ts):
		return "", refuse("cannot_reply_to_message")
	}
	return ts, nil
}

func (s *Server) chatPostMessage(c call) (reply, error) {
	channel, m, err := s.draft(c.args)
	if err != nil {
		return nil, err
	}
	if m.ThreadTS != "" && c.args.flag("reply_broadcast") {
		m.Subtype = "thread_broadcast"
	}
	m = s.state.post(channel.ID, m)
	return reply{"channel": channel.ID, "ts": m.TS, "message": s.messageView(m)}, nil
}

func (s *Server) chatPostEphemeral(c call) (reply, error) {
	channel, m, err := s.draft(c.args)
	if err != nil {
		return nil, err
	}
	if !channel.has(c.args.str("user")) {
		return nil, refuse("user_not_in_channel")
	}
	m.Ephemeral, m.VisibleTo = true, c.args.str("user")
	m = s.state.post(channel.ID, m)
	return reply{"message_ts": m.TS}, nil
}

// ownMessage is the message that the arguments point at, if the app wrote it; otherwise the refusal is theirs.
func (s *Server) ownMessage(a args, theirs string) (Channel, Message, error) {
	channel, err := s.visibleChannel(a.str("channel"))
	if err != nil {
		return Channel{}, Message{}, err
	}
	m, ok := s.state.standing(channel.ID, a.str("ts"))
	switch {
	case !ok:
		return Channel{}, Message{}, refuse("message_not_found")
	case m.BotID != s.cfg.App.BotID:
		return Channel{}, Message{}, refuse(theirs)
	case channel.IsArchived:
		return Channel{}, Message{}, refuse("is_archived")
	}
	return channel, m, nil
}

func (s *Server) chatUpdate(c call) (reply, error) {
	channel, m, err := s.ownMessage(c.args, "cant_update_message")
	if err != nil {
		return nil, err
	}
	said, err := readContent(c.args)
	switch {
	case err != nil:
		return nil, err
	case s.tooOld(m):
		return nil, refuse("edit_window_closed")
	case said.empty():
		return nil, refuse("no_text")
	case utf8.RuneCountInString(said.text) > maxUpdateText:
		return nil, refuse("msg_too_long")
	}
	m, ok := s.state.rewrite(channel.ID, m.TS, s.cfg.App.UserID, said.onto)
	if !ok {
		return nil, refuse("message_not_found")
	}
	return reply{"channel": channel.ID, "ts": m.TS, "text": m.Text, "message": s.messageView(m)}, nil
}

// tooOld reports whether the workspace lets nobody edit the message any more.
func (s *Server) tooOld(m Message) bool {
	limit := s.timing.editWindow
	return limit > 0 && !s.cfg.Now().Before(timeOf(m.TS).Add(limit))
}

// onto puts the content on a message. What the caller left out stays; an empty list of blocks removes them.
func (c content) onto(m *Message) {
	m.Text = c.text
	if c.hasBlocks {
		m.Blocks = c.blocks
	}
	if c.attachments != nil {
		m.Attachments = c.attachments
	}
	if c.metadata != nil {
		m.Metadata = c.metadata
	}
}

func (s *Server) chatDelete(c call) (reply, error) {
	channel, m, err := s.ownMessage(c.args, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	s.state.remove(channel.ID, m.TS)
	return reply{"channel": channel.ID, "ts": m.TS}, nil
}

func (s *Server) chatGetPermalink(c call) (reply, error) {
	channel, err := s.visibleChannel(c.args.str("channel"))
	if err != nil {
		return nil, err
	}
	m, ok := s.state.standing(channel.ID, c.args.str("message_ts"))
	if !ok {
		return nil, refuse("message_not_found")
	}
	return reply{"channel": channel.ID, "permalink": s.permalink(channel, m)}, nil
}

// permalink is an address that the page opens at this message.
func (s *Server) permalink(channel Channel, m Message) string {
	link := s.URL() + "/archives/" + channel.ID + "/p" + strings.Replace(m.TS, ".", "", 1)
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		link += "?" + url.Values{"thread_ts": {m.ThreadTS}, "cid": {channel.ID}}.Encode()
	}
	return link
}

// posted is a message as the API shows it: with its author's profile, without the lab's own fields.
type posted struct {
	Message
	BotProfile object `json:"bot_profile,omitempty"`
	// Permalink comes with reactions.get alone: elsewhere an app has to ask for it.
	Permalink string `json:"permalink,omitempty"`
}

func (s *Server) messageView(m Message) posted {
	m.Ephemeral, m.VisibleTo = false, ""
	view := posted{Message: m}
	if m.BotID != "" {
		view.BotProfile = object{
			"id": m.BotID, "app_id": m.AppID, "name": s.cfg.App.Name, "team_id": s.cfg.Team.ID, "deleted": false, "updated": 0,
		}
	}
	return view
}
