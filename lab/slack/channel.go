package slack

import (
	"slices"
	"strings"
)

// Channel is one conversation and who is in it.
type Channel struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Topic      string `json:"topic,omitempty"`
	IsPrivate  bool   `json:"is_private,omitempty"`
	IsArchived bool   `json:"is_archived,omitempty"`
	// IsIM marks the direct messages of one person, User, with the app.
	IsIM bool   `json:"is_im,omitempty"`
	User string `json:"user,omitempty"`
	// IsExtShared says that people of other organisations, Teams, are in it, too.
	IsExtShared bool     `json:"is_ext_shared,omitempty"`
	Teams       []string `json:"teams,omitempty"`
	// PostingRestricted lets nobody post but those whom an admin chose, of whom the app is none.
	PostingRestricted bool     `json:"posting_restricted,omitempty"`
	Members           []string `json:"members,omitempty"`
}

func (c Channel) has(user string) bool { return slices.Contains(c.Members, user) }

// is reports whether which, an id or a name with or without "#", is this channel.
func (c Channel) is(which string) bool {
	return c.ID == which || (c.Name != "" && c.Name == strings.TrimPrefix(which, "#"))
}

// shownTo reports whether user sees that the channel is there; with no user, everything is seen.
func (c Channel) shownTo(user string) bool {
	return user == "" || c.has(user) || (!c.IsPrivate && !c.IsIM)
}

// kind is what the API's "types" calls this channel.
func (c Channel) kind() string {
	switch {
	case c.IsIM:
		return "im"
	case c.IsPrivate:
		return "private_channel"
	}
	return "public_channel"
}

// family is the first half of the scopes that open this channel: channels:read, groups:history, im:write.
func (c Channel) family() string {
	switch {
	case c.IsIM:
		return "im"
	case c.IsPrivate:
		return "groups"
	}
	return "channels"
}

// payloadName is the channel_name of commands and interactions: Slack does not name private conversations there.
func (c Channel) payloadName() string {
	switch {
	case c.IsIM:
		return "directmessage"
	case c.IsPrivate:
		return "privategroup"
	}
	return c.Name
}

// view is the channel as conversations.info shows it to bot.
func (c Channel) view(bot, team string) object {
	if c.IsIM {
		return object{
			"id": c.ID, "created": 0, "is_im": true, "is_org_shared": false, "user": c.User, "context_team_id": team,
			"is_user_deleted": false, "is_archived": false, "is_open": true, "priority": 0,
		}
	}
	teams := append([]string{team}, c.Teams...)
	return object{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "created": 0, "creator": slackbotID, "updated": 0,
		"is_channel": !c.IsPrivate, "is_group": c.IsPrivate, "is_im": false, "is_mpim": false,
		"is_private": c.IsPrivate, "is_archived": c.IsArchived, "is_member": c.has(bot), "is_general": c.Name == "general",
		"is_shared": c.IsExtShared, "is_ext_shared": c.IsExtShared, "is_org_shared": false, "is_pending_ext_shared": false,
		"pending_shared": []string{}, "context_team_id": team, "conversation_host_id": team, "unlinked": 0,
		"shared_team_ids": teams, "connected_team_ids": append([]string{}, c.Teams...), "internal_team_ids": []string{},
		"previous_names": []string{}, "parent_conversation": nil,
		"topic":   object{"value": c.Topic, "creator": slackbotID, "last_set": 0},
		"purpose": object{"value": "", "creator": "", "last_set": 0},
	}
}
