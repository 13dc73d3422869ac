package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
)

func text(s string) slackgo.MsgOption { return slackgo.MsgOptionText(s, false) }

// refusal is the code of an error of the official client.
func refusal(t *testing.T, err error) string {
	t.Helper()
	var refused slackgo.SlackErrorResponse
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("not an answer of Slack: %v", err)
	}
	return refused.Err
}

func TestAuth(t *testing.T) {
	s := open(t)
	who, err := client(t, s).AuthTest()
	if err != nil {
		t.Fatal(err)
	}
	if who.UserID != botUser || who.BotID != "B0TANDEM01" || who.TeamID != "T0NEURALHV" || who.URL != s.URL()+"/" {
		t.Errorf("got %+v", who)
	}
	for token, want := range map[string]string{"": "not_authed", "xoxb-wrong": "invalid_auth", testAppToken: "not_allowed_token_type"} {
		api := slackgo.New(token, slackgo.OptionAPIURL(s.URL()+"/api/"), slackgo.OptionHTTPClient(httpClient(t)))
		_, err := api.AuthTest()
		if got := refusal(t, err); got != want {
			t.Errorf("token %q: got %q, want %q", token, got, want)
		}
	}
}

func TestPostUpdateDelete(t *testing.T) {
	s := open(t)
	api := client(t, s)
	channel, ts, posted, err := api.PostMessageWithResponse(incidents, text("a < b & *c*"),
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: "run", EventPayload: map[string]any{"id": "1"}}),
		slackgo.MsgOptionDisableLinkUnfurl())
	if err != nil {
		t.Fatal(err)
	}
	if channel != incidents || posted.User != botUser || posted.BotID != "B0TANDEM01" || posted.Timestamp != ts {
		t.Errorf("got %s %+v", channel, posted)
	}
	if _, _, _, err := api.UpdateMessage(incidents, ts, slackgo.MsgOptionBlocks(card()...)); err != nil {
		t.Fatal(err)
	}
	m := last(t, s, incidents, "")
	if len(m.Blocks) != 6 || m.Edited == nil || m.TS != ts || m.Metadata == nil {
		t.Errorf("after the update: %+v", m)
	}
	if _, _, _, err := api.UpdateMessage(incidents, ts, text("only text")); err != nil {
		t.Fatal(err)
	}
	if m := last(t, s, incidents, ""); len(m.Blocks) != 6 || m.Text != "only text" {
		t.Errorf("an update without blocks changed them: %+v", m)
	}
	if _, _, err := api.DeleteMessage(incidents, ts); err != nil {
		t.Fatal(err)
	}
	if got := messages(s, incidents, ""); len(got) != 0 {
		t.Errorf("after the deletion: %+v", got)
	}
}

func TestThreads(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, parent, _ := api.PostMessage(incidents, text("parent"))
	_, reply, err := api.PostMessage(incidents, text("one"), slackgo.MsgOptionTS(parent))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.PostMessage(incidents, text("two"), slackgo.MsgOptionTS(parent)); err != nil {
		t.Fatal(err)
	}
	for ts, want := range map[string]string{reply: "cannot_reply_to_message", "0": "invalid_thread_ts", "1.000001": "thread_not_found"} {
		if _, _, err := api.PostMessage(incidents, text("nowhere"), slackgo.MsgOptionTS(ts)); err == nil || err.Error() != want {
			t.Errorf("in the thread of %s: %v, want %s", ts, err, want)
		}
	}
	all := messages(s, incidents, "")
	if all[0].ReplyCount != 2 || all[0].LatestReply != all[2].TS || !slices.Equal(all[0].ReplyUsers, []string{botUser}) {
		t.Errorf("the parent: %+v", all[0])
	}
	if all[2].ThreadTS != parent || all[2].ParentUserID != botUser {
		t.Errorf("the second reply: %+v", all[2])
	}
	link, err := api.GetPermalink(&slackgo.PermalinkParameters{Channel: incidents, Ts: reply})
	if want := s.URL() + "/archives/" + incidents + "/p" + strings.Replace(reply, ".", "", 1); err != nil || !strings.HasPrefix(link, want) || !strings.Contains(link, "thread_ts="+parent) {
		t.Errorf("permalink %q, %v", link, err)
	}
	if _, _, err := api.DeleteMessage(incidents, parent); err != nil {
		t.Fatal(err)
	}
	if m := messages(s, incidents, "")[0]; m.Subtype != "tombstone" || m.ReplyCount != 2 {
		t.Errorf("a deleted parent: %+v", m)
	}
}

