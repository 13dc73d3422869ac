package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	warRoom  = "C0WARROOM1"
	partner  = "C0PARTNER1"
	guest    = "U0GUEST001"
	stranger = "U0STRANGE1"
	gone     = "U0DAVI0001"
)

// everything is a token that an app in a test may have to be let in everywhere.
func everything(c *Config) {
	c.Scopes = append(defaultScopes(), "channels:history", "groups:history", "im:read", "channels:join", "channels:manage",
		"groups:write", "team:read", "users:read.email")
}

// calling is one call of a table: its name, the error it ends in, and the call.
type calling struct {
	name, want string
	do         func() error
}

func (c calling) check(t *testing.T) {
	t.Helper()
	if got := refusal(t, c.do()); got != c.want {
		t.Errorf("got %q, want %q", got, c.want)
	}
}

func TestKindsOfPeople(t *testing.T) {
	s := open(t, everything)
	api := client(t, s)
	see := func(id string) *slackgo.User {
		t.Helper()
		u, err := api.GetUserInfo(id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		return u
	}
	if u := see(guest); !u.IsRestricted || u.IsUltraRestricted || u.Locale != "pt-BR" {
		t.Errorf("a guest: %+v", u)
	}
	if u := see(stranger); !u.IsStranger || u.TeamID != partnerTeam || u.Locale != "" || u.Profile.Email != "" {
		t.Errorf("a stranger: %+v", u)
	}
	if u := see(gone); !u.Deleted || u.TZ != "" || u.Locale != "" {
		t.Errorf("somebody deactivated: %+v", u)
	}
	if u := see("U0DEPLOYB1"); !u.IsBot {
		t.Errorf("a bot: %+v", u)
	}
	if one, other := see(ana).Profile.Email, see("U0ANAADM01").Profile.Email; one == "" || one != other {
		t.Errorf("the two accounts of one person: %q and %q", one, other)
	}
	if u, _ := client(t, open(t)).GetUserInfo(ana); u.Profile.Email != "" {
		t.Errorf("address %q without the scope", u.Profile.Email)
	}
}

func TestSingleChannelGuestIsRestrictedToo(t *testing.T) {
	v := Person{IsUltraRestricted: true}.view("T1", seen{})
	if v["is_restricted"] != true || v["is_ultra_restricted"] != true {
		t.Errorf("got %v", v)
	}
}

func TestUserGroups(t *testing.T) {
	s := open(t, func(c *Config) {
		c.UserGroups = append(defaultUserGroups(defaultPeople()), UserGroup{ID: "S0OLD00001", Handle: "old", Name: "Old", Disabled: true})
	})
	api := client(t, s)
	groups, err := api.GetUserGroups(slackgo.GetUserGroupsOptionIncludeUsers(true), slackgo.GetUserGroupsOptionIncludeCount(true))
	if err != nil || len(groups) != 2 || groups[0].Handle != "sre" || !slices.Equal(groups[0].Users, []string{ana, bruno}) || groups[0].UserCount != 2 {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	all, err := api.GetUserGroups(slackgo.GetUserGroupsOptionIncludeDisabled(true))
	if err != nil || len(all) != 3 || all[2].DateDelete == 0 || all[0].Users != nil {
		t.Errorf("with disabled ones: %+v, %v", all, err)
	}
	members, err := api.GetUserGroupMembers("S0SECURI01")
	if err != nil || !slices.Equal(members, []string{"U0CARLA001"}) {
		t.Errorf("members: %q, %v", members, err)
	}
	if _, out := post(t, s, "/lab/usergroup", `{"group":"@security","users":["bruno"]}`); out.Error != "" {
		t.Error(out)
	}
	if members, err := api.GetUserGroupMembers("S0SECURI01"); err != nil || !slices.Equal(members, []string{bruno}) {
		t.Errorf("after the change: %q, %v", members, err)
	}
	for _, body := range []string{`{"group":"@nobody"}`, `{"group":"@sre","users":["nobody"]}`} {
		if _, out := post(t, s, "/lab/usergroup", body); out.Error == "" {
			t.Errorf("%s was taken", body)
		}
	}
	of := func(id string) func() error {
		return func() error { _, err := api.GetUserGroupMembers(id); return err }
	}
	for _, c := range []calling{
		{"none named", "invalid_arguments", of("")},
		{"unknown", "no_such_subteam", of("S0NOBODY01")},
		{"a handle", "no_such_subteam", of("sre")},
		{"disabled", "no_such_subteam", of("S0OLD00001")},
	} {
		t.Run(c.name, c.check)
	}
}

func TestSharedAndPrivateChannels(t *testing.T) {
	api := client(t, open(t))
	shared, err := api.GetConversationInfo(&slackgo.GetConversationInfoInput{ChannelID: partner})
	if err != nil || !shared.IsExtShared || !slices.Equal(shared.ConnectedTeamIDs, []string{partnerTeam}) || !slices.Contains(shared.SharedTeamIDs, "T0NEURALHV") {
		t.Errorf("shared: %+v, %v", shared, err)
	}
	members, _, err := api.GetUsersInConversation(&slackgo.GetUsersInConversationParameters{ChannelID: partner})
	if err != nil || !slices.Contains(members, stranger) {
		t.Errorf("who is in it: %q, %v", members, err)
	}
	private, err := api.GetConversationInfo(&slackgo.GetConversationInfoInput{ChannelID: warRoom})
	if err != nil || !private.IsPrivate || !private.IsGroup || private.IsChannel {
		t.Errorf("private: %+v, %v", private, err)
	}
}

func TestOpeningDirectMessages(t *testing.T) {
	s := open(t, everything)
	api := client(t, s)
	opened := func(user string) func() error {
		return func() error {
			_, _, _, err := api.OpenConversation(&slackgo.OpenConversationParameters{Users: []string{user}, ReturnIM: true})
			return err
		}
	}
	im, noOp, _, err := api.OpenConversation(&slackgo.OpenConversationParameters{Users: []string{ana}, ReturnIM: true})
	if err != nil || !im.IsIM || im.User != ana || noOp {
		t.Fatalf("first: %+v, %v", im, err)
	}
	again, noOp, already, err := api.OpenConversation(&slackgo.OpenConversationParameters{Users: []string{ana}})
	if err != nil || again.ID != im.ID || !noOp || !already {
		t.Errorf("again: %+v %v %v, %v", again, noOp, already, err)
	}
	if channel, _, err := api.PostMessage(ana, text("by the person's id")); err != nil || channel != im.ID {
		t.Errorf("posted to %s, %v", channel, err)
	}
	for _, c := range []calling{
		{"nobody", "users_list_not_supplied", func() error { return opened("")() }},
		{"unknown", "user_not_found", opened("U0NOBODY01")},
		{"deactivated", "user_disabled", opened(gone)},
		{"a bot", "cannot_dm_bot", opened("U0DEPLOYB1")},
		{"of another organisation", "user_not_visible", opened(stranger)},
		{"several", "missing_scope", func() error {
			_, _, _, err := api.OpenConversation(&slackgo.OpenConversationParameters{Users: []string{ana, bruno}})
			return err
		}},
		{"message to somebody deactivated", "channel_not_found", func() error { _, _, err := api.PostMessage(gone, text("a")); return err }},
	} {
		t.Run(c.name, c.check)
	}
}

func TestMembership(t *testing.T) {
	s := open(t, everything)
	api := client(t, s)
	invite := func(channel string, users ...string) func() error {
		return func() error { _, err := api.InviteUsersToConversation(channel, users...); return err }
	}
	leave := func(channel string) func() error {
		return func() error { _, err := api.LeaveConversation(channel); return err }
	}
	join := func(channel string) func() error {
		return func() error { _, _, _, err := api.JoinConversation(channel); return err }
	}
	for _, c := range []calling{
		{"invite", "", invite(warRoom, bruno)},
		{"invite again", "already_in_channel", invite(warRoom, bruno)},
		{"invite itself", "cant_invite_self", invite(warRoom, botUser)},
		{"invite nobody", "no_user", invite(warRoom, "")},
		{"invite an unknown one", "user_not_found", invite(warRoom, "U0NOBODY01")},
		{"invite a stranger", "cant_invite", invite(warRoom, stranger)},
		{"invite somebody deactivated", "cant_invite", invite(warRoom, gone)},
		{"invite from outside", "not_in_channel", invite(general, bruno)},
		{"invite to an archived one", "is_archived", invite("C0OLDINCID", bruno)},
		{"leave", "", leave(partner)},
		{"leave again", "", leave(partner)},
		{"leave general", "cant_leave_general", leave(general)},
		{"join an archived one", "is_archived", join("C0OLDINCID")},
		{"join a private one", "method_not_supported_for_channel_type", join(warRoom)},
		{"join again", "", join(incidents)},
		{"join", "", join(partner)},
	} {
		t.Run(c.name, c.check)
	}
	var mine []string
	channels, _, err := api.GetConversationsForUser(&slackgo.GetConversationsForUserParameters{UserID: bruno, Types: []string{"private_channel"}})
	for _, c := range channels {
		mine = append(mine, c.Name)
	}
	if err != nil || !slices.Equal(mine, []string{"vault-war-room"}) {
		t.Errorf("bruno's private channels: %q, %v", mine, err)
	}
	_, _, err = api.GetConversationsForUser(&slackgo.GetConversationsForUserParameters{Types: []string{"secret_channel"}})
	if got := refusal(t, err); got != "invalid_types" {
		t.Errorf("a kind that is none: %q", got)
	}
}

// TestScopesOfConversations holds that each kind of conversation wants its own scope.
func TestScopesOfConversations(t *testing.T) {
	s := open(t)
	api := client(t, s)
	im := s.directMessages(Person{ID: ana}).ID
	info := func(id string) func() error {
		return func() error {
			_, err := api.GetConversationInfo(&slackgo.GetConversationInfoInput{ChannelID: id})
			return err
		}
	}
	history := func(id string) func() error {
		return func() error {
			_, err := api.GetConversationHistory(&slackgo.GetConversationHistoryParameters{ChannelID: id})
			return err
		}
	}
	for _, tt := range []struct {
		name, needed string
		do           func() error
	}{
		{"public channel", "", info(incidents)},
		{"private channel", "", info(warRoom)},
		{"direct messages", "im:read", info(im)},
		{"history of direct messages", "", history(im)},
		{"history of a public channel", "channels:history", history(incidents)},
		{"history of a private channel", "groups:history", history(warRoom)},
		{"list of direct messages", "im:read", func() error {
			_, _, err := api.GetConversations(&slackgo.GetConversationsParameters{Types: []string{"im"}})
			return err
		}},
		{"join", "channels:join", func() error { _, _, _, err := api.JoinConversation(general); return err }},
		{"invite", "channels:manage", func() error { _, err := api.InviteUsersToConversation(incidents, guest); return err }},
		{"team", "team:read", func() error { _, err := api.GetTeamInfo(); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			var refused slackgo.SlackErrorResponse
			errors.As(err, &refused)
			if refused.Needed != tt.needed || (err == nil) != (tt.needed == "") {
				t.Errorf("got %v, needed %q, want %q", err, refused.Needed, tt.needed)
			}
			if tt.needed != "" && !strings.Contains(refused.Provided, "chat:write") {
				t.Errorf("provided %q", refused.Provided)
			}
		})
	}
}

func TestHistoryAndReplies(t *testing.T) {
	s := open(t, everything)
	api := client(t, s)
	var ts []string
	for i := range 5 {
		_, at, err := api.PostMessage(incidents, text(fmt.Sprint("m", i)))
		if err != nil {
			t.Fatal(err)
		}
		ts = append(ts, at)
	}
	for i := range 3 {
		_, _, _ = api.PostMessage(incidents, text(fmt.Sprint("r", i)), slackgo.MsgOptionTS(ts[1]))
	}
	_, _ = api.PostEphemeral(incidents, ana, text("psst"))
	said := func(messages []slackgo.Message) string {
		var all []string
		for _, m := range messages {
			all = append(all, m.Text)
		}
		return strings.Join(all, " ")
	}
	read := func(p slackgo.GetConversationHistoryParameters) *slackgo.GetConversationHistoryResponse {
		t.Helper()
		p.ChannelID = incidents
		h, err := api.GetConversationHistory(&p)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := read(slackgo.GetConversationHistoryParameters{}); said(h.Messages) != "m4 m3 m2 m1 m0" || h.HasMore || h.Messages[3].ReplyCount != 3 {
		t.Errorf("all: %q", said(h.Messages))
	}
	first := read(slackgo.GetConversationHistoryParameters{Limit: 2})
	if said(first.Messages) != "m4 m3" || !first.HasMore {
		t.Errorf("the first page: %q", said(first.Messages))
	}
	if h := read(slackgo.GetConversationHistoryParameters{Limit: 2, Cursor: first.ResponseMetaData.NextCursor}); said(h.Messages) != "m2 m1" {
		t.Errorf("the second page: %q", said(h.Messages))
	}
	if h := read(slackgo.GetConversationHistoryParameters{Oldest: ts[1], Latest: ts[3]}); said(h.Messages) != "m2" {
		t.Errorf("between: %q", said(h.Messages))
	}
	if h := read(slackgo.GetConversationHistoryParameters{Oldest: ts[1], Latest: ts[3], Inclusive: true}); said(h.Messages) != "m3 m2 m1" {
		t.Errorf("between, inclusive: %q", said(h.Messages))
	}
	thread, more, cursor, err := api.GetConversationReplies(&slackgo.GetConversationRepliesParameters{ChannelID: incidents, Timestamp: ts[1], Limit: 2})
	if err != nil || said(thread) != "m1 r0" || !more {
		t.Errorf("the thread: %q %v, %v", said(thread), more, err)
	}
	thread, more, _, err = api.GetConversationReplies(&slackgo.GetConversationRepliesParameters{ChannelID: incidents, Timestamp: ts[1], Limit: 2, Cursor: cursor})
	if err != nil || said(thread) != "r1 r2" || more {
		t.Errorf("the rest of the thread: %q %v, %v", said(thread), more, err)
	}
	for _, c := range []calling{
		{"no such thread", "thread_not_found", func() error {
			_, _, _, err := api.GetConversationReplies(&slackgo.GetConversationRepliesParameters{ChannelID: incidents, Timestamp: "1.000001"})
			return err
		}},
		{"not a member", "not_in_channel", func() error {
			_, err := api.GetConversationHistory(&slackgo.GetConversationHistoryParameters{ChannelID: general})
			return err
		}},
		{"not a time", "invalid_ts_oldest", func() error {
			_, err := api.GetConversationHistory(&slackgo.GetConversationHistoryParameters{ChannelID: incidents, Oldest: "yesterday"})
			return err
		}},
	} {
		t.Run(c.name, c.check)
	}
}

func TestPostingRules(t *testing.T) {
	now := time.Now()
	s := open(t, func(c *Config) {
		c.EditWindow, c.Now = "5m", func() time.Time { return now }
		c.Channels = append(defaultChannels(botUser, defaultPeople()),
			Channel{ID: "C0READONLY", Name: "announcements", PostingRestricted: true, Members: []string{botUser, ana}})
	})
	api := client(t, s)
	_, mine, err := api.PostMessage(incidents, text("mine"))
	if err != nil {
		t.Fatal(err)
	}
	post := func(channel string, options ...slackgo.MsgOption) func() error {
		return func() error { _, _, err := api.PostMessage(channel, options...); return err }
	}
	attach := func(n int) slackgo.MsgOption {
		return slackgo.MsgOptionAttachments(make([]slackgo.Attachment, n)...)
	}
	meta := func(kind string, n int) slackgo.MsgOption {
		return slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: kind, EventPayload: map[string]any{"a": x(n)}})
	}
	bad := slackgo.Attachment{Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewHeaderBlock(plainText(x(151)))}}}
	for _, c := range []calling{
		{"restricted", "restricted_action", post("C0READONLY", text("a"))},
		{"attachments at the limit", "", post(incidents, text("a"), attach(100))},
		{"attachments past it", "too_many_attachments", post(incidents, text("a"), attach(101))},
		{"blocks in an attachment", "invalid_attachments", post(incidents, text("a"), slackgo.MsgOptionAttachments(bad))},
		{"markdown", "", post(incidents, slackgo.MsgOptionMarkdownText(x(12_000)))},
		{"too much markdown", "msg_too_long", post(incidents, slackgo.MsgOptionMarkdownText(x(12_001)))},
		{"markdown and text", "markdown_text_conflict", post(incidents, text("a"), slackgo.MsgOptionMarkdownText("b"))},
		{"metadata", "", post(incidents, text("a"), meta("run", 7000))},
		{"too much metadata", "metadata_too_large", post(incidents, text("a"), meta("run", 8000))},
		{"metadata without a type", "invalid_metadata_schema", post(incidents, text("a"), meta("", 1))},
		{"edit in time", "", func() error { _, _, _, err := api.UpdateMessage(incidents, mine, text("b")); return err }},
		{"edit too late", "edit_window_closed", func() error {
			now = now.Add(5 * time.Minute)
			_, _, _, err := api.UpdateMessage(incidents, mine, text("c"))
			return err
		}},
	} {
		t.Run(c.name, c.check)
	}
}

