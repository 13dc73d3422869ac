package commands

import (
	"strings"

	"tandem/approvals"
	"tandem/diagnostics"
)

// Refused says why something is refused, who could do it instead, and what to
// do next, in the reader's language. Who are those that the refusal names, as
// the face writes people; empty when it names nobody.
func (w Words) Refused(r *approvals.Refusal, who string) string {
	why := w.Say(whyID(r.Why))
	detail := visible(r.Detail.In(w.Lang))
	switch {
	case r.Why == approvals.WhyNotPending && detail != "":
		detail = w.State(approvals.State(detail))
	case r.Why == approvals.WhyNotMember:
		detail = w.standing(Standing(detail))
	}
	switch {
	case detail != "":
		why = w.Say("refused_detail", "Why", why, "Detail", detail)
	case r.Detail.EN != "": // it is in English alone, and does not belong into a sentence
		why = lines(why, w.Technically(r.Detail.EN))
	}
	if who != "" {
		who = w.Say("refused_who", "Who", who)
	}
	return lines(why, who, w.Say(nextID(r.Why)))
}

// Technically sets words apart that the bot has in English only, for its log and
// its audit: people read them as they are there.
func (w Words) Technically(detail string) string {
	return w.Say("technically", "Detail", strings.ReplaceAll(oneLine(visible(detail)), "`", "'"))
}

// Verbatim says whether why a request ended can be told as it stands: in the
// words of a person, or in the reader's language. Else it is told Technically.
func (w Words) Verbatim(r approvals.Request) bool {
	return w.Lang == diagnostics.English || r.State == approvals.Denied || r.State == approvals.Cancelled
}

// standing names what an account is instead of a member's.
func (w Words) standing(s Standing) string {
	switch s {
	case Guest:
		return w.Say("standing_guest")
	case Automaton:
		return w.Say("standing_bot")
	case Deactivated:
		return w.Say("standing_deactivated")
	default:
		return w.Say("standing_unrecognised")
	}
}

// State names a state of a request, like "waits for approval".
func (w Words) State(s approvals.State) string { return w.Say(stateID(s)) }

// StateOf names the state of a request, as far as it is true of that one: there
// may be no checks that prove it, and nothing that stands for it.
func (w Words) StateOf(r approvals.Request) string {
	switch {
	case r.State == approvals.Verified && Proofless(r):
		return w.Say("state_ran")
	case r.State == approvals.Superseded && r.ReplacedBy == "":
		return w.Say("state_overtaken")
	}
	return w.State(r.State)
}

// Proofless says whether no check proves a request: that it ended well is all.
func Proofless(r approvals.Request) bool { return len(r.Plan.Proof) == 0 && r.Check == "" }

// Waits says what an approved request waits for, and what ends that; detail is
// what the audit has, for a kind that is none of a refusal.
func (w Words) Waits(why approvals.Why, detail string) string {
	if why == "" {
		return w.Technically(detail)
	}
	return w.Refused(&approvals.Refusal{Why: why}, "")
}

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
