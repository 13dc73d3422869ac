package commands

import (
	"slices"
	"strconv"
	"strings"

	"tandem/diagnostics"
)

// CardFold stands for checks of one status that nobody needs to read one by one.
type CardFold struct {
	Status diagnostics.Status
	Text   string // how many they are, by the rooms of the chain
}

// fold parts the checks of a card into those that are worth a row and, by
// status, the others: all that are well or were not looked at, and those that
// are unseen for a reason that an earlier one has told.
func fold(card Card, w Words) (rows []CardCheck, folded []CardFold) {
	hidden := map[diagnostics.Status][]string{}
	for _, c := range card.Checks {
		if isFolded(card, c) {
			hidden[c.Status] = append(hidden[c.Status], c.Code)
		} else {
			rows = append(rows, c)
		}
	}
	for _, s := range []diagnostics.Status{diagnostics.Unknown, diagnostics.Skipped, diagnostics.Pass} {
		if codes := hidden[s]; len(codes) > 0 {
			folded = append(folded, CardFold{Status: s, Text: w.folded(s, codes)})
		}
	}
	return rows, folded
}

func isFolded(card Card, c CardCheck) bool {
	switch c.Status {
	case diagnostics.Fail, diagnostics.Warn:
		return false
	case diagnostics.Unknown:
		return !slices.ContainsFunc(card.Unseen, func(b CardBlind) bool { return b.Code == c.Code })
	default:
		return true
	}
}

func (w Words) folded(s diagnostics.Status, codes []string) string {
	rooms := strings.Join(rooms(codes), ", ")
	switch s {
	case diagnostics.Pass:
		return w.Count("folded_pass", len(codes), "Rooms", rooms)
	case diagnostics.Skipped:
		return w.Count("folded_skipped", len(codes), "Rooms", rooms)
	default:
		return w.Count("folded_unknown", len(codes), "Rooms", rooms)
	}
}

// rooms counts codes by what stands before their number: "VLT 5", "SPF 6".
func rooms(codes []string) []string {
	var names []string
	counts := map[string]int{}
	for _, code := range codes {
		room, _, _ := strings.Cut(code, "-")
		if counts[room] == 0 {
			names = append(names, room)
		}
		counts[room]++
	}
	for i, name := range names {
		names[i] = name + " " + strconv.Itoa(counts[name])
	}
	return names
}
