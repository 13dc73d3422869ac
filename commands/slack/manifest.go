package slack

import (
	"fmt"
	"strings"

	"tandem/commands"
)

// Manifest is the manifest of the Slack app: all that the bot needs of a
// workspace, and nothing more. Its JSON and YAML form is Slack's, in version 1.
type Manifest struct {
	Display  ManifestDisplay  `json:"display_information" yaml:"display_information"`
	Features ManifestFeatures `json:"features" yaml:"features"`
	OAuth    ManifestOAuth    `json:"oauth_config" yaml:"oauth_config"`
	Settings ManifestSettings `json:"settings" yaml:"settings"`
}

// ManifestDisplay is how Slack presents the app.
type ManifestDisplay struct {
	Name            string `json:"name" yaml:"name"`                         // up to 35
	Description     string `json:"description" yaml:"description"`           // up to 140
	LongDescription string `json:"long_description" yaml:"long_description"` // 175 to 4000
	BackgroundColor string `json:"background_color" yaml:"background_color"`
}

// ManifestFeatures are the places where people meet the app.
type ManifestFeatures struct {
	AppHome       ManifestAppHome    `json:"app_home" yaml:"app_home"`
	BotUser       ManifestBotUser    `json:"bot_user" yaml:"bot_user"`
	Shortcuts     []ManifestShortcut `json:"shortcuts" yaml:"shortcuts"`
	SlashCommands []ManifestCommand  `json:"slash_commands" yaml:"slash_commands"`
}

// ManifestAppHome says which tabs the app has.
type ManifestAppHome struct {
	Home             bool `json:"home_tab_enabled" yaml:"home_tab_enabled"`
	Messages         bool `json:"messages_tab_enabled" yaml:"messages_tab_enabled"`
	MessagesReadOnly bool `json:"messages_tab_read_only_enabled" yaml:"messages_tab_read_only_enabled"`
}

// ManifestBotUser is the app as a member of the workspace.
type ManifestBotUser struct {
	DisplayName  string `json:"display_name" yaml:"display_name"` // up to 80
	AlwaysOnline bool   `json:"always_online" yaml:"always_online"`
}

// ManifestShortcut is an entry in the menu of a message.
type ManifestShortcut struct {
	Name        string `json:"name" yaml:"name"` // up to 24
	Type        string `json:"type" yaml:"type"`
	CallbackID  string `json:"callback_id" yaml:"callback_id"` // up to 255
	Description string `json:"description" yaml:"description"` // up to 150
}

// ManifestCommand is a slash command.
type ManifestCommand struct {
	Command      string `json:"command" yaml:"command"` // up to 32
	URL          string `json:"url,omitempty" yaml:"url,omitempty"`
	Description  string `json:"description" yaml:"description"` // up to 2000
	UsageHint    string `json:"usage_hint" yaml:"usage_hint"`   // up to 1000
	ShouldEscape bool   `json:"should_escape" yaml:"should_escape"`
}

// ManifestOAuth is what the app may do.
type ManifestOAuth struct {
	Scopes struct {
		Bot []string `json:"bot" yaml:"bot"`
	} `json:"scopes" yaml:"scopes"`
}

// ManifestSettings is how Slack reaches the app.
type ManifestSettings struct {
	Events        ManifestEvents        `json:"event_subscriptions" yaml:"event_subscriptions"`
	Interactivity ManifestInteractivity `json:"interactivity" yaml:"interactivity"`
	SocketMode    bool                  `json:"socket_mode_enabled" yaml:"socket_mode_enabled"`
	OrgDeploy     bool                  `json:"org_deploy_enabled" yaml:"org_deploy_enabled"`
	TokenRotation bool                  `json:"token_rotation_enabled" yaml:"token_rotation_enabled"`
}

// ManifestEvents are the events that Slack sends.
type ManifestEvents struct {
	RequestURL string   `json:"request_url,omitempty" yaml:"request_url,omitempty"`
	BotEvents  []string `json:"bot_events" yaml:"bot_events"`
}

