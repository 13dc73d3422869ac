package slack

import (
	"encoding/json"
	"fmt"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// drawPlan is all that a plan says, and whether it is whole within so many
// characters. When it is not, each part is cut where the reader sees it.
func drawPlan(p approvals.Plan, budget int, w commands.Words) (blocks []slackgo.Block, whole bool) {
	parts := planParts(p, w)
	limit := maxSection
	if whole = fitsWhole(parts, budget); !whole {
		limit = shareDigest
	}
	for _, part := range parts {
		blocks = append(blocks, section(fit(part.text, limit, " "+w.Say(textCut), part.draw)))
	}
	return blocks, whole
}

// fitsWhole says whether a section holds each part, and a card all of them. What
// is far too long is not drawn to find out.
func fitsWhole(parts []planPart, budget int) bool {
	total := 0
	for _, part := range parts {
		if len(part.text) > 4*maxSection {
			return false
		}
		length := size(part.draw(part.text))
		if total += length; length > maxSection || total > budget {
			return false
		}
	}
	return len(parts) > 0
}

// planPart is one part of a plan and how it is drawn below its heading.
type planPart struct {
	text string
	draw func(string) string
}

func planParts(p approvals.Plan, w commands.Words) []planPart {
	var parts []planPart
	for _, part := range commands.PlanParts(p, w) {
		render := prose
		if part.Code {
			render = codeBlock
		}
		parts = append(parts, planPart{part.Text, func(s string) string { return strong(part.Heading) + "\n" + render(s) }})
	}
	return parts
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
