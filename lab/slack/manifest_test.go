package slack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"
)

const testManifest = `{
	"display_information": {"name": "Tandem"},
	"features": {
		"app_home": {"home_tab_enabled": false, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true},
		"bot_user": {"display_name": "tandem", "always_online": true},
		"shortcuts": [{"name": "Ask", "type": "global", "callback_id": "ask", "description": "Ask it"}],
		"slash_commands": [
			{"command": "/vault", "description": "Diagnose", "usage_hint": "diagnose [SERVICE] | explain CODE | approve ID | [anything]", "should_escape": false},
			{"command": "/other", "description": "Other", "should_escape": true}
		]
	},
	"oauth_config": {"scopes": {"bot": ["commands", "app_mentions:read"]}},
	"settings": {
		"event_subscriptions": {"bot_events": ["app_mention"]},
		"interactivity": {"is_enabled": false},
		"socket_mode_enabled": true
	}
}`

func installed(manifest string) func(*Config) {
	return func(c *Config) { c.Manifest = json.RawMessage(manifest) }
}

func TestManifestDecides(t *testing.T) {
	s := open(t, installed(testManifest))
	a := connect(t, s, acknowledge)
	command := func(text string) slackgo.SlashCommand {
		t.Helper()
		if out := s.Say(Said{User: "ana", Channel: "incidents", Text: text}); out.Error != "" {
			t.Fatal(out)
		}
		return receive(t, a.events).Data.(slackgo.SlashCommand)
	}
	if cmd := command("/vault ask @bruno & co"); cmd.Text != "ask @bruno &amp; co" {
		t.Errorf("not to be escaped: %q", cmd.Text)
	}
	if cmd := command("/other ask @bruno"); cmd.Text != "ask <@U0BRUNO001|bruno>" {
		t.Errorf("to be escaped: %q", cmd.Text)
	}
	if _, _, err := a.api.PostMessage(incidents, text("hi")); refusal(t, err) != "missing_scope" {
		t.Errorf("a scope that it lacks: %v", err)
	}
	for what, out := range map[string]Outcome{
		"tab_not_found":          s.Home(OpenHome{User: "ana"}),
		"messages_tab_disabled":  s.Say(Said{User: "ana", Channel: "@tandem", Text: "hi"}),
		"interactivity_disabled": s.Shortcut(UseShortcut{User: "ana", CallbackID: "ask"}),
		"shortcut_not_found":     s.Shortcut(UseShortcut{User: "ana", CallbackID: "diagnose_this"}),
	} {
		if out.Error != what {
			t.Errorf("%s: %+v", what, out)
		}
	}
	said := s.Say(Said{User: "ana", Channel: "incidents", Text: "hi"})
	s.React(Reacting{User: "ana", Channel: "incidents", TS: said.TS, Reaction: "eyes"})
	if len(a.events) != 0 {
		t.Error("an event came that is not subscribed to")
	}
	app := s.State("").App
	want := append(defaultApp().Commands[0].Suggestions, "approve — ID")
	if !slices.Equal(app.Commands[0].Suggestions, want) || app.Commands[1].Suggestions != nil {
		t.Errorf("suggestions: %+v, want %q", app.Commands, want)
	}
}

func TestManifestOverHTTP(t *testing.T) {
	a := listen(t, nil)
	manifest := strings.NewReplacer(`"socket_mode_enabled": true`, `"socket_mode_enabled": false`,
		`"description": "Other"`, `"description": "Other", "url": "`+a.URL+`/other"`,
		`"interactivity": {"is_enabled": false}`, `"interactivity": {"is_enabled": true, "request_url": "`+a.URL+`/actions"}`,
		`"bot_events"`, `"request_url": "`+a.URL+`/events", "bot_events"`).Replace(testManifest)
	s := open(t, installed(manifest), func(c *Config) { c.SigningSecret = testSecret })
	for _, tt := range []struct {
		path string
		out  Outcome
	}{
		{"/other", s.Say(Said{User: "ana", Channel: "incidents", Text: "/other"})},
		{"/actions", s.Shortcut(UseShortcut{User: "ana", CallbackID: "ask"})},
		{"/events", s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem hi"})},
	} {
		if r := receive(t, a.got); tt.out.Error != "" || r.path != tt.path {
			t.Errorf("%s: %+v at %s", tt.path, tt.out, r.path)
		}
	}
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault"}); out.Error != "dispatch_failed" {
		t.Errorf("a command without an address: %+v", out)
	}
}

func TestManifestErrors(t *testing.T) {
	for _, manifest := range []string{`[]`, `{}`} {
		cfg := Config{Addr: "127.0.0.1:0", BotToken: "b", AppToken: "a", Manifest: json.RawMessage(manifest)}
		if _, err := Start(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "manifest:") {
			t.Errorf("%s: %v", manifest, err)
		}
	}
}
