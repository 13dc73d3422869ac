package slack

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// subscribe makes the app hear of these events, too.
func subscribe(events ...string) func(*Config) {
	return func(c *Config) {
		c.App = defaultApp()
		c.App.Events = append(defaultEvents(), events...)
	}
}

func do(t *testing.T, s *Server, path, body string) {
	t.Helper()
	if status, out := post(t, s, path, body); status != http.StatusOK || out.Error != "" {
		t.Fatalf("%s %s: %d %+v", path, body, status, out)
	}
}

func TestMembers(t *testing.T) {
	s := open(t, subscribe("member_left_channel"))
	a := connect(t, s, acknowledge)
	do(t, s, "/lab/member", `{"action":"leave","user":"bruno","channel":"incidents"}`)
	if left := inner[*slackevents.MemberLeftChannelEvent](t, a); left.User != bruno || left.Channel != incidents || left.ChannelType != "C" {
		t.Errorf("got %+v", left)
	}
	do(t, s, "/lab/member", `{"action":"join","user":"bruno","channel":"incidents","inviter":"ana"}`)
	if joined := inner[*slackevents.MemberJoinedChannelEvent](t, a); joined.User != bruno || joined.Inviter != ana || joined.Team != "T0NEURALHV" {
		t.Errorf("got %+v", joined)
	}
	do(t, s, "/lab/member", `{"action":"join","user":"tandem","channel":"general","inviter":"ana"}`)
	if joined := inner[*slackevents.MemberJoinedChannelEvent](t, a); joined.User != botUser || joined.Channel != general {
		t.Errorf("got %+v", joined)
	}
	for body, want := range map[string]string{
		`{"action":"join","user":"ana","channel":"incidents"}`:   "already_in_channel",
		`{"action":"leave","user":"nobody","channel":"general"}`: "user_not_found",
		`{"action":"join","user":"ana","channel":"nowhere"}`:     "channel_not_found",
		`{"action":"dance","user":"ana","channel":"incidents"}`:  `action must be "join" or "leave"`,
	} {
		if _, out := post(t, s, "/lab/member", body); out.Error != want {
			t.Errorf("%s: %+v", body, out)
		}
	}
}

func TestUnsubscribedEventsAreNotSent(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	do(t, s, "/lab/member", `{"action":"leave","user":"bruno","channel":"incidents"}`)
	do(t, s, "/lab/channel", `{"channel":"incidents","rename":"fires"}`)
	do(t, s, "/lab/person", `{"user":"bruno","deleted":true}`)
	if len(a.events) != 0 || len(s.State("").Deliveries) != 0 {
		t.Errorf("sent: %+v", s.State("").Deliveries)
	}
}

// TestEventsNeedTheirScope checks that a subscription without its scope hears nothing.
func TestEventsNeedTheirScope(t *testing.T) {
	s := open(t, func(c *Config) { c.Scopes = []string{"commands", "chat:write"} })
	connect(t, s, acknowledge)
	s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem hello"})
	s.Say(Said{User: "ana", Channel: "@tandem", Text: "hello"})
	if sent := s.State("").Deliveries; len(sent) != 0 {
		t.Errorf("sent: %+v", sent)
	}
}

func TestChannelsChange(t *testing.T) {
	s := open(t, subscribe("channel_rename", "channel_archive", "channel_unarchive"))
	a := connect(t, s, acknowledge)
	do(t, s, "/lab/channel", `{"channel":"incidents","rename":"fires"}`)
	if e := inner[*slackevents.ChannelRenameEvent](t, a); e.Channel.ID != incidents || e.Channel.Name != "fires" {
		t.Errorf("got %+v", e)
	}
	do(t, s, "/lab/channel", `{"channel":"fires","archive":true}`)
	if e := inner[*slackevents.ChannelArchiveEvent](t, a); e.Channel != incidents {
		t.Errorf("got %+v", e)
	}
	if _, _, err := a.api.PostMessage(incidents, text("hi")); refusal(t, err) != "is_archived" {
		t.Errorf("posted to an archived channel: %v", err)
	}
	do(t, s, "/lab/channel", `{"channel":"fires","archive":false}`)
	inner[*slackevents.ChannelUnarchiveEvent](t, a)
	said := s.Say(Said{User: "ana", Channel: "fires", Text: "hello"})
	do(t, s, "/lab/channel", `{"channel":"fires","new_id":"C0SHARED01"}`)
	if e := inner[*slackevents.ChannelIDChangedEvent](t, a); e.OldChannelID != incidents || e.NewChannelID != "C0SHARED01" {
		t.Errorf("got %+v", e)
	}
	if m := last(t, s, "C0SHARED01", ana); m.TS != said.TS {
		t.Errorf("the messages did not come along: %+v", m)
	}
}

func TestPeopleChange(t *testing.T) {
	s := open(t)
	api := client(t, s)
	do(t, s, "/lab/person", `{"user":"bruno","is_restricted":true}`)
	if p, err := api.GetUserInfo(bruno); err != nil || !p.IsRestricted || p.Deleted {
		t.Errorf("got %+v, %v", p, err)
	}
	do(t, s, "/lab/person", `{"user":"bruno","deleted":true}`)
	if out := s.Say(Said{User: "bruno", Channel: "incidents", Text: "hi"}); out.Error != "user_not_found" {
		t.Errorf("a deactivated person speaks: %+v", out)
	}
}

