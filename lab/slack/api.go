package slack

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reply is the body of an answer of the Web API; "ok" is added.
type reply map[string]any

// call is one request to a method: who asks is always the app.
type call struct {
	ctx  context.Context
	args args
}

// method is one row of the Web API.
type method struct {
	name string
	// scopes are alternatives: the token needs one of them. None means that any token will do.
	scopes []string
	tier   tier
	// token says which kind of token opens the method; empty means the bot's.
	token string
	// formOnly marks the methods that take no JSON, which are those that change nothing and those of files: a JSON body is
	// not looked at, so that everything in it is missing.
	formOnly bool
	handle   func(call) (reply, error)
}

const appToken = "app"

// methods is the whole Web API of this workspace. Anything else is unknown_method.
func (s *Server) methods() []method {
	return slices.Concat(s.socketMethods(), s.authMethods(), s.chatMethods(), s.conversationMethods(), s.userMethods(),
		s.usergroupMethods(), s.reactionMethods(), s.fileMethods(), s.viewMethods(), s.teamMethods())
}

// serveAPI answers POST /api/METHOD.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	name := r.PathValue("method")
	req, err := parseArgs(r)
	var body reply
	if err == nil {
		body, err = s.answer(r.Context(), name, req)
	}
	if err == nil {
		body = body.warned(req.warning)
	}
	s.state.record(Call{
		At: s.cfg.Now().UTC(), Method: name, Args: req.args.logged(), Error: codeOf(err),
		TookMS: float64(time.Since(started).Microseconds()) / 1000,
	})
	s.writeReply(w, name, body, err)
}

// warned is the answer with what Slack grumbles about: the call was done nevertheless.
func (b reply) warned(warning string) reply {
	if warning == "" {
		return b
	}
	if b == nil {
		b = reply{}
	}
	metadata, _ := b["response_metadata"].(object)
	if metadata == nil {
		metadata = object{}
	}
	metadata["warnings"] = []string{warning}
	b["warning"], b["response_metadata"] = warning, metadata
	return b
}

func (s *Server) answer(ctx context.Context, name string, req apiRequest) (reply, error) {
	m, ok := s.api[name]
	if !ok {
		return nil, refuse("unknown_method")
	}
	if err := s.authenticate(m, req.token); err != nil {
		return nil, err
	}
	if err := s.needs(m.scopes...); err != nil {
		return nil, err
	}
	if wait := s.rates.take(m, req.args.str("channel")); wait > 0 {
		return nil, &apiError{code: "ratelimited", retryAfter: wait}
	}
	if m.formOnly && req.json {
		req.args = args{}
	}
	return m.handle(call{ctx: ctx, args: req.args})
}

// writeReply answers as Slack does: 200 for every refusal but the rate limit's 429.
func (s *Server) writeReply(w http.ResponseWriter, name string, body reply, err error) {
	var refused *apiError
	switch {
	case err == nil:
		if body == nil {
			body = reply{}
		}
		body["ok"] = true
	case errors.As(err, &refused):
		body = refused.body()
	default:
		s.log.Error("answer API call", "method", name, "error", err)
		body = reply{"ok": false, "error": "internal_error"}
	}
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.access.granted(), ","))
	status := http.StatusOK
	if refused != nil && refused.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refused.retryAfter.Seconds()))))
		status = http.StatusTooManyRequests
	}
	s.writeJSON(w, status, body)
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		s.log.Error("marshal answer", "error", err)
		http.Error(w, `{"ok":false,"error":"internal_error"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(append(raw, '\n')); err != nil {
		s.log.Debug("write answer", "error", err)
	}
}