// ManifestInteractivity lets people use buttons, modals and shortcuts.
type ManifestInteractivity struct {
	IsEnabled  bool   `json:"is_enabled" yaml:"is_enabled"`
	RequestURL string `json:"request_url,omitempty" yaml:"request_url,omitempty"`
}

// ShortcutDiagnose is the callback id of the message shortcut.
const ShortcutDiagnose = "diagnose_this"

// NewManifest describes the app for a slash command, like /vault. With an
// address Slack sends its requests there, without one over Socket Mode.
func NewManifest(command, address string) (Manifest, error) {
	hint, err := commands.ChatHint()
	if err != nil {
		return Manifest{}, fmt.Errorf("make the manifest: %w", err)
	}
	m := Manifest{
		Display: ManifestDisplay{
			Name: "Tandem", BackgroundColor: "#1f2d3d",
			Description: "Says why Vault or SPIFFE fails a service: the cause, the evidence, and what to do next.",
			LongDescription: "Tandem is for people on call for services that use Vault and SPIFFE. Ask it about a service and it " +
				"looks at workload identity, trust bundle, login, token, lease and the credential in use, tells the cause from " +
				"its consequences, shows the evidence with commands that you can repeat, and says what it could not see. It " +
				"never reads the value of a secret.",
		},
		Features: ManifestFeatures{
			AppHome: ManifestAppHome{Home: true, Messages: true},
			BotUser: ManifestBotUser{DisplayName: "Tandem", AlwaysOnline: true},
			Shortcuts: []ManifestShortcut{{
				Name: "Diagnose this", Type: "message", CallbackID: ShortcutDiagnose,
				Description: "Diagnoses the service that this message is about",
			}},
			SlashCommands: []ManifestCommand{{
				Command: command, Description: "Say what is wrong with a service, and why", UsageHint: hint, ShouldEscape: true,
			}},
		},
		Settings: ManifestSettings{
			Events: ManifestEvents{BotEvents: botEvents()}, Interactivity: ManifestInteractivity{IsEnabled: true}, SocketMode: address == "",
		},
	}
	m.OAuth.Scopes.Bot = BotScopes()
	m.reachAt(address)
	return m, nil
}

// reachAt sets the addresses of requests; there are none in Socket Mode.
func (m *Manifest) reachAt(address string) {
	if address == "" {
		return
	}
	address = strings.TrimRight(address, "/")
	m.Features.SlashCommands[0].URL = address + pathCommands
	m.Settings.Events.RequestURL = address + pathEvents
	m.Settings.Interactivity.RequestURL = address + pathInteractive
}

// BotScopes are what the bot token may do.
func BotScopes() []string {
	return []string{
		"app_mentions:read", // the event app_mention: questions in threads, where slash commands cannot be typed
		"channels:history",  // conversations.history and .replies: finds a card again that it posted just before a crash
		"channels:read",     // conversations.info and the event member_joined_channel, in public channels
		"chat:write",        // placeholders, cards, evidence, and answers that only the asker sees
		"commands",          // the slash command and the message shortcut
		"files:write",       // evidence that is too long for a message
		"groups:history",    // the same as channels:history, in private channels
		"groups:read",       // the same as channels:read, in private channels
		"im:history",        // the event message.im: questions in a direct message
		"im:write",          // conversations.open: the answer to a button of the Home tab
		"reactions:read",    // reactions.get and the events reaction_…: votes by reaction
		"usergroups:read",   // usergroups.users.list: who may ask and approve, by group
		"users:read",        // users.info: in which language to answer, and who is a guest, a bot or deactivated
		"users:read.email",  // users.info: which accounts are one person's, who may not approve what they asked for
	}
}

// botEvents are what Slack tells the bot.
func botEvents() []string {
	return []string{
		"app_home_opened",       // shows the Home tab
		"app_mention",           // asks a question
		"app_uninstalled",       // ends the bot with the next step, since Slack lets it in no more
		"member_joined_channel", // greets the channel that the bot was invited to
		"message.im",            // asks a question
		"reaction_added",        // votes
		"reaction_removed",      // takes a vote back
		"tokens_revoked",        // the same as app_uninstalled
	}
}
