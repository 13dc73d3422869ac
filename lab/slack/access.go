package slack

import (
	"fmt"
	"slices"
	"sync"
)

// access is what the app's tokens open. It changes while the workspace runs, as an admin changes it.
type access struct {
	mu     sync.Mutex
	scopes []string
	state  map[string]string // of a token, by kind: the error that it ends in; nothing is well
}

const botToken = "bot"

func newAccess(scopes []string) *access { return &access{scopes: scopes, state: map[string]string{}} }

func (a *access) granted() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.scopes
}

func (a *access) refusal(kind string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state[kind]
}

func (a *access) change(t TokenChange, refusal string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.State != "" {
		a.state[t.Token] = refusal
	}
	if t.Scopes != nil {
		a.scopes = slices.Clone(t.Scopes)
	}
}

// TokenChange is what an admin does to the app's tokens. Token is "bot" (the default) or "app"; State is "ok", "revoked",
// "expired" or "inactive"; Scopes replace those of the bot token. What is left out stays.
type TokenChange struct {
	Token  string   `json:"token"`
	State  string   `json:"state"`
	Scopes []string `json:"scopes"`
}

// Token changes what the app's tokens open. An app whose bot token is revoked hears tokens_revoked.
func (s *Server) Token(t TokenChange) Outcome {
	return s.timed(func() (string, error) { return "", s.changeToken(t) })
}

func (s *Server) changeToken(t TokenChange) error {
	refusal, known := map[string]string{
		"": "", "ok": "", "revoked": "token_revoked", "expired": "token_expired", "inactive": "account_inactive",
	}[t.State]
	orElse(&t.Token, botToken)
	switch {
	case !known:
		return fmt.Errorf("state: %q is none of ok, revoked, expired, inactive", t.State)
	case t.Token != botToken && t.Token != appToken:
		return fmt.Errorf("token: %q is neither bot nor app", t.Token)
	}
	s.access.change(t, refusal)
	if t.State == "revoked" && t.Token == botToken {
		return s.emit(object{"type": "tokens_revoked", "tokens": object{"oauth": []string{}, "bot": []string{s.cfg.App.UserID}}})
	}
	return nil
}

func (s *Server) granted(scope string) bool { return slices.Contains(s.access.granted(), scope) }

// mayUse refuses what needs a scope for this kind of conversation: channels:read, groups:history, im:write.
func (s *Server) mayUse(c Channel, verb string) error {
	return s.needs(c.family() + ":" + verb)
}

func (s *Server) needs(scopes ...string) error {
	if len(scopes) == 0 || slices.ContainsFunc(scopes, s.granted) {
		return nil
	}
	return &apiError{code: "missing_scope", needed: scopes[:1], provided: s.access.granted()}
}

func (s *Server) authenticate(m method, token string) error {
	kind, right, wrong := botToken, s.cfg.BotToken, s.cfg.AppToken
	if m.token == appToken {
		kind, right, wrong = appToken, wrong, right
	}
	switch token {
	case "":
		return refuse("not_authed")
	case right:
		if code := s.access.refusal(kind); code != "" {
			return refuse(code)
		}
		return nil
	case wrong:
		return refuse("not_allowed_token_type")
	}
	return refuse("invalid_auth")
}
