package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// labRoutes are the doors for tests, and for people with curl. The page uses them too. Each takes a JSON object, the
// argument of the Go method of the same name, and answers an Outcome. Users and channels are ids or names; the channel
// "@tandem" is the direct messages with the app.
//
//	GET    /lab/state[?user=U]  Snapshot: everything, or what one person sees
//	GET    /lab/stream?user=U   the same, and then each change, as server-sent events
//
// What people do:
//
//	POST /lab/say       {user, channel, text, thread_ts}                  a message or a slash command
//	POST /lab/react     {user, channel, ts, reaction, remove}
//	POST /lab/click     {user, channel, ts, action_id, value} or {user, view_id, action_id, value}
//	POST /lab/shortcut  {user, channel, ts, callback_id}                  without ts a global one
//	POST /lab/submit    {user, view_id, values: {block_id: {action_id: value}}}, answers errors by block_id
//	POST /lab/close     {user, view_id, all}
//	POST /lab/home      {user, tab: home | messages}
//
// What admins, settings and Slack itself do:
//
//	POST /lab/member    {action: join | leave, user, channel, inviter}
//	POST /lab/channel   {channel, archive, rename, topic, new_id, posting_restricted}
//	POST /lab/person    {user, deleted, is_restricted, is_bot, team_id, locale, ...}
//	POST /lab/usergroup {group, users: [user], disabled}
//	POST /lab/token     {token: bot | app, state: ok | revoked | expired | inactive, scopes: [scope]}
//	POST /lab/event     {event: {type, ...}}                              any event, known or not
//	POST /lab/sslcheck  {}
//	PUT  /lab/app       {delivery: socket | http, commands_url, interactive_url, events_url}
//
// Bad weather:
//
//	POST, GET, DELETE /lab/faults  see Faults; each POST replaces what was there
//	POST /lab/socket    {action: warning | refresh_requested | link_disabled | too_many_websockets | kill}
func (s *Server) labRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /lab/state", func(w http.ResponseWriter, r *http.Request) {
		s.writeJSON(w, http.StatusOK, s.State(r.FormValue("user")))
	})
	mux.HandleFunc("POST /lab/say", deed(s, s.Say))
	mux.HandleFunc("POST /lab/react", deed(s, s.React))
	mux.HandleFunc("POST /lab/click", deed(s, s.Click))
	mux.HandleFunc("POST /lab/shortcut", deed(s, s.Shortcut))
	mux.HandleFunc("POST /lab/submit", deed(s, s.Submit))
	mux.HandleFunc("POST /lab/close", deed(s, s.CloseView))
	mux.HandleFunc("POST /lab/home", deed(s, s.Home))
	mux.HandleFunc("POST /lab/member", deed(s, s.Member))
	mux.HandleFunc("POST /lab/channel", deed(s, s.ChangeChannel))
	mux.HandleFunc("POST /lab/person", deed(s, s.ChangePerson))
	mux.HandleFunc("POST /lab/event", deed(s, s.Event))
	mux.HandleFunc("POST /lab/sslcheck", deed(s, s.SSLCheck))
	mux.HandleFunc("POST /lab/faults", deed(s, s.SetFaults))
	mux.HandleFunc("GET /lab/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.writeJSON(w, http.StatusOK, s.Weather())
	})
	mux.HandleFunc("DELETE /lab/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.writeJSON(w, http.StatusOK, s.SetFaults(Faults{}))
	})
	mux.HandleFunc("PUT /lab/app", deed(s, s.Rewire))
	mux.HandleFunc("POST /lab/socket", deed(s, s.Socket))
	mux.HandleFunc("POST /lab/token", deed(s, s.Token))
	mux.HandleFunc("POST /lab/usergroup", deed(s, s.ChangeGroup))
}

// deed serves one thing that a person does: JSON in, its outcome out.
func deed[T any](s *Server, do func(T) Outcome) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var what T
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&what); err != nil {
			s.writeJSON(w, http.StatusBadRequest, Outcome{Error: "send a JSON object: " + err.Error()})
			return
		}
		s.writeJSON(w, http.StatusOK, do(what))
	}
}

// State is the whole workspace; with a user (id or name), only what that person sees.
func (s *Server) State(user string) Snapshot {
	if p, ok := s.state.person(user); ok && user != "" {
		user = p.ID
	}
	snap := s.state.snapshot(user)
	snap.Delivery = s.wiring.get()
	return snap
}

// Rewire changes how the app is reached. What is left out stays. An events URL must echo a challenge: when it does not,
// the outcome says so, and the workspace asks again before the next event.
func (s *Server) Rewire(to Delivery) Outcome {
	return s.timed(func() (string, error) {
		next := s.wiring.get()
		orElse(&to.Mode, next.Mode)
		orElse(&to.CommandsURL, next.CommandsURL)
		orElse(&to.InteractiveURL, next.InteractiveURL)
		orElse(&to.EventsURL, next.EventsURL)
		if err := to.check(s.cfg.SigningSecret); err != nil {
			return "", err
		}
		s.wiring.set(to)
		if to.Mode != byHTTP {
			return "", nil
		}
		ctx, cancel := context.WithTimeout(s.ctx, s.timing.ackLimit)
		defer cancel()
		return "", s.outbound.challenge(ctx, to.EventsURL, s.hooks.verification)
	})
}

// SocketAction is weather for Socket Mode: "warning", "refresh_requested" (or "disconnect"), "link_disabled" and
// "too_many_websockets" are Slack's reasons to go, told to every websocket; "kill" cuts them all without a word.
type SocketAction struct {
	Action string `json:"action"`
}

// Socket makes the weather.
func (s *Server) Socket(a SocketAction) Outcome {
	if a.Action == "disconnect" {
		a.Action = "refresh_requested"
	}
	known := []string{"warning", "refresh_requested", "link_disabled", "too_many_websockets", "kill"}
	if !slices.Contains(known, a.Action) {
		return Outcome{Error: "action must be one of " + strings.Join(known, ", ")}
	}
	for _, c := range s.hub.all() {
		if a.Action == "kill" {
			c.kill()
			continue
		}
		c.disconnect(s.ctx, a.Action)
		if c.leaving() {
			s.spawn(func() { c.hangUp(s.ctx, a.Action) })
		}
	}
	return Outcome{}
}
