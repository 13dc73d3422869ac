package slack

import (
	"context"
	"encoding/json"
	"net/http"
)

// labRoutes are the doors for tests, and for people with curl. The page uses them too.
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
	mux.HandleFunc("PUT /lab/app", deed(s, s.Rewire))
	mux.HandleFunc("POST /lab/socket", deed(s, s.Socket))
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

// SocketAction is weather for Socket Mode: "disconnect" asks every websocket to refresh, "kill" cuts them all.
type SocketAction struct {
	Action string `json:"action"`
}

// Socket makes the weather.
func (s *Server) Socket(a SocketAction) Outcome {
	conns := s.hub.all()
	switch a.Action {
	case "disconnect":
		for _, c := range conns {
			s.spawn(func() { c.refresh(s.ctx) })
		}
	case "kill":
		for _, c := range conns {
			c.kill()
		}
	default:
		return Outcome{Error: `action must be "disconnect" or "kill"`}
	}
	return Outcome{}
}
