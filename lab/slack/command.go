package slack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// runCommand sends a slash command to the app. What goes wrong, the person reads from Slackbot.
func (s *Server) runCommand(p Person, channel Channel, text, thread string) error {
	name, rest, _ := strings.Cut(text, " ")
	command, known := s.command(p, name)
	switch {
	case !known:
		s.state.post(channel.ID, whisper(p, thread, fmt.Sprintf("`%s` is not a valid command. In Slack, all messages that start with the \"/\" character are interpreted as commands.", escape(name))))
		return errors.New("unknown_command")
	case thread != "":
		s.state.post(channel.ID, whisper(p, thread, fmt.Sprintf("`%s` is not supported in threads. Sorry!", name)))
		return errors.New("not_supported_in_threads")
	}
	h := s.hooks.open(hook{kind: "commands", channel: channel.ID, user: p.ID}, s.cfg.Now())
	env := newEnvelope("slash_commands", s.commandPayload(p, channel, command, strings.TrimSpace(rest), h), true)
	env.address = command.URL
	answer, err := s.deliver(s.ctx, env)
	if err != nil {
		s.state.post(channel.ID, whisper(p, "", fmt.Sprintf("%s failed with the error \"%s\"", name, err)))
		return err
	}
	if err := s.respond(h, answer); err != nil {
		s.state.post(channel.ID, whisper(p, "", fmt.Sprintf("%s failed with the error \"%s\"", name, codeOf(err))))
		return err
	}
	return nil
}

// command is the app's command of this name, if there is one for p: members of another organisation have none.
func (s *Server) command(p Person, name string) (Command, bool) {
	i := slices.IndexFunc(s.cfg.App.Commands, func(c Command) bool { return c.Name == name })
	if i < 0 || s.foreign(p) || !s.granted("commands") {
		return Command{}, false
	}
	return s.cfg.App.Commands[i], true
}

func (s *Server) commandPayload(p Person, channel Channel, c Command, text string, h hook) object {
	return object{
		"token": s.hooks.verification, "team_id": s.cfg.Team.ID, "team_domain": s.cfg.Team.Domain,
		"channel_id": channel.ID, "channel_name": channel.payloadName(), "user_id": p.ID, "user_name": p.Name,
		"command": c.Name, "text": s.commandText(c, text), "api_app_id": s.cfg.App.ID, "is_enterprise_install": "false",
		"response_url": s.hookURL(h), "trigger_id": s.triggerID(p, ""),
	}
}

// commandText is what was typed after a command: as it is, but for names when the command asks for their ids.
func (s *Server) commandText(c Command, text string) string {
	if c.ShouldEscape {
		return s.encode(text, true)
	}
	return escape(text)
}

// whisper is Slackbot speaking to one person.
func whisper(to Person, thread, text string) Message {
	return Message{User: slackbotID, Text: text, ThreadTS: thread, Ephemeral: true, VisibleTo: to.ID}
}
