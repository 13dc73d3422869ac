package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"
)

// emit sends one event of the Events API, wrapped, and returns when its first delivery was acknowledged or was not. One
// that was not is redelivered in the background, with the same event id. Events that the app does not subscribe to, or
// may not know of, are not sent.
func (s *Server) emit(event object) error {
	if !s.subscribed(event) {
		return nil
	}
	return s.sendThroughWeather(s.wrapEvent(event))
}

// sendThroughWeather sends one event as often as the weather has it: usually once. The error is that of the first.
func (s *Server) sendThroughWeather(wrapped object) error {
	var first error
	for i, w := range s.weather.fate(wrapped) {
		if err := s.send(w); i == 0 {
			first = err
		}
	}
	return first
}

func (s *Server) send(wrapped object) error {
	_, err := s.deliver(s.ctx, newEnvelope("events_api", wrapped, false))
	if err != nil && redeliverable(err) {
		s.spawn(func() { s.redeliver(wrapped, err) })
	}
	return err
}

// redeliverable holds unless the app's answer forbids another try.
func redeliverable(err error) bool {
	var answer *httpError
	return !errors.As(err, &answer) || !answer.noRetry
}

// subscribed reports whether the app asked for events of this kind, and has one of the scopes for it.
func (s *Server) subscribed(event object) bool {
	name, _ := event["type"].(string)
	if kind, _ := event["channel_type"].(string); name == "message" {
		name = map[string]string{"im": "message.im", "channel": "message.channels", "group": "message.groups"}[kind]
	}
	if !slices.Contains(s.cfg.App.Events, name) {
		return false
	}
	scopes := eventScopes(name)
	return len(scopes) == 0 || slices.ContainsFunc(scopes, s.granted)
}

// eventScopes are the scopes of which an event needs one.
func eventScopes(name string) []string {
	switch name {
	case "app_mention":
		return []string{"app_mentions:read"}
	case "reaction_added", "reaction_removed":
		return []string{"reactions:read"}
	case "message.im":
		return []string{"im:history"}
	case "message.channels":
		return []string{"channels:history"}
	case "message.groups":
		return []string{"groups:history"}
	case "member_joined_channel", "member_left_channel", "channel_rename", "channel_archive", "channel_unarchive":
		return []string{"channels:read", "groups:read"}
	case "user_change":
		return []string{"users:read"}
	}
	return nil
}

func (s *Server) wrapEvent(event object) object {
	return object{
		"token": s.hooks.verification, "team_id": s.cfg.Team.ID, "context_team_id": s.cfg.Team.ID,
		"context_enterprise_id": nil, "api_app_id": s.cfg.App.ID, "event": event, "type": "event_callback",
		"event_id": newEventID(), "event_time": s.cfg.Now().Unix(), "event_context": "4-" + rand.Text(),
		"is_ext_shared_channel": s.isExtShared(event),
		"authorizations": []object{{
			"enterprise_id": nil, "team_id": s.cfg.Team.ID, "user_id": s.cfg.App.UserID, "is_bot": true,
			"is_enterprise_install": false,
		}},
	}
}

func newEventID() string { return "Ev" + rand.Text()[:10] }

// isExtShared reports whether the event happened in a channel that another organisation shares.
func (s *Server) isExtShared(event object) bool {
	id, _ := event["channel"].(string)
	if item, ok := event["item"].(object); ok {
		id, _ = item["channel"].(string)
	}
	c, ok := s.state.channel(id)
	return ok && c.IsExtShared
}

func (s *Server) redeliver(wrapped object, last error) {
	for i, wait := range s.timing.eventRetries {
		if !sleep(s.ctx, wait) {
			return
		}
		env := newEnvelope("events_api", wrapped, false)
		env.RetryAttempt, env.RetryReason = i+1, s.retryReason(last)
		if _, last = s.deliver(s.ctx, env); last == nil || !redeliverable(last) {
			return
		}
	}
	s.log.Warn("event lost: the app acknowledged no delivery", "event_id", wrapped["event_id"], "error", last)
}

// retryReason is Slack's word for what went wrong before; HTTP has words of its own.
func (s *Server) retryReason(err error) string {
	timeout := "timeout"
	if s.wiring.get().Mode == byHTTP {
		timeout = "http_timeout"
	}
	switch {
	case errors.Is(err, errNoAck):
		return timeout
	case errors.Is(err, errNotConnected):
		return "connection_failed"
	}
	return "http_error"
}

// sleep waits, or returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// mention is the event of a message that names the app, or nil. In direct messages a mention is no event of its own.
func (s *Server) mention(channel Channel, m Message) object {
	if channel.IsIM || !channel.has(s.cfg.App.UserID) || !strings.Contains(m.Text, "<@"+s.cfg.App.UserID) {
		return nil
	}
	return withThread(object{
		"type": "app_mention", "user": m.User, "ts": m.TS, "client_msg_id": newUUID(), "text": m.Text, "team": m.Team,
		"channel": channel.ID, "event_ts": m.TS,
	}, m)
}

// messageEvent is the event of a new message. Apps hear of their own ones too.
func messageEvent(channel Channel, m Message) object {
	event := withThread(object{
		"type": "message", "user": m.User, "ts": m.TS, "text": m.Text, "team": m.Team, "channel": channel.ID,
		"event_ts": m.TS, "channel_type": channel.eventType(),
	}, m)
	if m.BotID == "" {
		event["client_msg_id"] = newUUID()
	} else {
		event["bot_id"], event["app_id"] = m.BotID, m.AppID
	}
	if m.Blocks != nil {
		event["blocks"] = m.Blocks
	}
	if m.Files != nil {
		event["files"], event["subtype"] = m.Files, "file_share"
	}
	return event
}

func withThread(event object, m Message) object {
	if m.ThreadTS != "" {
		event["thread_ts"], event["parent_user_id"] = m.ThreadTS, m.ParentUserID
	}
	return event
}

func (c Channel) eventType() string {
	switch {
	case c.IsIM:
		return "im"
	case c.IsPrivate:
		return "group"
	}
	return "channel"
}

// heard tells the app what becomes of messages where it hears messages at all: its own new ones and every change. What
// people write anew, it was told when they wrote it.
func (s *Server) heard(channel Channel, h heard) {
	m := h.message
	if h.subtype == "message_deleted" {
		m = h.previous
	}
	if m.Ephemeral || !channel.has(s.cfg.App.UserID) || (h.subtype == "" && m.BotID == "") {
		return
	}
	event := messageEvent(channel, m)
	if h.subtype != "" {
		event = s.changeEvent(channel, h)
	}
	if s.subscribed(event) {
		s.spawn(func() { _ = s.emit(event) }) // what fails is sent again by itself
	}
}

func (s *Server) changeEvent(channel Channel, h heard) object {
	at := s.state.stamp()
	event := object{
		"type": "message", "subtype": h.subtype, "channel": channel.ID, "channel_type": channel.eventType(),
		"hidden": true, "ts": at, "event_ts": at, "previous_message": s.messageView(h.previous),
	}
	if h.subtype == "message_deleted" {
		event["deleted_ts"] = h.previous.TS
	} else {
		event["message"] = s.messageView(h.message)
	}
	return event
}
