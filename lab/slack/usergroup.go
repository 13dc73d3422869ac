package slack

import (
	"slices"
	"strings"
)

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

// GroupChange is what an admin does to a user group: who is in it, ids or names, and whether it is in use. What is left
// out stays.
type GroupChange struct {
	Group    string   `json:"group"`
	Users    []string `json:"users"`
	Disabled *bool    `json:"disabled"`
}

// ChangeGroup changes a user group at once. The app is not told: it has to ask.
func (s *Server) ChangeGroup(gc GroupChange) Outcome {
	return s.timed(func() (string, error) {
		users := make([]string, len(gc.Users))
		for i, who := range gc.Users {
			p, ok := s.state.person(who)
			if !ok {
				return "", refuse("user_not_found")
			}
			users[i] = p.ID
		}
		return "", s.state.alterGroup(gc.Group, func(g *UserGroup) {
			if gc.Users != nil {
				g.Users = users
			}
			if gc.Disabled != nil {
				g.Disabled = *gc.Disabled
			}
		})
	})
}

func (st *state) alterGroup(which string, onto func(*UserGroup)) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := slices.IndexFunc(st.subteams, func(g UserGroup) bool { return g.is(which) })
	if i < 0 {
		return refuse("no_such_subteam")
	}
	groups := slices.Clone(st.subteams)
	onto(&groups[i])
	st.subteams = groups
	return nil
}
