package slack

import (
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// inner is the event of the next envelope.
func inner[T any](t *testing.T, a *app) T {
	t.Helper()
	e, ok := receive(t, a.events).Data.(slackevents.EventsAPIEvent)
	if !ok {
		t.Fatal("no event came")
	}
	event, ok := e.InnerEvent.Data.(T)
	if !ok {
		t.Fatalf("got %T", e.InnerEvent.Data)
	}
	return event
}

func TestDirectMessages(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	out := s.Say(Said{User: "ana", Channel: "@tandem", Text: "@tandem diagnose worker"})
	if out.Error != "" {
		t.Fatal(out)
	}
	m := inner[*slackevents.MessageEvent](t, a)
	if m.ChannelType != "im" || !strings.HasPrefix(m.Channel, "D0") || m.User != ana || m.Text != "<@U0TANDEM01> diagnose worker" || m.TimeStamp != out.TS {
		t.Errorf("got %+v", m)
	}
	if _, _, err := a.api.PostMessage(m.Channel, text("on it")); err != nil {
		t.Fatal(err)
	}
	if own := inner[*slackevents.MessageEvent](t, a); own.BotID != "B0TANDEM01" || own.User != botUser || own.Text != "on it" {
		t.Errorf("its own message: %+v", own)
	}
	s.Say(Said{User: "bruno", Channel: "@tandem", Text: "hi"})
	if theirs := inner[*slackevents.MessageEvent](t, a); theirs.Channel == m.Channel {
		t.Error("Bruno speaks where Ana does")
	}
	if got := messages(s, m.Channel, bruno); got != nil {
		t.Errorf("Bruno reads Ana's messages: %+v", got)
	}
	if out := s.Say(Said{User: "bruno", Channel: m.Channel, Text: "hi"}); out.Error != "not_in_channel" {
		t.Errorf("Bruno writes to Ana's: %+v", out)
	}
}

func TestCommandInDirectMessages(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	s.Say(Said{User: "ana", Channel: "@tandem", Text: "/vault help"})
	cmd := receive(t, a.events).Data.(slackgo.SlashCommand)
	if cmd.ChannelName != "directmessage" || !strings.HasPrefix(cmd.ChannelID, "D0") {
		t.Errorf("got %+v", cmd)
	}
}

func TestMessageShortcut(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	said := s.Say(Said{User: "bruno", Channel: "incidents", Text: "worker cannot log in"})
	use := UseShortcut{User: "ana", Channel: "incidents", TS: said.TS, CallbackID: "diagnose_this"}
	if out := s.Shortcut(use); out.Error != "" {
		t.Fatal(out)
	}
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if cb.Type != slackgo.InteractionTypeMessageAction || cb.CallbackID != "diagnose_this" || cb.Message.Text != "worker cannot log in" || cb.Message.User != bruno || cb.MessageTs != said.TS || cb.User.ID != ana || cb.Channel.ID != incidents || cb.ResponseURL == "" || cb.TriggerID == "" || cb.ActionTs == "" {
		t.Errorf("got %+v", cb)
	}
	respond(t, s, cb.ResponseURL, `{"text":"looking"}`, 200, "")
	if m := last(t, s, incidents, ana); m.Text != "looking" || !m.Ephemeral {
		t.Errorf("Ana reads %+v", m)
	}
	use.CallbackID = "nope"
	if out := s.Shortcut(use); out.Error != "shortcut_not_found" {
		t.Errorf("unknown: %+v", out)
	}
}

func TestGlobalShortcut(t *testing.T) {
	s := open(t, func(c *Config) {
		c.App.ID, c.App.UserID, c.App.BotID = "A1", botUser, "B1"
		c.App.Shortcuts = []Shortcut{{Name: "Ask", CallbackID: "ask", Type: "global"}}
	})
	a := connect(t, s, acknowledge)
	if out := s.Shortcut(UseShortcut{User: "ana", CallbackID: "ask"}); out.Error != "" {
		t.Fatal(out)
	}
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if cb.Type != slackgo.InteractionTypeShortcut || cb.CallbackID != "ask" || cb.ResponseURL != "" || cb.TriggerID == "" {
		t.Errorf("got %+v", cb)
	}
}

func TestHome(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	if out := s.Home(OpenHome{User: "ana"}); out.Error != "" {
		t.Fatal(out)
	}
	opened := inner[*slackevents.AppHomeOpenedEvent](t, a)
	if opened.User != ana || opened.Tab != "home" || !strings.HasPrefix(opened.Channel, "D0") || opened.View != nil {
		t.Errorf("got %+v", opened)
	}
	request := slackgo.PublishViewContextRequest{UserID: ana, View: slackgo.HomeTabViewRequest{
		Type: slackgo.VTHomeTab, Blocks: slackgo.Blocks{BlockSet: card()},
	}}
	published, err := a.api.PublishViewContext(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	s.Home(OpenHome{User: "ana"})
	if again := inner[*slackevents.AppHomeOpenedEvent](t, a); again.View == nil || again.View.ID != published.ID || len(again.View.Blocks.BlockSet) != 6 {
		t.Errorf("got %+v", again)
	}
	stale := "1.00000000"
	request.Hash = &stale
	if _, err := a.api.PublishViewContext(t.Context(), request); refusal(t, err) != "hash_conflict" {
		t.Errorf("a stale hash: %v", err)
	}
	if out := s.Click(Click{User: "ana", ViewID: published.ID, ActionID: "fix"}); out.Error != "" {
		t.Fatal(out)
	}
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if cb.Container.ViewID != published.ID || cb.View.ID != published.ID || cb.ActionCallback.BlockActions[0].ActionID != "fix" || cb.ResponseURL != "" {
		t.Errorf("got %+v", cb)
	}
	if homes := s.State("bruno").Homes; len(homes) != 0 {
		t.Errorf("Bruno sees %+v", homes)
	}
}
