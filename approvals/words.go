package approvals

import (
	"context"
	"errors"
)

// words are what may be said of an error: the text of a *Trouble or of a
// *Refusal, which were made of known words, and else only its kind.
func words(err error) string {
	var trouble *Trouble
	var refusal *Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &trouble):
		return tidy(trouble.Text)
	case errors.As(err, &refusal):
		return tidy(refusal.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "stopped in the middle"
	default:
		return "an error whose text is not repeated, since it may quote a server"
	}
}
