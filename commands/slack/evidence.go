package slack

import (
	"iter"
	"strconv"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// maxEvidence is how many messages of evidence a thread gets. They arrive about
// one a second, and nobody reads more.
const maxEvidence = 8

// evidenceSizes are the lengths to which an observation may be cut, tried in
// this order until the thread is short enough.
func evidenceSizes() []int { return []int{1500, 700, 300, 150} }

// drawEvidence is what was asked and what came back, in the order of the chain,
// in as few messages as it fits into. What two checks share is shown once.
func drawEvidence(card commands.Card, w commands.Words) []message {
	var pages [][]slackgo.Block
	complete := false
	for _, length := range evidenceSizes() {
		if pages, complete = paginate(drawProofs(card, length, w), maxEvidence); complete {
			break
		}
	}
	if !complete {
		notice := w.Say(textEvidenceLeftOut, "Service", card.Target)
		pages[len(pages)-1] = append(pages[len(pages)-1], footnotes(fit(notice, shareFooter, ellipsis, prose)))
	}
	messages := make([]message, 0, len(pages))
	for i, page := range pages {
		number := " (" + strconv.Itoa(i+1) + "/" + strconv.Itoa(len(pages)) + ")"
		about := fit(card.Words.Evidence+": "+card.Target, shareLine, ellipsis, oneLine)
		messages = append(messages, message{text: about + number, blocks: page})
	}
	return messages
}

// paginate puts blocks into messages, at most as many as given, that keep to
// Slack's limits and leave room for a notice. It says whether all fitted.
func paginate(blocks iter.Seq[slackgo.Block], most int) (pages [][]slackgo.Block, complete bool) {
	room, count := 0, maxBlocks
	for block := range blocks {
		length := textSize(block)
		if length > room || count >= maxBlocks-1 {
			if len(pages) == most {
				return pages, false
			}
			pages = append(pages, nil)
			room, count = messageBudget-shareFooter, 0
		}
		last := len(pages) - 1
		pages[last] = append(pages[last], block)
		room, count = room-length, count+1
	}
	return pages, true
}

// drawProofs is a heading for each check that has evidence, and a section for
// each piece.
func drawProofs(card commands.Card, length int, w commands.Words) iter.Seq[slackgo.Block] {
	return func(yield func(slackgo.Block) bool) {
		shown := map[diagnostics.EvidenceView]string{}
		for _, c := range card.Checks {
			if len(c.Evidence) > 0 && !yield(section(drawProven(c))) {
				return
			}
			for _, e := range c.Evidence {
				if !yield(drawOnce(e, shown, c.Code, length, w)) {
					return
				}
			}
		}
	}
}

// drawProven is the heading over a check's evidence.
func drawProven(c commands.CardCheck) string {
	heading := symbol(c.Status) + " " + fit(title(c.Code, c.Title), shareLine, ellipsis, strong)
	if c.Summary != "" {
		heading += "\n" + fit(c.Summary, 2*shareLine, ellipsis, prose)
	}
	return heading
}

// drawOnce shows a piece of evidence, or where it was shown already.
func drawOnce(e diagnostics.EvidenceView, shown map[diagnostics.EvidenceView]string, code string, length int, w commands.Words) slackgo.Block {
	if earlier, ok := shown[e]; ok {
		return footnotes(drawRepeated(e, earlier, w))
	}
	shown[e] = code
	return section(drawProof(e, length, w))
}

// drawProof shows the command so that it can be copied and pasted.
func drawProof(e diagnostics.EvidenceView, length int, w commands.Words) string {
	notice := " " + w.Say(textCut)
	text := fit(e.Source, 60, ellipsis, oneLine) + " · " + e.At.UTC().Format("2006-01-02 15:04:05 UTC")
	if invocation := fit(e.Invocation, min(length, 1000), notice, codeBlock); invocation != "" {
		text += "\n" + invocation
	}
	if observed := fit(e.Observed, length, notice, codeBlock); observed != "" {
		text += "\n" + observed
	}
	return text
}

func drawRepeated(e diagnostics.EvidenceView, code string, w commands.Words) string {
	text := fit(w.Say(textSameEvidence, "Code", code), shareLine, ellipsis, oneLine)
	if e.Invocation == "" {
		return text
	}
	return text + " " + fit(e.Invocation, shareLine, ellipsis, inlineCode)
}
