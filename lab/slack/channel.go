package slack

import (
	"slices"
	"strings"
)

// Channel is one conversation and who is in it.
type Channel struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Topic      string   `json:"topic,omitempty"`
	IsPrivate  bool     `json:"is_private,omitempty"`
	IsArchived bool     `json:"is_archived,omitempty"`
	Members    []string `json:"members,omitempty"`
}

func (c Channel) has(user string) bool { return slices.Contains(c.Members, user) }

// is reports whether which, an id or a name with or without "#", is this channel.
func (c Channel) is(which string) bool {
	return c.ID == which || c.Name == strings.TrimPrefix(which, "#")
}

// view is the channel as conversations.info shows it to bot.
func (c Channel) view(bot, team string) map[string]any {
	return map[string]any{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "created": 0, "creator": slackbotID,
		"is_channel": !c.IsPrivate, "is_group": c.IsPrivate, "is_im": false, "is_mpim": false,
		"is_private": c.IsPrivate, "is_archived": c.IsArchived, "is_member": c.has(bot), "is_general": c.Name == "general",
		"is_shared": false, "is_ext_shared": false, "is_org_shared": false, "context_team_id": team,
		"topic":   map[string]any{"value": c.Topic, "creator": slackbotID, "last_set": 0},
		"purpose": map[string]any{"value": "", "creator": "", "last_set": 0},
	}
}
