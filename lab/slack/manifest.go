package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// manifest is the part of Slack's app manifest that decides what a workspace does with an app.
type manifest struct {
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"display_information"`
	Features struct {
		Home     *AppHome `json:"app_home"`
		Commands []struct {
			Command      string `json:"command"`
			Description  string `json:"description"`
			UsageHint    string `json:"usage_hint"`
			ShouldEscape bool   `json:"should_escape"`
			URL          string `json:"url"`
		} `json:"slash_commands"`
		Shortcuts []Shortcut `json:"shortcuts"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			RequestURL string   `json:"request_url"`
			BotEvents  []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			IsEnabled  bool   `json:"is_enabled"`
			RequestURL string `json:"request_url"`
		} `json:"interactivity"`
		SocketMode bool `json:"socket_mode_enabled"`
	} `json:"settings"`
}

// install takes the app's commands, shortcuts, scopes, events and way of delivery from its manifest. Suggestions of the
// configuration stay, and so do addresses, since a manifest names those of the world outside.
func (cfg *Config) install() error {
	var m manifest
	if err := json.Unmarshal(cfg.Manifest, &m); err != nil {
		return fmt.Errorf("manifest: it is not the JSON of a Slack app manifest: %w", err)
	}
	if m.Display.Name == "" {
		return errors.New("manifest: display_information.name: set it, it is required")
	}
	cfg.App.Name = m.Display.Name
	cfg.App.Commands = m.commands(cfg.App.Commands)
	cfg.App.Shortcuts = append([]Shortcut{}, m.Features.Shortcuts...)
	cfg.App.Home = AppHome{}
	if m.Features.Home != nil {
		cfg.App.Home = *m.Features.Home
	}
	cfg.App.NoInteractivity = !m.Settings.Interactivity.IsEnabled
	cfg.App.Events = append([]string{}, m.Settings.Events.BotEvents...)
	cfg.Scopes = append([]string{}, m.OAuth.Scopes.Bot...)
	cfg.Delivery = byHTTP
	if m.Settings.SocketMode {
		cfg.Delivery = bySocket
	}
	if cfg.HTTP.CommandsURL != "" {
		for i := range cfg.App.Commands {
			cfg.App.Commands[i].URL = ""
		}
	}
	orElse(&cfg.HTTP.EventsURL, m.Settings.Events.RequestURL)
	orElse(&cfg.HTTP.InteractiveURL, m.Settings.Interactivity.RequestURL)
	return nil
}

// commands are the manifest's, with the suggestions of those that the configuration knows by the same name and those of
// their usage hints.
func (m manifest) commands(known []Command) []Command {
	var all []Command
	for _, c := range m.Features.Commands {
		command := Command{
			Name: c.Command, Description: c.Description, UsageHint: c.UsageHint, ShouldEscape: c.ShouldEscape, URL: c.URL,
		}
		for _, k := range known {
			if k.Name == command.Name {
				command.Suggestions = k.Suggestions
			}
		}
		command.Suggestions = append(slices.Clip(command.Suggestions), command.hinted()...)
		all = append(all, command)
	}
	return all
}

// hinted are the words of a usage hint, such as "explain CODE | help", with which no suggestion begins yet.
func (c Command) hinted() []string {
	var lines []string
	for hint := range strings.SplitSeq(c.UsageHint, "|") {
		word, rest, _ := strings.Cut(strings.TrimSpace(hint), " ")
		begins := func(line string) bool { return line == word || strings.HasPrefix(line, word+" ") }
		if !regexp.MustCompile(`^[a-z]+$`).MatchString(word) || slices.ContainsFunc(c.Suggestions, begins) {
			continue
		}
		if rest != "" {
			word += " — " + rest
		}
		lines = append(lines, word)
	}
	return lines
}

func orElse(value *string, byDefault string) {
	if *value == "" {
		*value = byDefault
	}
}
