package slack

import "strings"

// UserGroup is a set of people with a handle. Disabled ones still exist, but nobody is reached by them.
type UserGroup struct {
	ID          string   `json:"id"`
	Handle      string   `json:"handle"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Users       []string `json:"users"`
	Disabled    bool     `json:"disabled,omitempty"`
}

// is reports whether which, an id or a handle with or without "@", is this group.
func (g UserGroup) is(which string) bool {
	return g.ID == which || g.Handle == strings.TrimPrefix(which, "@")
}

// view is the group as usergroups.list shows it.
func (g UserGroup) view(team string, withUsers, withCount bool) object {
	v := object{
		"id": g.ID, "team_id": team, "is_usergroup": true, "is_subteam": true, "name": g.Name, "handle": g.Handle,
		"description": g.Description, "is_external": false, "auto_type": nil, "auto_provision": false,
		"date_create": 0, "date_update": 0, "date_delete": 0, "created_by": slackbotID, "updated_by": slackbotID,
		"deleted_by": nil, "prefs": object{"channels": []string{}, "groups": []string{}},
	}
	if g.Disabled {
		v["date_delete"], v["deleted_by"] = 1, slackbotID
	}
	if withUsers {
		v["users"] = g.Users
	}
	if withCount {
		v["user_count"] = len(g.Users)
	}
	return v
}
