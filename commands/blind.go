package commands

import (
	"strings"

	"tandem/diagnostics"
)

// blinds gathers the checks that nobody could see by what hid them: one broken
// connection hides many checks, and is worth saying once.
type blinds []*blindGroup

type blindGroup struct {
	blind CardBlind
	key   string
	also  []string // codes of the other checks that it hides
}

func (b *blinds) add(c CardCheck, e *diagnostics.BlindError, w Words) {
	if e == nil { // a check whose own judgement is that it cannot tell
		*b = append(*b, &blindGroup{blind: CardBlind{Code: c.Code, Title: c.Title, Why: c.Summary, Next: c.Remedy, Because: c.Because}})
		return
	}
	detail := visible(e.Detail)
	next := visible(e.Next.In(w.Lang))
	key := strings.Join([]string{string(e.Reason), detail, next}, "\x00")
	for _, g := range *b {
		if g.key == key || e.Gate != "" && g.blind.Code == e.Gate {
			g.also = append(g.also, c.Code)
			return
		}
	}
	blind := CardBlind{Code: c.Code, Title: c.Title, Why: w.Reason(e.Reason), Next: next, Because: c.Because}
	if detail != "" {
		blind.Why += ": " + detail
	}
	*b = append(*b, &blindGroup{blind: blind, key: key})
}

// say returns what was gathered, in the order of the chain.
func (b blinds) say(w Words) []CardBlind {
	var all []CardBlind
	for _, g := range b {
		if len(g.also) > 0 {
			g.blind.Why += "\n" + w.Say("also_unseen", "Codes", strings.Join(g.also, ", "))
		}
		all = append(all, g.blind)
	}
	return all
}
