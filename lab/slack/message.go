package slack

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Message is one message of a channel, as Slack's API shows it. Ephemeral and VisibleTo are the lab's own: Slack keeps
// no ephemeral message, the lab keeps them so that a test can read what a person saw.
type Message struct {
	Type         string          `json:"type"`
	Subtype      string          `json:"subtype,omitempty"`
	User         string          `json:"user"`
	Team         string          `json:"team,omitempty"`
	BotID        string          `json:"bot_id,omitempty"`
	AppID        string          `json:"app_id,omitempty"`
	TS           string          `json:"ts"`
	ThreadTS     string          `json:"thread_ts,omitempty"`
	ParentUserID string          `json:"parent_user_id,omitempty"`
	Text         string          `json:"text"`
	Blocks       []object        `json:"blocks,omitempty"`
	Attachments  json.RawMessage `json:"attachments,omitempty"`
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Files        []File          `json:"files,omitempty"`
	Reactions    []Reaction      `json:"reactions,omitempty"`
	Edited       *Edit           `json:"edited,omitempty"`
	ReplyCount   int             `json:"reply_count,omitempty"`
	ReplyUsers   []string        `json:"reply_users,omitempty"`
	LatestReply  string          `json:"latest_reply,omitempty"`
	Ephemeral    bool            `json:"is_ephemeral,omitempty"`
	VisibleTo    string          `json:"visible_to,omitempty"`
}

// Edit says who changed a message and when.
type Edit struct {
	User string `json:"user"`
	TS   string `json:"ts"`
}

// Reaction is one emoji on a message and who put it there.
type Reaction struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
	Count int      `json:"count"`
}

// visibleTo reports whether user may see the message at all.
func (m Message) visibleTo(user string) bool { return !m.Ephemeral || m.VisibleTo == user }

// tombstone is what stands in the place of a deleted message that has replies. It is no longer its author's.
func (m Message) tombstone() Message {
	return Message{
		Type: m.Type, Subtype: "tombstone", User: slackbotID, Team: m.Team, TS: m.TS, Text: "This message was deleted.",
		ThreadTS: m.ThreadTS, ReplyCount: m.ReplyCount, ReplyUsers: m.ReplyUsers, LatestReply: m.LatestReply,
	}
}

func (m Message) deleted() bool { return m.Subtype == "tombstone" }

// replied is the parent of a thread with one more reply. It copies, because readers hold the old one.
func (m Message) replied(reply Message) Message {
	m.ThreadTS, m.LatestReply = m.TS, reply.TS
	m.ReplyCount++
	if !slices.Contains(m.ReplyUsers, reply.User) {
		m.ReplyUsers = append(slices.Clone(m.ReplyUsers), reply.User)
	}
	return m
}

// isTS reports whether text has the form of a ts: seconds, a dot, six digits.
func isTS(text string) bool {
	return regexp.MustCompile(`^[0-9]{1,10}\.[0-9]{1,6}$`).MatchString(text)
}

// timeOf is the moment of a ts.
func timeOf(ts string) time.Time {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(int64(seconds * 1e6))
}

// react returns the reactions with user's name added. It copies, because readers hold the old ones.
func (m Message) react(name, user string) ([]Reaction, bool) {
	reactions := slices.Clone(m.Reactions)
	for i, r := range reactions {
		if r.Name != name {
			continue
		}
		if slices.Contains(r.Users, user) {
			return nil, false
		}
		users := append(slices.Clone(r.Users), user)
		reactions[i] = Reaction{Name: name, Users: users, Count: len(users)}
		return reactions, true
	}
	return append(reactions, Reaction{Name: name, Users: []string{user}, Count: 1}), true
}

const (
	maxEmoji     = 50 // different ones on one message
	maxReactions = 23 // of one person on one message
)

// full is the error of one more reaction than a message takes, or nothing.
func (m Message) full(name, user string) string {
	theirs, known := 0, false
	for _, r := range m.Reactions {
		has := slices.Contains(r.Users, user)
		if r.Name == name && has {
			return "" // there already: that is another error
		}
		known = known || r.Name == name
		if has {
			theirs++
		}
	}
	switch {
	case theirs >= maxReactions:
		return "too_many_reactions"
	case !known && len(m.Reactions) >= maxEmoji:
		return "too_many_emoji"
	}
	return ""
}

// unreact is the opposite of react; an emoji that nobody holds any more goes away.
func (m Message) unreact(name, user string) ([]Reaction, bool) {
	var kept []Reaction
	found := false
	for _, r := range m.Reactions {
		if r.Name != name || !slices.Contains(r.Users, user) {
			kept = append(kept, r)
			continue
		}
		found = true
		users := slices.DeleteFunc(slices.Clone(r.Users), func(u string) bool { return u == user })
		if len(users) > 0 {
			kept = append(kept, Reaction{Name: name, Users: users, Count: len(users)})
		}
	}
	return kept, found
}