func TestWhatIsDeletedStaysDeleted(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, parent, _ := api.PostMessage(incidents, text("parent"))
	_, one, _ := api.PostMessage(incidents, text("one"), slackgo.MsgOptionTS(parent))
	_, two, _ := api.PostMessage(incidents, text("two"), slackgo.MsgOptionTS(parent))
	remove := func(ts string) {
		t.Helper()
		if _, _, err := api.DeleteMessage(incidents, ts); err != nil {
			t.Fatal(err)
		}
	}
	remove(two)
	if m := messages(s, incidents, "")[0]; m.ReplyCount != 1 || m.LatestReply != one {
		t.Errorf("after a reply was deleted: %+v", m)
	}
	remove(parent)
	ref := slackgo.NewRefToMessage(incidents, parent)
	for what, try := range map[string]func() error{
		"update": func() error { _, _, _, err := api.UpdateMessage(incidents, parent, text("back")); return err },
		"delete": func() error { _, _, err := api.DeleteMessage(incidents, parent); return err },
		"react":  func() error { return api.AddReaction("eyes", ref) },
		"permalink": func() error {
			_, err := api.GetPermalink(&slackgo.PermalinkParameters{Channel: incidents, Ts: parent})
			return err
		},
	} {
		if err := try(); err == nil || err.Error() != "message_not_found" {
			t.Errorf("%s a message that is deleted: %v", what, err)
		}
	}
	remove(one)
	if left := messages(s, incidents, ""); len(left) != 0 {
		t.Errorf("the last reply leaves %+v", left)
	}
}

