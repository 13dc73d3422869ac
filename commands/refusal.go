package commands

import (
	"tandem/approvals"
)

// Refused says why something is refused, who could do it instead, and what to
// do next, in the reader's language. Who are those that the refusal names, as
// the face writes people; empty when it names nobody.
func (w Words) Refused(r *approvals.Refusal, who string) string {
	detail := visible(r.Detail)
	if r.Why == approvals.WhyNotPending && detail != "" {
		detail = w.State(approvals.State(detail))
	}
	why := w.Say(whyID(r.Why))
	if detail != "" {
		why = w.Say("refused_detail", "Why", why, "Detail", detail)
	}
	if who != "" {
		who = w.Say("refused_who", "Who", who)
	}
	return lines(why, who, w.Say(nextID(r.Why)))
}

// State names a state of a request, like "waits for approval".
func (w Words) State(s approvals.State) string { return w.Say(stateID(s)) }

// Risk names a risk.
func (w Words) Risk(r approvals.Risk) string { return w.Say(riskID(r)) }

// Deed says what an audit entry tells of, like "asked".
func (w Words) Deed(d approvals.Deed) string { return w.Say(deedID(d)) }

// The texts of the approvals' own words are named after them; a test holds that
// each exists.
func whyID(why approvals.Why) string   { return "why_" + string(why) }
func nextID(why approvals.Why) string  { return "next_" + string(why) }
func stateID(s approvals.State) string { return "state_" + string(s) }
func riskID(r approvals.Risk) string   { return "risk_" + string(r) }
func deedID(d approvals.Deed) string   { return "deed_" + string(d) }
