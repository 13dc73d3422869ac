package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"tandem/commands"
	"tandem/commands/slack"
	"tandem/config"
)

// manifest prints the manifest of the Slack app. It works before there is a
// configuration, since the app's tokens come out of it.
func (a *app) manifest(ask commands.Manifest) int {
	c, err := a.configIfAny()
	if err != nil {
		return a.fail(err)
	}
	if err := checkAddress(ask.URL, c); err != nil {
		return a.fail(&setupError{err})
	}
	m, err := slack.NewManifest(slashCommand(c), ask.URL)
	if err != nil {
		return a.fail(err)
	}
	return a.encode(m, ask.Output)
}

func slashCommand(c *config.Config) string {
	if c.Slack == nil {
		return config.DefaultCommand
	}
	return cmp.Or(c.Slack.Command, config.DefaultCommand)
}

// checkAddress says why Slack could not send requests to an address, or why it
// needs one.
func checkAddress(address string, c *config.Config) error {
	switch byHTTP := c.Slack != nil && c.Slack.HTTP != nil && c.Slack.AppToken.IsZero(); {
	case address == "" && byHTTP:
		return errors.New("--url: missing: slack.http takes Slack's requests, so say at which address Slack reaches it, like https://bot.example.org")
	case address == "":
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("--url: expected an address that Slack reaches, like https://bot.example.org")
	}
	return nil
}

// encode prints a value as YAML if that is asked for, else as JSON.
func (a *app) encode(value any, format commands.Format) int {
	var data []byte
	var err error
	if format == commands.FormatYAML {
		data, err = yaml.Marshal(value)
	} else {
		data, err = json.MarshalIndent(value, "", "  ")
	}
	if err != nil {
		return a.fail(fmt.Errorf("encode the answer: %w", err))
	}
	return a.say(strings.TrimRight(string(data), "\n"))
}