func TestNothingIsNoMessage(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, mine, err := api.PostMessage(incidents, text("mine"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		options []slackgo.MsgOption
	}{
		{"blanks", []slackgo.MsgOption{text(" \n\t")}},
		{"no attachments", []slackgo.MsgOption{slackgo.MsgOptionAttachments()}},
		{"no blocks", []slackgo.MsgOption{slackgo.MsgOptionBlocks()}},
	} {
		if _, _, err := api.PostMessage(incidents, tt.options...); err == nil || err.Error() != "no_text" {
			t.Errorf("post %s: %v", tt.name, err)
		}
		if _, _, _, err := api.UpdateMessage(incidents, mine, tt.options...); err == nil || err.Error() != "no_text" {
			t.Errorf("update to %s: %v", tt.name, err)
		}
	}
	if m := last(t, s, incidents, ""); m.TS != mine || m.Text != "mine" {
		t.Errorf("left: %+v", m)
	}
}

func TestRefusalsOfChat(t *testing.T) {
	s := open(t, func(c *Config) {
		c.Channels = append(defaultChannels(botUser, defaultPeople()),
			Channel{ID: "C0ARCHIVED", Name: "old", IsArchived: true, Members: []string{botUser}},
			Channel{ID: "C0PRIVATE1", Name: "secret", IsPrivate: true, Members: []string{ana}})
	})
	api := client(t, s)
	_, mine, _ := api.PostMessage(incidents, text("mine"))
	theirs := s.Say(Said{User: "ana", Channel: "#incidents", Text: "theirs"}).TS
	whisper, _ := api.PostEphemeral(incidents, ana, text("psst"))
	post := func(channel string, options ...slackgo.MsgOption) func() error {
		return func() error { _, _, err := api.PostMessage(channel, options...); return err }
	}
	update := func(ts string, options ...slackgo.MsgOption) func() error {
		return func() error { _, _, _, err := api.UpdateMessage(incidents, ts, options...); return err }
	}
	for _, tt := range []struct {
		name, want string
		do         func() error
	}{
		{"no such channel", "channel_not_found", post("C0NOWHERE", text("a"))},
		{"a name, not an id", "channel_not_found", post("#incidents", text("a"))},
		{"private", "channel_not_found", post("C0PRIVATE1", text("a"))},
		{"not a member", "not_in_channel", post(general, text("a"))},
		{"archived", "is_archived", post("C0ARCHIVED", text("a"))},
		{"nothing to say", "no_text", post(incidents)},
		{"no such thread", "thread_not_found", post(incidents, text("a"), slackgo.MsgOptionTS("1.000001"))},
		{"thread of an ephemeral", "cannot_reply_to_message", post(incidents, text("a"), slackgo.MsgOptionTS(whisper))},
		{"blocks", "invalid_blocks", post(incidents, slackgo.MsgOptionBlocks(slackgo.NewHeaderBlock(plainText(x(151)))))},
		{"update at the limit", "", update(mine, text(x(4000)))},
		{"update past it", "msg_too_long", update(mine, text(x(4001)))},
		{"update of nothing", "message_not_found", update("1.000001", text("a"))},
		{"update of theirs", "cant_update_message", update(theirs, text("a"))},
		{"update of an ephemeral", "message_not_found", update(whisper, text("a"))},
		{"update without content", "no_text", update(mine)},
		{"deletion of theirs", "cant_delete_message", func() error { _, _, err := api.DeleteMessage(incidents, theirs); return err }},
		{"ephemeral to a stranger", "user_not_in_channel", func() error { _, err := api.PostEphemeral(incidents, "U0NOBODY", text("a")); return err }},
		{"permalink to nothing", "message_not_found", func() error {
			_, err := api.GetPermalink(&slackgo.PermalinkParameters{Channel: incidents, Ts: "1.000001"})
			return err
		}},
		{"a method of a later day", "unknown_method", func() error { return api.SetUserPresence("auto") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := refusal(t, tt.do()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestInvalidBlocksSayWhere(t *testing.T) {
	_, _, err := client(t, open(t)).PostMessage(incidents, slackgo.MsgOptionBlocks(slackgo.NewSectionBlock(mrkdwn(x(3001)), nil, nil)))
	var refused slackgo.SlackErrorResponse
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	want := []string{"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}
	if !slices.Equal(refused.ResponseMetadata.Messages, want) {
		t.Errorf("got %q, want %q", refused.ResponseMetadata.Messages, want)
	}
}

func TestTextIsCutAt40000(t *testing.T) {
	s := open(t)
	if _, _, err := client(t, s).PostMessage(incidents, text(x(40_001))); err != nil {
		t.Fatal(err)
	}
	if n := len(last(t, s, incidents, "").Text); n != 40_000 {
		t.Errorf("kept %d characters", n)
	}
}

func TestMissingScope(t *testing.T) {
	s := open(t, func(c *Config) { c.Scopes = []string{"commands", "users:read"} })
	_, _, err := client(t, s).PostMessage(incidents, text("a"))
	var refused slackgo.SlackErrorResponse
	if !errors.As(err, &refused) || refused.Err != "missing_scope" || refused.Needed != "chat:write" || refused.Provided != "commands,users:read" {
		t.Errorf("got %+v", refused)
	}
}

func TestRateLimits(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, func(c *Config) { c.RateLimits, c.Now = true, func() time.Time { return now } })
	api := client(t, s)
	if _, _, err := api.PostMessage(incidents, text("one")); err != nil {
		t.Fatal(err)
	}
	_, _, err := api.PostMessage(incidents, text("two"))
	var limited *slackgo.RateLimitedError
	if !errors.As(err, &limited) || limited.RetryAfter != time.Second {
		t.Fatalf("the second message in a second: %v", err)
	}
	now = now.Add(time.Second)
	_, ts, err := api.PostMessage(incidents, text("three"))
	if err != nil {
		t.Fatalf("after the wait: %v", err)
	}
	for i := range 51 {
		_, _, _, err = api.UpdateMessage(incidents, ts, text("again"))
		if (err != nil) != (i == 50) {
			t.Fatalf("update %d: %v", i+1, err)
		}
	}
	if !errors.As(err, &limited) || limited.RetryAfter != time.Minute {
		t.Errorf("update 51: %v", err)
	}
}

func TestPeople(t *testing.T) {
	s := open(t, func(c *Config) {
		c.People = append(defaultPeople(),
			Person{ID: "U0OUTSIDER", TeamID: "T0OTHERCO", Name: "olga", RealName: "Olga", Locale: "en-GB", IsStranger: true},
			Person{ID: "U0GONE0001", Name: "gone", RealName: "Gone", Deleted: true})
	})
	api := client(t, s)
	who, err := api.GetUserInfo(ana)
	if err != nil {
		t.Fatal(err)
	}
	if who.Locale != "pt-BR" || who.TeamID != "T0NEURALHV" || who.RealName != "Ana Souza" || who.Profile.DisplayName != "ana" {
		t.Errorf("Ana: %+v", who)
	}
	if who, _ := api.GetUserInfo(ana, slackgo.GetUserInfoOptionIncludeLocale(false)); who.Locale != "" {
		t.Errorf("locale %q, not asked for", who.Locale)
	}
	outsider, _ := api.GetUserInfo("U0OUTSIDER")
	if outsider.Locale != "" || !outsider.IsStranger || outsider.TeamID != "T0OTHERCO" {
		t.Errorf("an outsider: %+v", outsider)
	}
	if bot, _ := api.GetUserInfo(botUser); !bot.IsBot {
		t.Error("the bot is not a bot")
	}
	if slackbot, _ := api.GetUserInfo(slackbotID); slackbot.IsBot {
		t.Error("Slackbot says is_bot, which Slack's does not")
	}
	_, err = api.GetUserInfo("ana")
	if got := refusal(t, err); got != "user_not_found" {
		t.Errorf("by name: %q", got)
	}
	all, err := api.GetUsers(slackgo.GetUsersOptionLimit(2))
	if err != nil || len(all) != len(defaultPeople())+4 {
		t.Errorf("users.list in pages of two: %d people, %v", len(all), err)
	}
}

func TestChannels(t *testing.T) {
	s := open(t, func(c *Config) {
		c.Scopes = append(defaultScopes(), "channels:join")
		c.Channels = append(defaultChannels(botUser, defaultPeople()),
			Channel{ID: "C0ARCHIVED", Name: "old", IsArchived: true},
			Channel{ID: "C0PRIVATE1", Name: "secret", IsPrivate: true, Members: []string{ana}},
			Channel{ID: "C0PRIVATE2", Name: "war-room", IsPrivate: true, Members: []string{botUser}})
	})
	api := client(t, s)
	info, err := api.GetConversationInfo(&slackgo.GetConversationInfoInput{ChannelID: incidents, IncludeNumMembers: true})
	if err != nil || info.Name != "incidents" || !info.IsMember || info.NumMembers != 7 {
		t.Errorf("conversations.info: %+v, %v", info, err)
	}
	names := func(p *slackgo.GetConversationsParameters) []string {
		var all []string
		for {
			page, next, err := api.GetConversations(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				all = append(all, c.Name)
			}
			if p.Cursor = next; next == "" {
				return all
			}
		}
	}
	if got := names(&slackgo.GetConversationsParameters{Limit: 1}); !slices.Equal(got, []string{"incidents", "general", "partner-ops", "old-incidents", "old"}) {
		t.Errorf("public channels: %q", got)
	}
	both := &slackgo.GetConversationsParameters{ExcludeArchived: true, Types: []string{"public_channel", "private_channel"}}
	if got := names(both); !slices.Equal(got, []string{"incidents", "general", "vault-war-room", "partner-ops", "war-room"}) {
		t.Errorf("all that the app may see: %q", got)
	}
	members, _, err := api.GetUsersInConversation(&slackgo.GetUsersInConversationParameters{ChannelID: general})
	if err != nil || slices.Contains(members, botUser) {
		t.Errorf("members of #general: %q, %v", members, err)
	}
	if _, _, _, err := api.JoinConversation(general); err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.PostMessage(general, text("hello")); err != nil {
		t.Errorf("after joining: %v", err)
	}
	for id, want := range map[string]string{"C0ARCHIVED": "is_archived", "C0PRIVATE1": "channel_not_found", "C0PRIVATE2": "method_not_supported_for_channel_type"} {
		_, _, _, err := api.JoinConversation(id)
		if got := refusal(t, err); got != want {
			t.Errorf("join %s: %q, want %q", id, got, want)
		}
	}
	_, _, err = api.GetConversations(&slackgo.GetConversationsParameters{Cursor: "rubbish"})
	if got := refusal(t, err); got != "invalid_cursor" {
		t.Errorf("a bad cursor: %q", got)
	}
}

func TestReactions(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, ts, _ := api.PostMessage(incidents, text("react"))
	item := slackgo.NewRefToMessage(incidents, ts)
	steps := []struct {
		name, want string
		do         func() error
	}{
		{"add", "", func() error { return api.AddReaction("eyes", item) }},
		{"again", "already_reacted", func() error { return api.AddReaction("eyes", item) }},
		{"bad name", "invalid_name", func() error { return api.AddReaction("Eyes!", item) }},
		{"remove other", "no_reaction", func() error { return api.RemoveReaction("tada", item) }},
		{"no message", "message_not_found", func() error { return api.AddReaction("eyes", slackgo.NewRefToMessage(incidents, "1.1")) }},
		{"no item", "no_item_specified", func() error { return api.AddReaction("eyes", slackgo.ItemRef{}) }},
	}
	for _, step := range steps {
		if got := refusal(t, step.do()); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
	s.React(Reacting{User: "ana", Channel: "incidents", TS: ts, Reaction: "eyes"})
	got, err := api.GetReactions(item, slackgo.GetReactionsParameters{Full: true})
	if err != nil || len(got.Reactions) != 1 || got.Reactions[0].Count != 2 || !slices.Equal(got.Reactions[0].Users, []string{botUser, ana}) {
		t.Errorf("reactions.get: %+v, %v", got.Reactions, err)
	}
	if err := api.RemoveReaction("eyes", item); err != nil {
		t.Fatal(err)
	}
	if m := last(t, s, incidents, ""); len(m.Reactions) != 1 || m.Reactions[0].Count != 1 {
		t.Errorf("after the removal: %+v", m.Reactions)
	}
}

// TestReactionsAreAbridgedWithoutFull has more people react than Slack names to an app that does not ask for all.
func TestReactionsAreAbridgedWithoutFull(t *testing.T) {
	s := open(t)
	api := connect(t, s, acknowledge).api
	_, ts, err := api.PostMessage(incidents, text("who is here?"))
	if err != nil {
		t.Fatal(err)
	}
	everybody := []string{"ana", "bruno", "carla", "gil", "ana.admin"}
	for _, who := range everybody {
		if out := s.React(Reacting{User: who, Channel: "incidents", TS: ts, Reaction: "wave"}); out.Error != "" {
			t.Fatal(out)
		}
	}
	for full, want := range map[bool]int{false: shownReactors, true: len(everybody)} {
		got, err := api.GetReactions(slackgo.NewRefToMessage(incidents, ts), slackgo.GetReactionsParameters{Full: full})
		if err != nil || len(got.Reactions) != 1 || got.Reactions[0].Count != len(everybody) || len(got.Reactions[0].Users) != want {
			t.Errorf("full %v: %+v, %v; want %d users", full, got.Reactions, err, want)
		}
	}
	if m := last(t, s, incidents, ""); len(m.Reactions[0].Users) != len(everybody) {
		t.Errorf("the message itself lost people: %+v", m.Reactions)
	}
}

func TestFiles(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, parent, _ := api.PostMessage(incidents, text("evidence"))
	content := "level=error msg=grpc_discovery_error\n"
	f, err := api.UploadFile(slackgo.UploadFileParameters{
		Filename: "worker.log", Title: "Worker's log", Content: content, FileSize: len(content), Channel: incidents,
		ThreadTimestamp: parent, InitialComment: "the log",
	})
	if err != nil {
		t.Fatal(err)
	}
	m := last(t, s, incidents, "")
	if len(m.Files) != 1 || m.Files[0].ID != f.ID || m.Files[0].Title != "Worker's log" || m.Files[0].Preview != content || m.ThreadTS != parent || m.Text != "the log" {
		t.Fatalf("the message: %+v", m)
	}
	resp, err := httpClient(t).Get(m.Files[0].URLPrivate)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if string(body) != content || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %q as %q", body, resp.Header.Get("Content-Disposition"))
	}
}

func TestUploadOfAnotherLengthIsRefused(t *testing.T) {
	s := open(t)
	api := client(t, s)
	u, err := api.GetUploadURLExternalContext(context.Background(), slackgo.GetUploadURLExternalParameters{FileName: "a.txt", FileSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient(t).Post(u.UploadURL, "text/plain", strings.NewReader("four"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	_, err = api.CompleteUploadExternalContext(context.Background(), slackgo.CompleteUploadExternalParameters{Files: []slackgo.FileSummary{{ID: u.FileID}}, Channel: incidents})
	if got := refusal(t, err); got != "file_not_found" {
		t.Errorf("completing it: %q", got)
	}
}

// TestWireFormats calls the API as other clients do: JSON with a bearer token, and things that are neither.
func TestWireFormats(t *testing.T) {
	s := open(t)
	for _, tt := range []struct{ name, kind, body, token, want string }{
		{"JSON", "application/json; charset=utf-8", `{"channel":"C0INCIDENT","text":"a","blocks":[{"type":"divider"}]}`, testBotToken, ""},
		{"JSON with blocks as text", "application/json", `{"channel":"C0INCIDENT","blocks":"[{\"type\":\"divider\"}]"}`, testBotToken, ""},
		{"JSON with a token inside", "application/json", `{"token":"` + testBotToken + `","channel":"C0INCIDENT","text":"a"}`, "", "not_authed"},
		{"broken JSON", "application/json", `{`, testBotToken, "invalid_json"},
		{"form", "application/x-www-form-urlencoded", url.Values{"channel": {incidents}, "text": {"a"}}.Encode(), testBotToken, ""},
		{"XML", "text/xml", `<a/>`, testBotToken, "invalid_post_type"},
		{"blocks of another shape", "application/json", `{"channel":"C0INCIDENT","text":"a","blocks":{"type":"divider"}}`, testBotToken, "invalid_blocks_format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, s.URL()+"/api/chat.postMessage", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.kind)
			if tt.token != "" {
				req.Header.Set("Authorization", "Bearer "+tt.token)
			}
			resp, err := httpClient(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var answer struct {
				OK    bool
				Error string
			}
			if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
				t.Fatal(err)
			}
			if answer.Error != tt.want || answer.OK != (tt.want == "") {
				t.Errorf("got %+v, want %q", answer, tt.want)
			}
		})
	}
}

// TestTokensAreNotKept looks for the tokens in everything that the workspace shows.
func TestTokensAreNotKept(t *testing.T) {
	s := open(t)
	_, _, _ = client(t, s).PostMessage(incidents, text("a"))
	raw, err := json.Marshal(s.State(""))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(testBotToken)) || bytes.Contains(raw, []byte(testAppToken)) {
		t.Error("the state holds a token")
	}
	if calls := s.State("").Calls; len(calls) != 1 || calls[0].Method != "chat.postMessage" || calls[0].Args["text"] != "a" {
		t.Errorf("the call log: %+v", calls)
	}
}

func FuzzParseJSONArgs(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, ``, `{"a":1}`, `{"blocks":"[{}]"}`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a, err := parseJSONArgs(strings.NewReader(body))
		if err != nil {
			return
		}
		for key := range a {
			_, _, _, _ = a.str(key), a.raw(key), a.flag(key), a.number(key, 0)
		}
		if _, err := readContent(a); err != nil && codeOf(err) == "internal_error" {
			t.Errorf("%q: %v", body, err)
		}
	})
}
