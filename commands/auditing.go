package commands

import (
	"strconv"

	"tandem/approvals"
)

// Verified is what a verification of the whole audit found.
type Verified struct {
	Entries int64
	Head    string           // the hash of the last entry; empty when there is none
	Broken  *approvals.Break // nil: it is whole
	Known   []int64          // entries that acknowledge an older break
}

// Add takes an entry into account; call it with each, in their order.
func (v *Verified) Add(e approvals.Entry) error {
	v.Head = e.Hash
	if e.Deed == approvals.DeedAcknowledged {
		v.Known = append(v.Known, e.Number)
	}
	return nil
}

// VerifyPage says whether the audit is whole, and if not, where it is broken and
// what to do.
func VerifyPage(v Verified, w Words) Page {
	if v.Broken == nil {
		page := Page{Heading("✅ " + w.Say("audit_whole", "N", v.Entries))}
		if v.Head == "" {
			return page
		}
		for _, n := range v.Known {
			page = append(page, Paragraph(w.Say("audit_known", "Number", n)))
		}
		return append(page, Paragraph(w.Say("audit_head", "Number", v.Entries)), Code(v.Head), Paragraph(w.Say("audit_compare")))
	}
	return append(Page{Heading("❗ " + w.Say("audit_broken")), Paragraph(w.BreakText(*v.Broken))}, breakPage(*v.Broken, w)...)
}

func breakPage(b approvals.Break, w Words) Page {
	facts := List{
		{Name: w.Say("break_kind"), Text: string(b.Kind)},
		{Name: w.Say("break_entry"), Text: strconv.FormatInt(b.Number, 10)},
	}
	if b.Request != "" {
		facts = append(facts, Item{Name: w.Say("break_request"), Text: oneLine(b.Request)})
	}
	if b.Found != "" {
		facts = append(facts, Item{Name: w.Say("break_found"), Text: oneLine(b.Found)})
	}
	return Page{facts, Paragraph(w.Say("break_next"))}
}

// BreakText says where and how the audit is broken.
func (w Words) BreakText(b approvals.Break) string {
	switch b.Kind {
	case approvals.BreakMissing:
		return w.Say("break_missing", "From", b.Number, "To", max(b.Number, b.To))
	case approvals.BreakInserted:
		return w.Say("break_inserted", "Number", b.Number)
	case approvals.BreakRow:
		return w.Say("break_row", "Request", oneLine(b.Request), "Number", b.Number)
	default:
		if b.To > b.Number {
			return w.Say("break_changed_several", "From", b.Number, "To", b.To)
		}
		return w.Say("break_changed", "Number", b.Number)
	}
}
