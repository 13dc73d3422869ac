package slack

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	hookUses = 5
	hookLife = 30 * time.Minute
	// hookMemory is how long the workspace tells an expired response_url from one that never was.
	hookMemory = 2 * hookLife
)

// hook is one response_url: where its answers go and on whose behalf.
type hook struct {
	id, secret string
	kind       string // commands or actions
	channel    string
	user       string
	original   string // the ts of the message that was acted on
	uses       int
	until      time.Time
}

// hooks holds every response_url, and the verification token that old apps look at.
type hooks struct {
	verification string

	mu    sync.Mutex
	known expiring[*hook]
}

func newHooks() *hooks {
	return &hooks{verification: rand.Text(), known: newExpiring[*hook](hookMemory)}
}

func (hs *hooks) open(h hook, now time.Time) hook {
	h.id, h.secret, h.until = rand.Text()[:11], rand.Text(), now.Add(hookLife)
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.known.put(h.id, &h, now)
	return h
}

// use counts one use of a hook, or refuses it.
func (hs *hooks) use(id, secret string, now time.Time) (hook, error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h, ok := hs.known.get(id)
	switch {
	case !ok || h.secret != secret:
		return hook{}, refuse("invalid_token")
	case !now.Before(h.until):
		return hook{}, refuse("expired_url")
	case h.uses == hookUses:
		return hook{}, refuse("used_url")
	}
	h.uses++
	return *h, nil
}

func (s *Server) hookURL(h hook) string {
	return s.URL() + "/hooks/" + h.kind + "/" + h.id + "/" + h.secret
}

// serveHook is POST to a response_url.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	h, err := s.hooks.use(r.PathValue("id"), r.PathValue("secret"), s.cfg.Now())
	if err != nil {
		s.writeJSON(w, http.StatusNotFound, reply{"ok": false, "error": codeOf(err)})
		return
	}
	var body json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&body); err != nil {
		s.writeJSON(w, http.StatusBadRequest, reply{"ok": false, "error": "invalid_payload"})
		return
	}
	if err := s.respond(h, body); err != nil {
		s.writeJSON(w, http.StatusBadRequest, reply{"ok": false, "error": codeOf(err)})
		return
	}
	s.writeJSON(w, http.StatusOK, reply{"ok": true})
}

// respond does what a response asks for: the payload of an acknowledgement, or the body of a POST to a response_url.
// An acknowledgement without a payload asks for nothing.
func (s *Server) respond(h hook, raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "{}" {
		return nil
	}
	a := args{}
	if err := json.Unmarshal(raw, &a); err != nil {
		return refuse("invalid_payload")
	}
	if a.flag("delete_original") && h.original != "" {
		s.state.remove(h.channel, h.original)
		return nil
	}
	if _, ok := s.state.channel(h.channel); !ok {
		return refuse("channel_not_found") // it has got another id since
	}
	said, err := readContent(a)
	if err != nil {
		return err
	}
	if a.flag("replace_original") && h.original != "" {
		return s.replaceOriginal(h, said)
	}
	return s.postResponse(h, said, a)
}

func (s *Server) replaceOriginal(h hook, said content) error {
	if said.empty() {
		return refuse("no_text")
	}
	said.hasBlocks = true // a replacement replaces everything
	if _, ok := s.state.rewrite(h.channel, h.original, s.cfg.App.UserID, said.onto); !ok {
		return refuse("message_not_found")
	}
	return nil
}

func (s *Server) postResponse(h hook, said content, a args) error {
	m, err := s.message(said)
	if err != nil {
		return err
	}
	m.ThreadTS = a.str("thread_ts")
	if a.str("response_type") != "in_channel" {
		m.Ephemeral, m.VisibleTo = true, h.user
	}
	s.state.post(h.channel, m)
	return nil
}
