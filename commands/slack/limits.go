package slack

import "unicode/utf8"

// Slack's limits, in characters of the text as it is sent, and the smaller
// ones that this face keeps to. Slack refuses the whole message when one is
// passed, so that everything goes through fit.
const (
	maxBlocks     = 50     // blocks of a message
	maxHeader     = 150    // text of a header
	maxSection    = 3000   // text of a section
	maxContext    = 2000   // text of one element of a context
	maxButton     = 75     // text of a button
	maxValue      = 2000   // value of a button
	maxTitle      = 24     // title and buttons of a modal
	maxOption     = 75     // text of an option of a menu
	maxOptions    = 100    // of a menu
	maxTyped      = 200    // what one types into a line of a modal
	maxReason     = 600    // of what one types as a reason
	maxTableRows  = 100    // rows of a table, its heading among them
	maxFieldError = 300    // what is wrong with a field of a modal
	maxHome       = 100    // blocks of a Home tab
	maxFallback   = 3000   // the text beside the blocks; chat.update refuses 4,000
	maxMessage    = 12_000 // text of all blocks of a message together

	// messageBudget leaves room for what Slack may count beyond our sum.
	messageBudget = 11_000
)

// ellipsis marks a text that was cut.
const ellipsis = "…"

// size is the length of a text as Slack's limits count it: in UTF-16 units,
// which is never less than a count of code points.
func size(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// fit is the one place where text is shortened. It renders s and, when the
// result is longer than limit, cuts s itself and puts the notice behind it, so
// that neither an entity nor a code span is torn and the reader sees that
// something is missing. A notice longer than the limit is cut in its turn.
func fit(s string, limit int, notice string, render func(string) string) string {
	if len(s) <= 8*limit { // longer ones need not be rendered to know
		if whole := render(s); size(whole) <= limit {
			return whole
		}
	}
	if size(render(notice)) > limit {
		notice = ""
	}
	cuts := boundaries(s, limit)
	low, high := 0, len(cuts)-1 // cuts[low] fits, or is the empty text
	for low < high {
		middle := (low + high + 1) / 2
		if size(render(s[:cuts[middle]]+notice)) <= limit {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return render(s[:cuts[low]] + notice)
}

// boundaries returns where s can be cut: before each of its first runes.
func boundaries(s string, runes int) []int {
	cuts := make([]int, 0, min(len(s), runes)+1)
	at := 0
	for at < len(s) && len(cuts) <= runes {
		cuts = append(cuts, at)
		_, width := utf8.DecodeRuneInString(s[at:])
		at += width
	}
	return append(cuts, at)
}
