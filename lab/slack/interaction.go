package slack

import (
	"fmt"
	"maps"
	"slices"
)

// Click is a person using one interactive element of a message, or of a view when ViewID is set. Value may be left out
// for a button; it is the value of an option, a list of them, or what was typed. Values is what the person has filled in
// elsewhere in the view or the message until then.
type Click struct {
	User     string                    `json:"user"`
	Channel  string                    `json:"channel"`
	TS       string                    `json:"ts"`
	ViewID   string                    `json:"view_id"`
	ActionID string                    `json:"action_id"`
	Value    any                       `json:"value"`
	Values   map[string]map[string]any `json:"values"`
}

// Click sends block_actions to the app and waits for its acknowledgement.
func (s *Server) Click(click Click) Outcome {
	return s.timed(func() (string, error) {
		if click.ViewID != "" {
			return "", s.clickInView(click)
		}
		return click.TS, s.click(click)
	})
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
	action := findAction(m.Blocks, click)
	if action == nil {
		return refuse("action_not_found")
	}
	filled, err := stateOf(m.Blocks, ViewState{}, withClick(click, action))
	if err != nil {
		return err
	}
	action["action_ts"] = s.state.stamp()
	if err := s.interact(s.actionPayload(p, channel, m, action, filled)); err != nil {
		text := fmt.Sprintf("%s could not be reached (%s). Try again.", s.cfg.App.Name, err)
		s.state.post(channel.ID, whisper(p, replyTo(m), text))
		return err
	}
	return nil
}

// withClick is what is filled in, the element that was just used with it.
func withClick(click Click, action object) map[string]map[string]any {
	if !stateful(action) {
		return click.Values
	}
	all := copied(click.Values)
	block, _ := action["block_id"].(string)
	if all[block] == nil {
		all[block] = map[string]any{}
	}
	all[block][click.ActionID] = click.Value
	return all
}

// interact sends one interaction to the app, and ignores what it answers.
func (s *Server) interact(payload object) error {
	_, err := s.interactive(payload, false)
	return err
}

// findAction is the action that the click performs, or nil when there is no such element.
func findAction(blocks []object, click Click) object {
	for _, b := range blocks {
		for _, e := range elementsOf(b) {
			if e["action_id"] == click.ActionID {
				return performed(e, b["block_id"], click.Value)
			}
		}
	}
	return nil
}

func performed(element object, blockID, value any) object {
	action := object{"type": element["type"], "action_id": element["action_id"], "block_id": blockID}
	switch kindOf(element) {
	case "button", "icon_button", "workflow_button":
		return alsoWith(action, element, "text", "value", "style")
	case "feedback_buttons":
		for _, key := range []string{"positive_button", "negative_button"} {
			if b, ok := element[key].(object); ok && b["value"] == value {
				return alsoWith(action, b, "text", "value")
			}
		}
		return nil
	}
	held, err := filled(element, value)
	if err != nil || (isNothing(value) && mustChoose(element)) {
		return nil
	}
	return alsoWith(action, held, slices.Collect(maps.Keys(held))...)
}

// mustChoose reports whether using the element means to choose something: lists can be emptied, and texts.
func mustChoose(element object) bool {
	key := valueKey(kindOf(element))
	return !several(key) && key != "value"
}

// alsoWith is o with some fields of another object.
func alsoWith(o, other object, keys ...string) object {
	for _, key := range keys {
		if v, ok := other[key]; ok {
			o[key] = v
		}
	}
	return o
}

// interaction is what every interactive payload says: who did something to which app.
func (s *Server) interaction(kind string, p Person) object {
	return object{
		"type": kind, "api_app_id": s.cfg.App.ID, "token": s.hooks.verification,
		"user":       object{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": p.TeamID},
		"team":       object{"id": s.cfg.Team.ID, "domain": s.cfg.Team.Domain},
		"enterprise": nil, "is_enterprise_install": false,
	}
}

func (s *Server) actionPayload(p Person, channel Channel, m Message, action object, filled ViewState) object {
	h := s.hooks.open(hook{kind: "actions", channel: channel.ID, user: p.ID, original: m.TS}, s.cfg.Now())
	container := object{
		"type": "message", "message_ts": m.TS, "channel_id": channel.ID, "is_ephemeral": m.Ephemeral,
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload := s.interaction("block_actions", p)
	payload["container"] = container
	payload["channel"] = object{"id": channel.ID, "name": channel.payloadName()}
	payload["state"], payload["actions"] = filled, []object{action}
	payload["trigger_id"], payload["response_url"] = s.triggerID(p, ""), s.hookURL(h)
	// Slack leaves the message out when it is ephemeral: it does not keep those.
	if !m.Ephemeral {
		payload["message"] = s.messageView(m)
	}
	return payload
}

// replyTo is the thread that an answer beside m belongs in: none when m stands in the channel itself.
func replyTo(m Message) string {
	if m.ThreadTS == m.TS {
		return ""
	}
	return m.ThreadTS
}
