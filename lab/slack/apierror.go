package slack

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// apiError is a refusal in Slack's own words.
type apiError struct {
	code       string
	messages   []string // response_metadata.messages
	needed     []string // the scopes of missing_scope
	provided   []string
	retryAfter time.Duration // of ratelimited
}

func (e *apiError) Error() string {
	if len(e.messages) > 0 {
		return e.code + ": " + strings.Join(e.messages, "; ")
	}
	return e.code
}

func refuse(code string) error { return &apiError{code: code} }

// invalidArguments is Slack's refusal of an argument, with the place of it.
func invalidArguments(problem, pointer string) error {
	return &apiError{code: "invalid_arguments", messages: []string{fmt.Sprintf(pointerFormat, problem, pointer)}}
}

// codeOf is the error code that the caller of the API reads.
func codeOf(err error) string {
	var refused *apiError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.code
	}
	return "internal_error"
}

// body is the refusal as Slack's JSON.
func (e *apiError) body() reply {
	b := reply{"ok": false, "error": e.code}
	if len(e.messages) > 0 {
		b["errors"] = e.messages
		b["response_metadata"] = map[string]any{"messages": e.messages}
	}
	if len(e.needed) > 0 {
		b["needed"], b["provided"] = strings.Join(e.needed, ","), strings.Join(e.provided, ",")
	}
	return b
}

// problemsOf are the messages of a refusal.
func problemsOf(err error) []string {
	var refused *apiError
	if errors.As(err, &refused) {
		return refused.messages
	}
	return nil
}
