package approvals

import (
	"context"
	"errors"
	"maps"
	"strings"
	"unicode"
)

// refused is what was refused to whom.
type refused struct {
	what    string // ask, vote, cancel, freeze, unfreeze
	by      string
	via     Via
	channel string
	request Request // zero when there is none
	detail  map[string]string
}

// refuse audits a refusal and returns it. Any other error is returned as it is.
// What could not be audited is an error of the store.
func (s *Service) refuse(ctx context.Context, err error, what refused) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	detail := map[string]string{KeyWhat: what.what, KeyWhy: string(r.Why), KeyDetail: tidy(r.Detail.EN)}
	maps.Copy(detail, what.detail)
	n := s.note(what.request, DeedRefused, detail).by(what.by, what.via, what.channel)
	if err := s.commit(ctx, Change{Notes: []Note{n}}); err != nil {
		return err
	}
	return r
}

// longestWords bounds what people may say in a reason.
const longestWords = 1000

// tidy is a text of a person, without what would change how others read it:
// control characters, and those that turn the direction of writing.
func tidy(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	if runes := []rune(text); len(runes) > longestWords {
		return string(runes[:longestWords]) + "…"
	}
	return text
}
