package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says where the workspace listens and who is in it. Durations are texts such as "3s". Only Addr and the two
// tokens are required; everything else has the value of a small, ordinary workspace.
type Config struct {
	// Addr is the loopback address of everything the workspace serves, such as 127.0.0.1:8065.
	Addr string `json:"addr"`
	// BotToken (xoxb-) opens the Web API, AppToken (xapp-) opens Socket Mode.
	BotToken string `json:"bot_token"`
	AppToken string `json:"app_token"`
	// SigningSecret is the secret that requests over HTTP are signed with. Socket Mode does not use it.
	SigningSecret string `json:"signing_secret,omitempty"`

	// AckLimit is the time the app has to acknowledge an envelope: 3s.
	AckLimit string `json:"ack_limit,omitempty"`
	// PingInterval is the time between two websocket pings: 5s.
	PingInterval string `json:"ping_interval,omitempty"`
	// ConnectionLife is the time after which a websocket is asked to refresh: 1h.
	ConnectionLife string `json:"connection_life,omitempty"`
	// EventRetries are the waits before an unacknowledged event is sent again: 0s, 1m, 5m.
	EventRetries []string `json:"event_retries,omitempty"`
	// RateLimits turns the limits per method on.
	RateLimits bool `json:"rate_limits,omitempty"`
	// PostBurst is how many messages a channel takes at once before the limit of one a second holds: 1.
	PostBurst int `json:"post_burst,omitempty"`
	// EditWindow is how long a message may be edited, such as 5m; an empty one, for ever.
	EditWindow string `json:"edit_window,omitempty"`
	// Scopes are what the bot token may do: those of the app's manifest.
	Scopes []string `json:"scopes,omitempty"`

	// Delivery is "socket" (Socket Mode) or "http". Without it, it is HTTP when an address of HTTP is set.
	Delivery string `json:"delivery,omitempty"`
	// HTTP is where the app listens. It goes before the addresses of the manifest.
	HTTP HTTP `json:"http,omitzero"`
	// Manifest is the app's manifest as Slack takes it, in JSON. Commands, shortcuts, scopes, subscribed events and the
	// way of delivery then come from it alone.
	Manifest json.RawMessage `json:"manifest,omitempty"`

	Team     Team      `json:"team,omitzero"`
	App      App       `json:"app,omitzero"`
	People   []Person  `json:"people,omitempty"`
	Channels []Channel `json:"channels,omitempty"`
	// UserGroups are the groups that people are named by together: @sre.
	UserGroups []UserGroup `json:"user_groups,omitempty"`

	// Now and Log are for programs that start the workspace themselves.
	Now func() time.Time `json:"-"`
	Log *slog.Logger     `json:"-"`
}

// Team is the workspace itself.
type Team struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// timing is the durations of a Config, read.
type timing struct {
	ackLimit     time.Duration
	pingInterval time.Duration
	life         time.Duration
	eventRetries []time.Duration
	editWindow   time.Duration // 0: for ever
}

// complete returns cfg with every default filled in, or every error it has.
func (cfg Config) complete() (Config, timing, error) {
	var errs []error
	for _, required := range []struct{ key, value string }{
		{"addr", cfg.Addr}, {"bot_token", cfg.BotToken}, {"app_token", cfg.AppToken},
	} {
		if required.value == "" {
			errs = append(errs, fmt.Errorf("%s: set it, it is required", required.key))
		}
	}
	t, err := cfg.timing()
	errs = append(errs, err)
	cfg.fill()
	if cfg.Manifest != nil {
		errs = append(errs, cfg.install())
	}
	if cfg.Delivery == "" {
		cfg.Delivery = bySocket
		if cfg.HTTP != (HTTP{}) {
			cfg.Delivery = byHTTP
		}
	}
	errs = append(errs, Delivery{Mode: cfg.Delivery, HTTP: cfg.HTTP}.check(cfg.SigningSecret))
	return cfg, t, errors.Join(errs...)
}

func (cfg Config) timing() (timing, error) {
	var t timing
	var errs []error
	read := func(key, text, byDefault string) time.Duration {
		if text == "" {
			text = byDefault
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			errs = append(errs, fmt.Errorf("%s: %q is not a duration such as \"3s\"", key, text))
		}
		return d
	}
	t.ackLimit = read("ack_limit", cfg.AckLimit, "3s")
	t.pingInterval = read("ping_interval", cfg.PingInterval, "5s")
	t.editWindow = read("edit_window", cfg.EditWindow, "0s")
	t.life = read("connection_life", cfg.ConnectionLife, "1h")
	retries := cfg.EventRetries
	if retries == nil {
		retries = []string{"0s", "1m", "5m"}
	}
	for i, text := range retries {
		t.eventRetries = append(t.eventRetries, read(fmt.Sprintf("event_retries[%d]", i), text, "0s"))
	}
	if t.pingInterval == 0 || t.ackLimit == 0 || t.life == 0 {
		errs = append(errs, errors.New("ack_limit, ping_interval, connection_life: must be more than 0s"))
	}
	return t, errors.Join(errs...)
}

func (cfg *Config) fill() {
	if cfg.Team == (Team{}) {
		cfg.Team = Team{ID: "T0NEURALHV", Name: "Neural Hive", Domain: "neural-hive"}
	}
	if cfg.App.ID == "" {
		cfg.App = defaultApp()
	}
	if cfg.App.Events == nil {
		cfg.App.Events = defaultEvents()
	}
	if cfg.App.Shortcuts == nil {
		cfg.App.Shortcuts = defaultShortcuts()
	}
	if cfg.App.Home == (AppHome{}) {
		cfg.App.Home = AppHome{HomeTab: true, MessagesTab: true}
	}
	if cfg.Scopes == nil {
		cfg.Scopes = defaultScopes()
	}
	if cfg.People == nil {
		cfg.People = defaultPeople()
	}
	if cfg.Channels == nil {
		cfg.Channels = defaultChannels(cfg.App.UserID, cfg.People)
	}
	if cfg.UserGroups == nil {
		cfg.UserGroups = defaultUserGroups(cfg.People)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
}
