package approvals

import (
	"context"
	"errors"

	"tandem/i18n"
)

// both is a text in both languages.
func both(en, pt string) i18n.Text { return i18n.Text{EN: en, PT: pt} }

// same is what is the same in every language: a name, an id, a number.
func same(text string) i18n.Text { return i18n.Text{EN: text, PT: text} }

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
