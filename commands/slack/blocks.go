package slack

import (
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/diagnostics"
)

// symbol shows a status by shape, so that it needs no colour to be told.
func symbol(s diagnostics.Status) string {
	switch s {
	case diagnostics.Pass:
		return "✅"
	case diagnostics.Warn:
		return "⚠️"
	case diagnostics.Fail:
		return "❌"
	case diagnostics.Skipped:
		return "➖"
	default:
		return "❔"
	}
}

// header is a headline of plain text.
func header(text string) slackgo.Block {
	return slackgo.NewHeaderBlock(literal(fit(text, maxHeader, ellipsis, plain)))
}

// section is a paragraph of mrkdwn that is safe already.
func section(safe string) slackgo.Block {
	return slackgo.NewSectionBlock(mrkdwn(safe), nil, nil)
}

// footnotes is small print of mrkdwn that is safe already.
func footnotes(safe string) slackgo.Block {
	return slackgo.NewContextBlock("", mrkdwn(safe))
}

// mrkdwn is verbatim: Slack then makes no links of what only looks like one.
func mrkdwn(safe string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.MarkdownType, safe, false, true)
}

// literal shows text as it is.
func literal(text string) *slackgo.TextBlockObject {
	if text == "" {
		text = "–" // Slack refuses empty texts
	}
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, text, false, false)
}

// hyperlink is an address with what stands for it.
func hyperlink(address, text string) string {
	clean := strings.NewReplacer("|", "", ">", "", "<", "", "\n", "").Replace(address)
	return "<" + escape(clean) + "|" + strings.ReplaceAll(prose(text), "|", "/") + ">"
}

// textSize is the length of a block's text as Slack adds it up.
func textSize(block slackgo.Block) int {
	switch b := block.(type) {
	case *slackgo.HeaderBlock:
		return size(b.Text.Text)
	case *slackgo.SectionBlock:
		return size(b.Text.Text)
	case *slackgo.ContextBlock:
		n := 0
		for _, element := range b.ContextElements.Elements {
			if text, ok := element.(*slackgo.TextBlockObject); ok {
				n += size(text.Text)
			}
		}
		return n
	case *slackgo.TableBlock:
		n := 0
		for _, row := range b.Rows {
			for _, cell := range row {
				if text, ok := cell.(*slackgo.TableRawTextCell); ok {
					n += size(text.Text)
				}
			}
		}
		return n
	}
	return 0
}

func textSizes(blocks []slackgo.Block) int {
	n := 0
	for _, block := range blocks {
		n += textSize(block)
	}
	return n
}

// fallback is the text beside blocks, for notifications and screen readers.
func fallback(text string) string { return fit(text, maxFallback, ellipsis, prose) }
