package slack

import "slices"

// UseShortcut is a person choosing a shortcut of the app: in the menu of a message, or a global one when TS is empty.
type UseShortcut struct {
	User       string `json:"user"`
	Channel    string `json:"channel"`
	TS         string `json:"ts"`
	CallbackID string `json:"callback_id"`
}

// Shortcut sends message_action, or shortcut for a global one, to the app and waits for its acknowledgement.
func (s *Server) Shortcut(u UseShortcut) Outcome {
	return s.timed(func() (string, error) {
		if u.TS == "" {
			return "", s.globalShortcut(u)
		}
		return u.TS, s.messageShortcut(u)
	})
}

func (s *Server) hasShortcut(kind, callback string) bool {
	return slices.ContainsFunc(s.cfg.App.Shortcuts, func(sc Shortcut) bool {
		return sc.Type == kind && sc.CallbackID == callback
	})
}

func (s *Server) globalShortcut(u UseShortcut) error {
	p, err := s.human(u.User)
	if err != nil {
		return err
	}
	if !s.hasShortcut("global", u.CallbackID) || s.foreign(p) {
		return refuse("shortcut_not_found")
	}
	payload := s.interaction("shortcut", p)
	payload["callback_id"], payload["action_ts"] = u.CallbackID, s.state.stamp()
	payload["trigger_id"] = s.triggerID(p, "")
	return s.interact(payload)
}

func (s *Server) messageShortcut(u UseShortcut) error {
	p, channel, err := s.actor(u.User, u.Channel)
	if err != nil {
		return err
	}
	m, ok := s.state.standing(channel.ID, u.TS)
	switch {
	case !s.hasShortcut("message", u.CallbackID) || s.foreign(p):
		return refuse("shortcut_not_found")
	case !ok:
		return refuse("message_not_found")
	}
	h := s.hooks.open(hook{kind: "app", channel: channel.ID, user: p.ID}, s.cfg.Now())
	payload := s.interaction("message_action", p)
	payload["callback_id"], payload["action_ts"] = u.CallbackID, s.state.stamp()
	payload["trigger_id"], payload["response_url"] = s.triggerID(p, ""), s.hookURL(h)
	payload["channel"] = object{"id": channel.ID, "name": channel.payloadName()}
	payload["message_ts"], payload["message"] = m.TS, s.messageView(m)
	if err := s.interact(payload); err != nil {
		s.state.post(channel.ID, whisper(p, replyTo(m), s.cfg.App.Name+" could not be reached ("+err.Error()+"). Try again."))
		return err
	}
	return nil
}