func TestTooManyReactions(t *testing.T) {
	s := open(t)
	connect(t, s, acknowledge)
	api := client(t, s)
	_, ts, _ := api.PostMessage(incidents, text("a"))
	item := slackgo.NewRefToMessage(incidents, ts)
	for i := range maxReactions {
		if err := api.AddReaction(fmt.Sprint("e", i), item); err != nil {
			t.Fatalf("reaction %d: %v", i+1, err)
		}
	}
	if got := refusal(t, api.AddReaction("one_more", item)); got != "too_many_reactions" {
		t.Errorf("one more: %q", got)
	}
	if got := refusal(t, api.AddReaction("e0", item)); got != "already_reacted" {
		t.Errorf("the first again: %q", got)
	}
	for i := range maxEmoji - maxReactions {
		user := []string{"ana", "bruno"}[i%2]
		if out := s.React(Reacting{User: user, Channel: incidents, TS: ts, Reaction: fmt.Sprint("p", i)}); out.Error != "" {
			t.Fatalf("emoji %d: %s", maxReactions+i+1, out.Error)
		}
	}
	if out := s.React(Reacting{User: "carla", Channel: incidents, TS: ts, Reaction: "one_more"}); out.Error != "too_many_emoji" {
		t.Errorf("one emoji more: %+v", out)
	}
	if got := refusal(t, api.AddReaction("eyes", slackgo.NewRefToMessage(incidents, "now"))); got != "bad_timestamp" {
		t.Errorf("not a ts: %q", got)
	}
}

