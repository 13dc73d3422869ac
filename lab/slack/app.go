package slack

// App is the app under test, as installed in the workspace.
type App struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	UserID   string    `json:"user_id"`
	BotID    string    `json:"bot_id"`
	Commands []Command `json:"commands"`
	// Shortcuts stand in the menu of a message, or in the composer when they are global.
	Shortcuts []Shortcut `json:"shortcuts"`
	// Events are the names of the events that the app subscribes to, such as app_mention and message.im.
	Events []string `json:"events"`
	Home   AppHome  `json:"app_home"`
	// NoInteractivity says that clicks, shortcuts and modals do not reach the app.
	NoInteractivity bool `json:"no_interactivity,omitempty"`
}

// Command is one slash command of the app. Suggestions complete it in the page's composer: each is a line, and what it is
// for after " — ".
type Command struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	UsageHint   string   `json:"usage_hint"`
	Suggestions []string `json:"suggestions,omitempty"`
	// ShouldEscape turns names that people type into ids.
	ShouldEscape bool `json:"should_escape"`
	// URL is where the command goes over HTTP, when it has an address of its own.
	URL string `json:"url,omitempty"`
}

// Shortcut is one action of the app. Type is "message" or "global".
type Shortcut struct {
	Name        string `json:"name"`
	CallbackID  string `json:"callback_id"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
}

// AppHome says which tabs the app has.
type AppHome struct {
	HomeTab          bool `json:"home_tab_enabled"`
	MessagesTab      bool `json:"messages_tab_enabled"`
	MessagesReadOnly bool `json:"messages_tab_read_only_enabled"`
}
