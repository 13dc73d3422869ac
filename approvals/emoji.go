package approvals

import "slices"

// ChoiceOf says what a reaction means, by the name of its emoji, and whether it
// means anything.
func (p Policy) ChoiceOf(emoji string) (Choice, bool) {
	switch {
	case slices.Contains(p.Emojis(Approve), emoji):
		return Approve, true
	case slices.Contains(p.Emojis(Deny), emoji):
		return Deny, true
	}
	return "", false
}

// Emojis are the names of the emojis that say a choice, the usual one first.
func (p Policy) Emojis(c Choice) []string {
	names, usual := p.ApproveWith, "white_check_mark"
	if c == Deny {
		names, usual = p.DenyWith, "x"
	}
	if len(names) == 0 {
		return []string{usual}
	}
	return names
}
