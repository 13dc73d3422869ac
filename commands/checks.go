package commands

import (
	"strings"

	"tandem/diagnostics"
)

// ChecksPage lists the checks by the rows of the runbook's matrix.
func ChecksPage(checks []CheckInfo, w Words) Page {
	page := Page{Heading(w.Say("checks_title"))}
	for row := range rows {
		var list List
		for _, c := range checks {
			if c.Row == row {
				list = append(list, Item{Name: c.Code, Text: c.Title.In(w.Lang)})
			}
		}
		if len(list) > 0 {
			page = append(page, Heading(w.Row(row)), list)
		}
	}
	return append(page, Paragraph(w.Say("checks_more")))
}

// rows is the number of rows of the matrix, with the gates before them as row 0.
const rows = 6

// Row names a row of the runbook's matrix; 0 stands for the gates before it.
func (w Words) Row(row int) string {
	switch row {
	case 1:
		return w.Say("row_1")
	case 2:
		return w.Say("row_2")
	case 3:
		return w.Say("row_3")
	case 4:
		return w.Say("row_4")
	case 5:
		return w.Say("row_5")
	default:
		return w.Say("row_0")
	}
}

// CheckPage says how a check works: what it means, what it reads, how it judges,
// and what would mend what it finds.
func CheckPage(c CheckInfo, w Words) Page {
	page := Page{
		Heading(c.Code + " " + c.Title.In(w.Lang)),
		Paragraph(w.Row(c.Row)),
	}
	page = page.section("", c.Doc.Meaning, w)
	page = page.section(w.Say("check_impact"), c.Doc.Impact, w)
	if c.Applies != "" {
		page = append(page, Heading(w.Say("check_applies")), Code(c.Applies))
	}
	if len(c.Needs) > 0 {
		page = append(page, Heading(w.Say("check_needs")), Paragraph(strings.Join(c.Needs, ", ")))
	}
	page = append(page, Heading(w.Say("check_reads")), readings(c.Reads, w))
	page = append(page, Heading(w.Say("check_judges")), outcomes(c.Outcomes, w))
	page = page.section(w.Say("check_diagnosis"), c.Doc.Diagnosis, w)
	if c.Command != "" {
		page = append(page, Heading(w.Say("check_command")), Code(c.Command))
	}
	page = page.section(w.Say("check_mitigation"), c.Doc.Mitigation, w)
	return append(page, Paragraph(w.Say("check_more", "Code", c.Code)))
}

// section adds a text under a heading, unless there is no text.
func (p Page) section(heading string, text diagnostics.Text, w Words) Page {
	body := strings.TrimSpace(text.In(w.Lang))
	if body == "" {
		return p
	}
	if heading != "" {
		p = append(p, Heading(heading))
	}
	return append(p, Paragraph(body))
}

func readings(reads []Reading, w Words) List {
	var list List
	for _, r := range reads {
		list = append(list, Item{Name: r.Name + " = " + r.Probe, Text: strings.Join(append([]string{r.Doc.In(w.Lang)}, r.Args...), "\n")})
	}
	return list
}

// outcomes lists the ways in which a check can end, in the order in which they
// are tried.
func outcomes(all []Outcome, w Words) List {
	var list List
	for _, o := range all {
		when := o.When
		if when == "" {
			when = w.Say("otherwise")
		}
		text := w.Status(o.Status) + ": " + strings.TrimSpace(o.Summary.In(w.Lang))
		if remedy := strings.TrimSpace(o.Remedy.In(w.Lang)); remedy != "" {
			text += "\n" + w.Say("label_remedy") + ": " + remedy
		}
		if len(o.Fixes) > 0 {
			text += "\n" + w.Say("check_offers", "Remedies", offered(o.Fixes))
		}
		list = append(list, Item{Name: when, Text: text})
	}
	return list
}

func offered(fixes []diagnostics.FixSpec) string {
	var names []string
	for _, f := range fixes {
		names = append(names, f.Remedy)
	}
	return strings.Join(names, ", ")
}
