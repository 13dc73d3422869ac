package commands

import (
	"regexp"
	"strings"
)

// ExplainPage is what a person on call wants to know of a check: what it means
// and breaks, what it said last, how to look by hand, and what to do. How it
// judges is on the CheckPage.
func ExplainPage(c CheckInfo, seen []Seen, w Words) Page {
	page := Page{Heading(c.Code + " " + c.Title.In(w.Lang)), Paragraph(w.Row(c.Row))}
	page = page.section("", c.Doc.Meaning, w)
	if len(seen) > 0 {
		page = append(page, Heading(w.Say("explain_seen")), lastSeen(seen, w))
	}
	page = page.section(w.Say("check_impact"), c.Doc.Impact, w)
	page = byHand(page, c, w)
	page = whatToDo(page, c, w)
	if len(c.Needs) > 0 {
		page = append(page, Heading(w.Say("check_needs")), Paragraph(strings.Join(c.Needs, ", ")))
	}
	return append(page, Paragraph(w.Say("explain_more", "Code", c.Code)))
}

// maxSeen is how many services an explanation tells of.
const maxSeen = 10

func lastSeen(seen []Seen, w Words) List {
	var list List
	for _, s := range seen[:min(len(seen), maxSeen)] {
		text := w.Say("explain_said", "Status", w.Status(s.Status), "Ago", Short(s.Ago))
		said := lines(visible(strings.TrimSpace(s.Summary.In(w.Lang))), w.BecauseOf(s.Because))
		list = append(list, Item{Name: s.Service, Text: lines(text, said)})
	}
	return list
}

func byHand(page Page, c CheckInfo, w Words) Page {
	text := strings.TrimSpace(c.Doc.Diagnosis.In(w.Lang))
	if text == "" && c.Command == "" {
		return page
	}
	page = append(page, Heading(w.Say("check_diagnosis")))
	if text != "" {
		page = append(page, Paragraph(text))
	}
	if c.Command != "" {
		page = append(page, Code(c.Command))
	}
	return page
}

// whatToDo says what helps in general, then what helps against each finding.
func whatToDo(page Page, c CheckInfo, w Words) Page {
	text := strings.TrimSpace(c.Doc.Mitigation.In(w.Lang))
	var list List
	for _, o := range c.Outcomes {
		if remedy := strings.TrimSpace(o.Remedy.In(w.Lang)); remedy != "" {
			found := withoutExpressions(strings.TrimSpace(o.Summary.In(w.Lang)))
			list = append(list, Item{Name: w.Status(o.Status), Text: lines(found, "→ "+withoutExpressions(remedy))})
		}
	}
	if text == "" && len(list) == 0 {
		return page
	}
	page = append(page, Heading(w.Say("check_mitigation")))
	if text != "" {
		page = append(page, Paragraph(text))
	}
	if len(list) > 0 {
		page = append(page, list)
	}
	return page
}

// expression matches what a catalogue's text leaves to a report to fill in.
var expression = regexp.MustCompile(`\$\{[^{}]*\}`)

// fieldOnly matches an expression that names one fact.
var fieldOnly = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`)

// withoutExpressions names what a report would fill in: "<peer name>" for
// ${service.peer.name}.
func withoutExpressions(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		e = strings.TrimSpace(e[2 : len(e)-1])
		switch {
		case e == "service.name":
			return "<service>"
		case !fieldOnly.MatchString(e):
			return "…"
		}
		if own, ok := strings.CutPrefix(e, "service."); ok {
			e = strings.ReplaceAll(own, ".", " ")
		}
		return "<" + strings.ReplaceAll(e[strings.LastIndex(e, ".")+1:], "_", " ") + ">"
	})
}
