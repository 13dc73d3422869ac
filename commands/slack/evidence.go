package slack

import (
	"iter"
	"strconv"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

const (
	// maxEvidence is how many messages of evidence a thread gets. What is longer
	// follows as a file.
	maxEvidence = 3
	// A piece of evidence in the thread is what can be read at a glance.
	maxObserved      = 700
	maxObservedLines = 12
)

// drawEvidence is what was asked and what came back for the checks that are not
// well, in the order of the chain from the cause on, and whether that is all of
// it. What two checks share is shown once.
func drawEvidence(card commands.Card, w commands.Words) (messages []message, complete bool) {
	proofs := &proofs{words: w, shown: map[diagnostics.EvidenceView]string{}}
	pages, complete := paginate(proofs.of(fromCause(card)), maxEvidence)
	for i, page := range pages {
		number := ""
		if len(pages) > 1 {
			number = " (" + strconv.Itoa(i+1) + "/" + strconv.Itoa(len(pages)) + ")"
		}
		about := fit(card.Words.Evidence+": "+card.Target, shareLine, ellipsis, oneLine)
		messages = append(messages, message{text: about + number, blocks: page})
	}
	return messages, complete && !proofs.cut
}

// fromCause is the checks that are not well: the chain from the first cause on,
// then what stands before it.
func fromCause(card commands.Card) []commands.CardCheck {
	if len(card.Causes) == 0 {
		return card.Rows
	}
	for i, c := range card.Rows {
		if c.Code == card.Causes[0].Code {
			return append(card.Rows[i:len(card.Rows):len(card.Rows)], card.Rows[:i]...)
		}
	}
	return card.Rows
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

// proofs draws evidence, and remembers what it has drawn.
type proofs struct {
	words commands.Words
	shown map[diagnostics.EvidenceView]string // the code under which it stands
	cut   bool                                // something is not shown whole
}

// of is a heading for each check that has evidence, and a section for each
// piece.
func (p *proofs) of(checks []commands.CardCheck) iter.Seq[slackgo.Block] {
	return func(yield func(slackgo.Block) bool) {
		for _, c := range checks {
			if len(c.Evidence) > 0 && !yield(section(drawProven(c))) {
				return
			}
			for _, e := range c.Evidence {
				if !yield(p.drawOnce(e, c.Code)) {
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
func (p *proofs) drawOnce(e diagnostics.EvidenceView, code string) slackgo.Block {
	if earlier, ok := p.shown[e]; ok {
		return footnotes(drawRepeated(e, earlier, p.words))
	}
	p.shown[e] = code
	return section(p.draw(e))
}

// draw shows the command so that it can be copied and pasted.
func (p *proofs) draw(e diagnostics.EvidenceView) string {
	notice := " " + p.words.Say(textCut)
	text := fit(e.Source, 60, ellipsis, oneLine) + " · " + e.At.UTC().Format("2006-01-02 15:04:05 UTC")
	if invocation := fit(e.Invocation, 1000, notice, codeBlock); invocation != "" {
		text += "\n" + invocation
	}
	short := firstLines(e.Observed, maxObservedLines, notice)
	observed := fit(short, maxObserved, notice, codeBlock)
	p.cut = p.cut || short != e.Observed || size(codeBlock(short)) > maxObserved
	if observed != "" {
		text += "\n" + observed
	}
	return text
}

// firstLines cuts a text after so many lines.
func firstLines(text string, lines int, notice string) string {
	at := 0
	for range lines {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			return text
		}
		at += next + 1
	}
	return text[:at-1] + "\n" + strings.TrimSpace(notice)
}

func drawRepeated(e diagnostics.EvidenceView, code string, w commands.Words) string {
	text := fit(w.Say(textSameEvidence, "Code", code), shareLine, ellipsis, oneLine)
	if e.Invocation == "" {
		return text
	}
	return text + " " + fit(e.Invocation, shareLine, ellipsis, inlineCode)
}