func TestTokenOfTheLab(t *testing.T) {
	s := open(t)
	api := client(t, s)
	for _, tt := range [][2]string{{"revoked", "token_revoked"}, {"expired", "token_expired"}, {"inactive", "account_inactive"}, {"ok", ""}} {
		state, want := tt[0], tt[1]
		if _, out := post(t, s, "/lab/token", `{"state":"`+state+`"}`); out.Error != "" && state != "revoked" {
			t.Fatalf("%s: %+v", state, out) // nobody is there to hear tokens_revoked
		}
		_, err := api.AuthTest()
		if got := refusal(t, err); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
	post(t, s, "/lab/token", `{"token":"app","state":"inactive"}`)
	_, _, err := api.StartSocketModeContext(context.Background())
	if got := refusal(t, err); got != "account_inactive" {
		t.Errorf("the app's token: %q", got)
	}
	post(t, s, "/lab/token", `{"scopes":["users:read"]}`)
	_, _, err = api.PostMessage(incidents, text("a"))
	if got := refusal(t, err); got != "missing_scope" {
		t.Errorf("without the scope: %q", got)
	}
	for _, body := range []string{`{"state":"lost"}`, `{"token":"user"}`} {
		if _, out := post(t, s, "/lab/token", body); out.Error == "" {
			t.Errorf("%s was taken", body)
		}
	}
}

func TestPostBurst(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, func(c *Config) {
		c.RateLimits, c.PostBurst, c.Now = true, 3, func() time.Time { return now }
	})
	api := client(t, s)
	for i := range 4 {
		_, _, err := api.PostMessage(incidents, text("a"))
		var limited *slackgo.RateLimitedError
		if errors.As(err, &limited) != (i == 3) {
			t.Fatalf("message %d: %v", i+1, err)
		}
	}
	if _, _, err := api.PostMessage(partner, text("another channel")); err != nil {
		t.Error(err)
	}
}

