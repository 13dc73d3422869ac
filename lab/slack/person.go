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
	Email             string `json:"email,omitempty"`
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

// seen says what of a person the caller of the API may see and asked for.
type seen struct{ locale, email bool }

// view is the person as users.info shows them to an app of team. Slack gives no locale and no address for members of
// another organisation, and little of somebody deactivated.
func (p Person) view(team string, shown seen) object {
	profile := object{
		"real_name": p.RealName, "real_name_normalized": p.RealName, "display_name": p.Name,
		"display_name_normalized": p.Name, "title": p.Title, "team": p.TeamID, "status_text": "", "status_emoji": "",
		"avatar_hash": "",
	}
	v := object{
		"id": p.ID, "team_id": p.TeamID, "name": p.Name, "deleted": p.Deleted, "is_bot": p.IsBot,
		"is_app_user": p.IsAppUser, "updated": 0, "profile": profile,
	}
	ours := p.TeamID == team
	if shown.email && ours && p.Email != "" {
		profile["email"] = p.Email
	}
	if p.Deleted {
		return v
	}
	v["real_name"], v["tz"], v["tz_label"], v["tz_offset"] = p.RealName, p.TZ, p.TZ, p.TZOffset
	v["is_admin"], v["is_owner"], v["is_primary_owner"] = p.IsAdmin, false, false
	v["is_restricted"], v["is_ultra_restricted"] = p.IsRestricted || p.IsUltraRestricted, p.IsUltraRestricted
	if p.IsStranger {
		v["is_stranger"] = true
	}
	if shown.locale && ours {
		v["locale"] = p.Locale
	}
	return v
}

// is reports whether who, an id or a name with or without "@", is this person.
func (p Person) is(who string) bool {
	return p.ID == who || p.Name == strings.TrimPrefix(who, "@")
}
