package slack

import (
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
	for _, length := range evidenceSizes() {
		pages = paginate(drawProofs(card, length, w))
		if len(pages) <= maxEvidence {
			break
		}
	}
	if left := len(pages) - maxEvidence; left > 0 {
		pages = pages[:maxEvidence]
		last := pages[maxEvidence-1]
		notice := fit(w.Say(textEvidenceLeftOut, "Service", card.Target), shareFooter, ellipsis, prose)
		pages[maxEvidence-1] = append(last[:len(last):len(last)], footnotes(notice))
	}
	messages := make([]message, 0, len(pages))
	for i, page := range pages {
		number := strconv.Itoa(i+1) + "/" + strconv.Itoa(len(pages))
		messages = append(messages, message{
			text:   fallback(card.Words.Evidence + ": " + card.Target + " (" + number + ")"),
			blocks: page,
		})
	}
	return messages
}

// paginate puts blocks into messages that keep to Slack's limits.
func paginate(blocks []slackgo.Block) [][]slackgo.Block {
	var pages [][]slackgo.Block
	room, count := 0, maxBlocks
	for _, block := range blocks {
		length := textSize(block)
		if length > room || count >= maxBlocks-1 { // one is kept for a notice
			pages = append(pages, nil)
			room, count = messageBudget-shareFooter, 0
		}
		last := len(pages) - 1
		pages[last] = append(pages[last], block)
		room, count = room-length, count+1
	}
	return pages
}

// drawProofs is a heading for each check that has evidence, and a section for
// each piece.
func drawProofs(card commands.Card, length int, w commands.Words) []slackgo.Block {
	shown := map[diagnostics.EvidenceView]string{}
	var blocks []slackgo.Block
	for _, c := range card.Checks {
		if len(c.Evidence) == 0 {
			continue
		}
		heading := symbol(c.Status) + " " + fit(title(c.Code, c.Title), shareLine, ellipsis, strong)
		if c.Summary != "" {
			heading += "\n" + fit(c.Summary, 2*shareLine, ellipsis, prose)
		}
		blocks = append(blocks, section(heading))
		for _, e := range c.Evidence {
			if code, ok := shown[e]; ok {
				blocks = append(blocks, footnotes(drawRepeated(e, code, w)))
				continue
			}
			shown[e] = c.Code
			blocks = append(blocks, section(drawProof(e, length, w)))
		}
	}
	return blocks
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