// TestPlainHTTP is about what no official client does: Slack answers that, too.
func TestPlainHTTP(t *testing.T) {
	s := open(t)
	type answer struct {
		OK       bool
		Error    string
		Warning  string
		Metadata struct{ Warnings []string } `json:"response_metadata"`
	}
	ask := func(method, path, kind, body string) (int, answer) {
		req, err := http.NewRequest(method, s.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		req.Header.Set("Authorization", "Bearer "+testBotToken)
		resp, err := httpClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		var a answer
		_ = json.Unmarshal(raw, &a)
		return resp.StatusCode, a
	}
	form := "application/x-www-form-urlencoded"
	for _, tt := range []struct{ name, method, path, kind, body, err, warning string }{
		{"get", http.MethodGet, "/api/auth.test", "", "", "", ""},
		{"form", http.MethodPost, "/api/auth.test", form, "a=b", "", ""},
		{"form with a charset", http.MethodPost, "/api/auth.test", form + "; charset=utf-8", "a=b", "", "superfluous_charset"},
		{"json", http.MethodPost, "/api/auth.test", "application/json; charset=utf-8", `{}`, "", ""},
		{"json without a charset", http.MethodPost, "/api/auth.test", "application/json", `{}`, "", "missing_charset"},
		{"a charset of yesterday", http.MethodPost, "/api/auth.test", "application/json; charset=koi8-r", `{}`, "invalid_charset", ""},
		{"a list", http.MethodPost, "/api/auth.test", "application/json", `[]`, "json_not_object", ""},
		{"no content type", http.MethodPost, "/api/auth.test", "", "a=b", "missing_post_type", ""},
		{"another content type", http.MethodPost, "/api/auth.test", "text/xml", "<a/>", "invalid_post_type", ""},
		{"an array", http.MethodPost, "/api/auth.test", form, "a[0]=b", "invalid_array_arg", ""},
		{"a strange name", http.MethodPost, "/api/auth.test", form, "a%20b=c", "invalid_arg_name", ""},
		{"a token in the address", http.MethodGet, "/api/auth.test?token=" + url.QueryEscape(testBotToken), "", "", "invalid_auth", ""},
		{"json to a method that reads", http.MethodPost, "/api/users.info", "application/json; charset=utf-8", `{"user":"` + ana + `"}`, "user_not_found", ""},
		{"json to files", http.MethodPost, "/api/files.getUploadURLExternal", "application/json; charset=utf-8", `{"filename":"a","length":1}`, "invalid_arguments", ""},
		{"the address for a method that reads", http.MethodGet, "/api/users.info?user=" + ana, "", "", "", ""},
		{"no such method", http.MethodPost, "/api/no.such", form, "", "unknown_method", ""},
		{"an error on demand", http.MethodPost, "/api/api.test", form, "error=my_error", "my_error", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := ask(tt.method, tt.path, tt.kind, tt.body)
			if status != http.StatusOK || got.Error != tt.err || got.OK != (tt.err == "") || got.Warning != tt.warning {
				t.Errorf("got %d %+v", status, got)
			}
			if tt.warning != "" && !slices.Contains(got.Metadata.Warnings, tt.warning) {
				t.Errorf("response_metadata: %+v", got.Metadata)
			}
		})
	}
	if status, _ := ask(http.MethodDelete, "/api/auth.test", "", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", status)
	}
}

func TestTeamAndBot(t *testing.T) {
	api := client(t, open(t, everything))
	team, err := api.GetTeamInfo()
	if err != nil || team.ID != "T0NEURALHV" || team.Domain != "neural-hive" {
		t.Errorf("team: %+v, %v", team, err)
	}
	bot, err := api.GetBotInfo(slackgo.GetBotInfoParameters{Bot: "B0TANDEM01"})
	if err != nil || bot.AppID != "A0TANDEM01" || bot.UserID != botUser {
		t.Errorf("bot: %+v, %v", bot, err)
	}
	_, err = api.GetBotInfo(slackgo.GetBotInfoParameters{Bot: "B0NOBODY01"})
	if got := refusal(t, err); got != "bot_not_found" {
		t.Errorf("no such bot: %q", got)
	}
}
