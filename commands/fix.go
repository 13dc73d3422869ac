package commands

import (
	"maps"
	"slices"
	"strings"
)

// FixPage says what would mend a service, the causes first and each with a
// command to look by hand, and then what would let the bot see what it could
// not. The checks are the diagnoser's.
func FixPage(card Card, checks []CheckInfo, w Words) Page {
	page := Page{Heading(w.Say("fix_title", "Service", card.Target))}
	for _, cause := range card.Causes {
		page = append(page, fixCause(cause, card.Target, checks, w)...)
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

func fixCause(cause CardCause, service string, checks []CheckInfo, w Words) Page {
	page := Page{Heading(cause.Code + " · " + cause.Title)}
	if cause.Summary != "" {
		page = append(page, Paragraph(cause.Summary))
	}
	if cause.Remedy != "" {
		page = append(page, Paragraph(w.Say("label_remedy")+": "+cause.Remedy))
	}
	if len(cause.Fixes) > 0 {
		page = append(page, Paragraph(w.Say("fix_ask")), Code(strings.Join(w.asksFor(cause, service), "\n")))
	}
	if look := byHandOf(cause, checks); look != "" {
		page = append(page, Paragraph(w.Say("fix_by_hand")), Code(look))
	}
	return append(page, Paragraph(w.Say("fix_explain", "Code", cause.Code)))
}

// asksFor are the commands that ask for what a cause offers: the first by the
// check's code, the others by their names.
func (w Words) asksFor(cause CardCause, service string) []string {
	asks := []string{w.Prog + " fix " + cause.Code + " " + service}
	for _, fix := range cause.Fixes[1:] {
		ask := w.Prog + " fix " + fix.Remedy + " " + service
		for _, name := range slices.Sorted(maps.Keys(fix.Params)) {
			ask += " --param " + name + "=" + fix.Params[name]
		}
		asks = append(asks, ask)
	}
	return asks
}

// maxByHand is how many commands one cause is shown with.
const maxByHand = 3

// byHandOf is the commands that showed the cause, or else the check's.
func byHandOf(cause CardCause, checks []CheckInfo) string {
	var all []string
	for _, e := range cause.Evidence {
		if e.Invocation != "" && len(all) < maxByHand && !slices.Contains(all, e.Invocation) {
			all = append(all, e.Invocation)
		}
	}
	if len(all) > 0 {
		return strings.Join(all, "\n")
	}
	at := slices.IndexFunc(checks, func(c CheckInfo) bool { return c.Code == cause.Code })
	if at < 0 {
		return ""
	}
	return checks[at].Command
}
