package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/approvals"
)

// PlanPart is one part of a plan, as people read it before they decide. Texts
// are plain; each face draws them.
type PlanPart struct {
	Heading string
	Text    string // never empty; one thing a line
	Code    bool   // calls, as they will be made
}

// PlanParts are all that a plan says, the calls first.
func PlanParts(p approvals.Plan, w Words) []PlanPart {
	parts := []PlanPart{
		{w.Say("plan_calls"), callsOf(p), true},
		{w.Say("plan_target"), targetOf(p, w), false},
		{w.Say("plan_why"), evidenceOf(p), false},
		{w.Say("plan_conditions"), preconditionsOf(p, w), false},
		{w.Say("plan_blast"), visible(p.Blast.In(w.Lang)), false},
		{w.Say("plan_way_back"), visible(p.WayBack.In(w.Lang)), false},
		{w.Say("plan_proof"), strings.Join(p.Proof, ", "), false},
	}
	return slices.DeleteFunc(parts, func(part PlanPart) bool { return strings.TrimSpace(part.Text) == "" })
}

// callsOf is a line a call, as it will be made; what a person makes by hand
// says so by its own command.
func callsOf(p approvals.Plan) string {
	var lines []string
	for _, c := range p.Calls {
		lines = append(lines, c.System+": "+continued(visible(c.What)))
		if c.ByHand != "" {
			lines = append(lines, "$ "+continued(visible(c.ByHand)))
		}
	}
	return strings.Join(lines, "\n")
}

// continued marks the further lines of a text, so that none of them can pass
// for a line of its own.
func continued(text string) string { return strings.ReplaceAll(text, "\n", "\n    │ ") }

func targetOf(p approvals.Plan, w Words) string {
	text := fmt.Sprintf("`%s` · %s · %s", oneLine(p.Target), oneLine(p.Service), w.Say("plan_risk", "Risk", w.Risk(p.Risk)))
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		text += fmt.Sprintf("\n%s = `%s`", oneLine(name), oneLine(p.Params[name]))
	}
	return text
}

func evidenceOf(p approvals.Plan) string {
	var lines []string
	for _, e := range p.Why {
		line := "• "
		if e.Code != "" {
			line += e.Code + ": "
		}
		line += oneLine(e.Observed)
		if e.Invocation != "" {
			line += " (`" + oneLine(e.Invocation) + "`)"
		}
		lines = append(lines, line)
	}
	for _, f := range p.Basis {
		lines = append(lines, "• "+oneLine(f.Name)+" = `"+oneLine(f.Value)+"`")
	}
	return strings.Join(lines, "\n")
}

func preconditionsOf(p approvals.Plan, w Words) string {
	var lines []string
	for _, c := range p.Preconditions {
		mark := "✅"
		if !c.Holds {
			mark = "❌"
		}
		line := mark + " " + oneLine(c.Text.In(w.Lang))
		if c.Observed != "" {
			line += " (" + oneLine(c.Observed) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// oneLine is a text that cannot pass for several lines.
func oneLine(text string) string { return strings.Join(strings.Fields(visible(text)), " ") }
