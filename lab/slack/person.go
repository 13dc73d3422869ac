package slack

import "strings"

// slackbotID is the account that Slack itself speaks with. Slack says is_bot=false for it.
const slackbotID = "USLACKBOT"

// Person is one account of the workspace. The flags are those that an app must look at before it trusts a decision.
type Person struct {
	ID                string `json:"id"`
	TeamID            string `json:"team_id,omitempty"`
	Name              string `json:"name"`
	RealName          string `json:"real_name"`
	Title             string `json:"title,omitempty"`
	TZ                string `json:"tz,omitempty"`
	TZOffset          int    `json:"tz_offset,omitempty"`
	Locale            string `json:"locale,omitempty"`
	Deleted           bool   `json:"deleted,omitempty"`
	IsAdmin           bool   `json:"is_admin,omitempty"`
	IsBot             bool   `json:"is_bot,omitempty"`
	IsAppUser         bool   `json:"is_app_user,omitempty"`
	IsRestricted      bool   `json:"is_restricted,omitempty"`
	IsUltraRestricted bool   `json:"is_ultra_restricted,omitempty"`
	IsStranger        bool   `json:"is_stranger,omitempty"`
}

// view is the person as users.info shows them. Slack gives no locale for members of another organisation.
func (p Person) view(team string, withLocale bool) map[string]any {
	v := map[string]any{
		"id": p.ID, "team_id": p.TeamID, "name": p.Name, "real_name": p.RealName, "deleted": p.Deleted,
		"tz": p.TZ, "tz_offset": p.TZOffset, "is_admin": p.IsAdmin, "is_owner": false, "is_primary_owner": false,
		"is_bot": p.IsBot, "is_app_user": p.IsAppUser, "is_restricted": p.IsRestricted,
		"is_ultra_restricted": p.IsUltraRestricted, "updated": 0,
		"profile": map[string]any{
			"real_name": p.RealName, "real_name_normalized": p.RealName, "display_name": p.Name,
			"display_name_normalized": p.Name, "title": p.Title, "team": p.TeamID, "status_text": "", "status_emoji": "",
		},
	}
	if p.IsStranger {
		v["is_stranger"] = true
	}
	if withLocale && p.TeamID == team {
		v["locale"] = p.Locale
	}
	return v
}

// is reports whether who, an id or a name with or without "@", is this person.
func (p Person) is(who string) bool {
	return p.ID == who || p.Name == strings.TrimPrefix(who, "@")
}