func TestAnyEvent(t *testing.T) {
	a := listen(t, nil)
	s := open(t, overHTTP(a))
	do(t, s, "/lab/event", `{"event":{"type":"never_heard_of"}}`)
	if r := receive(t, a.got); !strings.Contains(string(r.body), `"never_heard_of"`) {
		t.Errorf("got %s", r.body)
	}
	if d := s.State("").Deliveries; len(d) != 1 || d[0].Type != "never_heard_of" || !strings.HasPrefix(d[0].ID, "Ev") {
		t.Errorf("deliveries %+v", d)
	}
	if _, out := post(t, s, "/lab/event", `{"event":{}}`); out.Error == "" {
		t.Error("an event without a type was sent")
	}
}

// TestStranger is what somebody of another organisation may do in a shared channel.
func TestStranger(t *testing.T) {
	s := open(t, func(c *Config) {
		c.People = append(defaultPeople(), Person{ID: "U0STRANGE9", TeamID: "T0PARTNER9", Name: "otto", IsStranger: true})
		c.Channels = []Channel{{ID: "C0SHARED09", Name: "shared", IsExtShared: true, Members: []string{ana, botUser, "U0STRANGE9"}}}
	})
	a := connect(t, s, acknowledge)
	if out := s.Say(Said{User: "otto", Channel: "shared", Text: "/vault help"}); out.Error != "unknown_command" {
		t.Errorf("a command: %+v", out)
	}
	if m := last(t, s, "C0SHARED09", "U0STRANGE9"); !strings.Contains(m.Text, "`/vault` is not a valid command") {
		t.Errorf("Otto reads %+v", m)
	}
	_, ts, err := a.api.PostMessage("C0SHARED09", slackgo.MsgOptionBlocks(card()...))
	if err != nil {
		t.Fatal(err)
	}
	s.Click(Click{User: "otto", Channel: "shared", TS: ts, ActionID: "fix"})
	if cb := receive(t, a.events).Data.(slackgo.InteractionCallback); cb.User.ID != "U0STRANGE9" || cb.User.TeamID != "T0PARTNER9" || cb.Team.ID != "T0NEURALHV" {
		t.Errorf("got %+v", cb)
	}
	s.React(Reacting{User: "otto", Channel: "shared", TS: ts, Reaction: "eyes"})
	var wrapped struct {
		IsExtSharedChannel bool              `json:"is_ext_shared_channel"`
		Authorizations     []json.RawMessage `json:"authorizations"`
	}
	e := receive(t, a.events)
	if err := json.Unmarshal(e.Request.Payload, &wrapped); err != nil || !wrapped.IsExtSharedChannel || len(wrapped.Authorizations) != 1 {
		t.Errorf("got %s, %v", e.Request.Payload, err)
	}
	for what, out := range map[string]Outcome{
		"direct messages": s.Say(Said{User: "otto", Channel: "@tandem", Text: "hi"}),
		"shortcut":        s.Shortcut(UseShortcut{User: "otto", Channel: "shared", TS: ts, CallbackID: "diagnose_this"}),
		"home":            s.Home(OpenHome{User: "otto"}),
	} {
		if out.Error == "" {
			t.Errorf("%s: %+v", what, out)
		}
	}
}

// TestEditsInDirectMessagesAreHeard checks that the app hears of every change where it hears messages at all.
func TestEditsInDirectMessagesAreHeard(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	s.Say(Said{User: "ana", Channel: "@tandem", Text: "hi"})
	dm := inner[*slackevents.MessageEvent](t, a).Channel
	_, ts, err := a.api.PostMessage(dm, text("working"))
	if err != nil {
		t.Fatal(err)
	}
	inner[*slackevents.MessageEvent](t, a)
	if _, _, _, err := a.api.UpdateMessage(dm, ts, text("done")); err != nil {
		t.Fatal(err)
	}
	if m := inner[*slackevents.MessageEvent](t, a); m.SubType != "message_changed" || m.Message.Text != "done" || m.PreviousMessage.Text != "working" {
		t.Errorf("got %+v", m)
	}
	if _, _, err := a.api.DeleteMessage(dm, ts); err != nil {
		t.Fatal(err)
	}
	if m := inner[*slackevents.MessageEvent](t, a); m.SubType != "message_deleted" || m.PreviousMessage.Text != "done" {
		t.Errorf("got %+v", m)
	}
}

func TestSSLCheck(t *testing.T) {
	a := listen(t, nil)
	s := open(t, overHTTP(a))
	do(t, s, "/lab/sslcheck", `{}`)
	if form := receive(t, a.got).form(); form.Get("ssl_check") != "1" || form.Get("command") != "" {
		t.Errorf("got %v", form)
	}
}

// TestPagesReloadWhenTheirViewChanges checks that a page comes back for a snapshot when its person joins a private channel.
func TestPagesReloadWhenTheirViewChanges(t *testing.T) {
	s := open(t, func(c *Config) {
		c.Channels = []Channel{{ID: "C0PRIVATE9", Name: "room", IsPrivate: true, Members: []string{ana, botUser}}}
	})
	before, changes, stop := s.state.watch(bruno)
	defer stop()
	_, others, stopOthers := s.state.watch(ana)
	defer stopOthers()
	s.Member(Member{Action: "join", User: "bruno", Channel: "room"})
	for range changes { // ends when the page is cut off
	}
	if len(before.Channels) != 0 || len(s.State("bruno").Channels) != 1 {
		t.Errorf("Bruno saw %+v", before.Channels)
	}
	if c := receive(t, others); c.Kind != "channel" || !c.Conversation.has(bruno) {
		t.Errorf("Ana is told %+v", c)
	}
}
