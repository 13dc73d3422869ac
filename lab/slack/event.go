package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
)

// emit sends one event of the Events API, wrapped, and returns when its first delivery was acknowledged or was not. One
// that was not is redelivered in the background, with the same event id.
func (s *Server) emit(event object) error {
	wrapped := s.wrapEvent(event)
	_, err := s.hub.deliver(s.ctx, newEnvelope("events_api", wrapped, false))
	if err != nil {
		s.spawn(func() { s.redeliver(wrapped, err) })
	}
	return err
}

func (s *Server) wrapEvent(event object) object {
	return object{
		"token": s.hooks.verification, "team_id": s.cfg.Team.ID, "context_team_id": s.cfg.Team.ID,
		"context_enterprise_id": nil, "api_app_id": s.cfg.App.ID, "event": event, "type": "event_callback",
		"event_id": "Ev" + rand.Text()[:10], "event_time": s.cfg.Now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []object{{
			"enterprise_id": nil, "team_id": s.cfg.Team.ID, "user_id": s.cfg.App.UserID, "is_bot": true,
			"is_enterprise_install": false,
		}},
	}
}

func (s *Server) redeliver(wrapped object, last error) {
	for i, wait := range s.timing.eventRetries {
		if !sleep(s.ctx, wait) {
			return
		}
		env := newEnvelope("events_api", wrapped, false)
		env.RetryAttempt, env.RetryReason = i+1, retryReason(last)
		if _, last = s.hub.deliver(s.ctx, env); last == nil {
			return
		}
	}
	s.log.Warn("event lost: the app acknowledged no delivery", "event_id", wrapped["event_id"], "error", last)
}

func retryReason(err error) string {
	if errors.Is(err, errNoAck) {
		return "timeout"
	}
	return "connection_failed"
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

// mention is the event of a message that names the app, or nil.
func (s *Server) mention(channel Channel, m Message) object {
	if !channel.has(s.cfg.App.UserID) || !strings.Contains(m.Text, "<@"+s.cfg.App.UserID) {
		return nil
	}
	event := object{
		"type": "app_mention", "user": m.User, "ts": m.TS, "client_msg_id": newUUID(), "text": m.Text, "team": m.Team,
		"channel": channel.ID, "event_ts": m.TS,
	}
	if m.ThreadTS != "" {
		event["thread_ts"], event["parent_user_id"] = m.ThreadTS, m.ParentUserID
	}
	return event
}
