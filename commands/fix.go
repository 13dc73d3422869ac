package commands

import (
	"slices"
	"strings"
)

// FixPage says what would mend a service, the causes first and each with a
// command to look by hand, and then what would let the bot see what it could
// not. The checks are the diagnoser's.
func FixPage(card Card, checks []CheckInfo, w Words) Page {
	page := Page{Heading(w.Say("fix_title", "Service", card.Target))}
	for _, cause := range card.Causes {
		page = append(page, fixCause(cause, checks, w)...)
	}
	var unseen List
	for _, b := range card.Unseen {
		if b.Next != "" {
			unseen = append(unseen, Item{Name: b.Code, Text: b.Next})
		}
	}
	if len(unseen) > 0 {
		page = append(page, Heading(card.Words.Unseen), unseen)
	}
	return page
}

func fixCause(cause CardCause, checks []CheckInfo, w Words) Page {
	page := Page{Heading(cause.Code + " · " + cause.Title)}
	if cause.Summary != "" {
		page = append(page, Paragraph(cause.Summary))
	}
	if cause.Remedy != "" {
		page = append(page, Paragraph(w.Say("label_remedy")+": "+cause.Remedy))
	}
	if command := probeOf(cause, checks); command != "" {
		page = append(page, Paragraph(w.Say("fix_by_hand")), Code(command))
	}
	return append(page, Paragraph(w.Say("fix_explain", "Code", cause.Code)))
}

// probeOf is the command that showed the cause, or else the check's.
func probeOf(cause CardCause, checks []CheckInfo) string {
	for _, e := range cause.Evidence {
		if strings.TrimSpace(e.Invocation) != "" {
			return e.Invocation
		}
	}
	at := slices.IndexFunc(checks, func(c CheckInfo) bool { return c.Code == cause.Code })
	if at < 0 {
		return ""
	}
	return checks[at].Command
}
