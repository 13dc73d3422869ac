package slack

import (
	"crypto/rand"
	"fmt"
)

// Click is a person using one interactive element of a message. Value may be left out: the element has one.
type Click struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
}

// Click sends block_actions to the app and waits for its acknowledgement.
func (s *Server) Click(click Click) Outcome {
	return s.timed(func() (string, error) { return click.TS, s.click(click) })
}

func (s *Server) click(click Click) error {
	p, channel, err := s.actor(click.User, click.Channel)
	if err != nil {
		return err
	}
	m, ok := s.state.message(channel.ID, click.TS)
	if !ok || !m.visibleTo(p.ID) {
		return refuse("message_not_found")
	}
	action := findAction(m, click)
	if action == nil {
		return refuse("action_not_found")
	}
	action["action_ts"] = s.state.stamp()
	h := s.hooks.open(hook{kind: "actions", channel: channel.ID, user: p.ID, original: m.TS}, s.cfg.Now())
	_, err = s.hub.deliver(s.ctx, newEnvelope("interactive", s.actionPayload(p, channel, m, action, h), false))
	if err != nil {
		text := fmt.Sprintf("%s could not be reached (%s). Try again.", s.cfg.App.Name, err)
		s.state.post(channel.ID, whisper(p, replyTo(m), text))
	}
	return err
}

// findAction is the action that the click performs, or nil when the message has no such element.
func findAction(m Message, click Click) object {
	for _, b := range m.Blocks {
		for _, v := range append(list(b["elements"]), b["accessory"]) {
			e, ok := v.(object)
			if ok && interactive(e) && e["action_id"] == click.ActionID {
				return performed(e, b["block_id"], click.Value)
			}
		}
	}
	return nil
}

func performed(element object, blockID any, value string) object {
	action := object{"type": element["type"], "action_id": element["action_id"], "block_id": blockID}
	if element["type"] == "button" {
		for _, key := range []string{"text", "value", "style"} {
			if v, ok := element[key]; ok {
				action[key] = v
			}
		}
		return action
	}
	for _, v := range list(element["options"]) {
		if o, ok := v.(object); ok && o["value"] == value {
			action["selected_option"] = o
			return action
		}
	}
	return nil
}

func (s *Server) actionPayload(p Person, channel Channel, m Message, action object, h hook) object {
	container := object{
		"type": "message", "message_ts": m.TS, "channel_id": channel.ID, "is_ephemeral": m.Ephemeral,
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload := object{
		"type": "block_actions", "api_app_id": s.cfg.App.ID, "token": s.hooks.verification, "container": container,
		"user":    object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": p.TeamID},
		"team":    object{"id": s.cfg.Team.ID, "domain": s.cfg.Team.Domain},
		"channel": object{"id": channel.ID, "name": channel.Name}, "enterprise": nil, "is_enterprise_install": false,
		"state": object{"values": object{}}, "actions": []object{action}, "trigger_id": s.triggerID(),
		"response_url": s.hookURL(h),
	}
	// Slack leaves the message out when it is ephemeral: it does not keep those.
	if !m.Ephemeral {
		payload["message"] = s.messageView(channel, m)
	}
	return payload
}

func (s *Server) triggerID() string {
	return fmt.Sprintf("%d.%s", s.cfg.Now().UnixMicro(), rand.Text())
}

// replyTo is the thread that an answer beside m belongs in: none when m stands in the channel itself.
func replyTo(m Message) string {
	if m.ThreadTS == m.TS {
		return ""
	}
	return m.ThreadTS
}
