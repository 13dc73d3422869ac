package slack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// drawPlan is all that a plan says, and whether it is whole within so many
// characters. When it is not, each part is cut where the reader sees it.
func drawPlan(p approvals.Plan, budget int, w commands.Words) (blocks []slackgo.Block, whole bool) {
	parts := planParts(p, w)
	total := 0
	for _, part := range parts {
		length := size(part.draw(part.text))
		total += length
		whole = (whole || total == length) && length <= maxSection
	}
	whole = whole && total <= budget && len(parts) > 0
	limit := maxSection
	if !whole {
		limit = shareDigest
	}
	for _, part := range parts {
		blocks = append(blocks, section(fit(part.text, limit, " "+w.Say(textCut), part.draw)))
	}
	return blocks, whole
}

// planPart is one part of a plan and how it is drawn below its heading.
type planPart struct {
	text string
	draw func(string) string
}

func planParts(p approvals.Plan, w commands.Words) []planPart {
	under := func(heading string, render func(string) string) func(string) string {
		return func(s string) string { return strong(heading) + "\n" + render(s) }
	}
	parts := []planPart{
		{callsOf(p), under(w.Say(textPlanCalls), codeBlock)},
		{targetOf(p, w), under(w.Say(textPlanTarget), prose)},
		{evidenceOf(p), under(w.Say(textPlanWhy), prose)},
		{preconditionsOf(p, w), under(w.Say(textPlanConditions), prose)},
		{p.Blast.In(w.Lang), under(w.Say(textPlanBlast), prose)},
		{p.WayBack.In(w.Lang), under(w.Say(textPlanWayBack), prose)},
		{strings.Join(p.Proof, ", "), under(w.Say(textPlanProof), prose)},
	}
	var all []planPart
	for _, part := range parts {
		if strings.TrimSpace(part.text) != "" {
			all = append(all, part)
		}
	}
	return all
}

// callsOf is a line a call, as it will be made; what a person makes by hand
// says so by its own command.
func callsOf(p approvals.Plan) string {
	var lines []string
	for _, c := range p.Calls {
		lines = append(lines, c.System+": "+continued(c.What))
		if c.ByHand != "" {
			lines = append(lines, "$ "+c.ByHand)
		}
	}
	return strings.Join(lines, "\n")
}

// continued marks the further lines of a text, so that none of them can pass
// for a line of its own.
func continued(text string) string { return strings.ReplaceAll(text, "\n", "\n    │ ") }

func targetOf(p approvals.Plan, w commands.Words) string {
	text := fmt.Sprintf("`%s` · %s · %s", p.Target, p.Service, w.Say(textRisk, "Risk", w.Risk(p.Risk)))
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		text += fmt.Sprintf("\n%s = `%s`", name, p.Params[name])
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
		line += plain(e.Observed)
		if e.Invocation != "" {
			line += " (`" + plain(e.Invocation) + "`)"
		}
		lines = append(lines, line)
	}
	for _, f := range p.Basis {
		lines = append(lines, "• "+f.Name+" = `"+plain(f.Value)+"`")
	}
	return strings.Join(lines, "\n")
}

func preconditionsOf(p approvals.Plan, w commands.Words) string {
	var lines []string
	for _, c := range p.Preconditions {
		mark := "✅"
		if !c.Holds {
			mark = "❌"
		}
		line := mark + " " + plain(c.Text.In(w.Lang))
		if c.Observed != "" {
			line += " (" + plain(c.Observed) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// planFile is the whole plan for people, and below it to the letter.
func planFile(r approvals.Request, w commands.Words) file {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n%s\n", plain(r.Plan.Does.In(w.Lang)), plain(w.Say(textRequest, "Request", r.ID)))
	fmt.Fprintf(&text, "%s %s\n", plain(w.Say(textFingerprint)), r.Fingerprint)
	for _, part := range planParts(r.Plan, w) {
		fmt.Fprintf(&text, "\n%s\n", part.draw(part.text))
	}
	exact, err := json.MarshalIndent(r.Plan, "", "  ")
	if err != nil { // strings, numbers and times only
		exact = []byte(err.Error())
	}
	mark := fenceFor(string(exact))
	fmt.Fprintf(&text, "\n%sjson\n%s\n%s\n", mark, exact, mark)
	return file{name: "plan-" + fileName(r.ID) + ".md", title: plain(w.Say(textRequest, "Request", r.ID)), text: text.String()}
}
