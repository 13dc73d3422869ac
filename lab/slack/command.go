package slack

import (
	"errors"
	"fmt"
	"strings"
)

// runCommand sends a slash command to the app. What goes wrong, the person reads from Slackbot.
func (s *Server) runCommand(p Person, channel Channel, text, thread string) error {
	name, rest, _ := strings.Cut(text, " ")
	switch {
	case !s.knows(name):
		s.state.post(channel.ID, whisper(p, thread, fmt.Sprintf("`%s` is not a valid command. In Slack, all messages that start with the \"/\" character are interpreted as commands.", escape(name))))
		return errors.New("unknown_command")
	case thread != "":
		s.state.post(channel.ID, whisper(p, thread, fmt.Sprintf("`%s` is not supported in threads. Sorry!", name)))
		return errors.New("not_supported_in_threads")
	}
	h := s.hooks.open(hook{kind: "commands", channel: channel.ID, user: p.ID}, s.cfg.Now())
	env := newEnvelope("slash_commands", s.commandPayload(p, channel, name, strings.TrimSpace(rest), h), true)
	answer, err := s.hub.deliver(s.ctx, env)
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

func (s *Server) knows(command string) bool {
	for _, c := range s.cfg.App.Commands {
		if c.Name == command {
			return true
		}
	}
	return false
}

func (s *Server) commandPayload(p Person, channel Channel, name, text string, h hook) object {
	return object{
		"token": s.hooks.verification, "team_id": s.cfg.Team.ID, "team_domain": s.cfg.Team.Domain,
		"channel_id": channel.ID, "channel_name": channel.Name, "user_id": p.ID, "user_name": p.Name,
		"command": name, "text": s.encode(text, true), "api_app_id": s.cfg.App.ID, "is_enterprise_install": "false",
		"response_url": s.hookURL(h), "trigger_id": s.triggerID(),
	}
}

// whisper is Slackbot speaking to one person.
func whisper(to Person, thread, text string) Message {
	return Message{User: slackbotID, Text: text, ThreadTS: thread, Ephemeral: true, VisibleTo: to.ID}
}
