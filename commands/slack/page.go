package slack

import (
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
)

const (
	maxPages   = 3 // messages of one page; a response address takes five
	sharePart  = 2800
	shareName  = 500
	shareEntry = 1500
)

// drawPage is an answer that only the asker sees, in as few messages as it fits
// into.
func drawPage(page commands.Page, w commands.Words) []message {
	messages, _ := drawPages(page, w)
	return messages
}

// drawPages is drawPage, and says whether the page is whole.
func drawPages(page commands.Page, w commands.Words) ([]message, bool) {
	var blocks []slackgo.Block
	for _, text := range pack(drawParts(page, w)) {
		blocks = append(blocks, section(text))
	}
	pages, complete := paginate(slices.Values(blocks), maxPages)
	if !complete {
		notice := fit(w.Say(textPageCut), shareFooter, ellipsis, prose)
		pages[maxPages-1] = append(pages[maxPages-1], footnotes(notice))
	}
	messages := make([]message, 0, len(pages))
	for _, blocks := range pages {
		messages = append(messages, message{text: fallback(firstLine(page)), blocks: blocks})
	}
	return messages, complete
}

// chunk is a piece of safe text and whether a blank line goes before it.
type chunk struct {
	safe  string
	apart bool
}

func drawParts(page commands.Page, w commands.Words) []chunk {
	var chunks []chunk
	add := func(apart bool, safe string) {
		if safe != "" {
			chunks = append(chunks, chunk{safe, apart})
		}
	}
	for _, part := range page {
		switch p := part.(type) {
		case commands.Heading:
			add(true, fit(string(p), shareName, ellipsis, strong))
		case commands.Paragraph:
			add(false, fit(string(p), sharePart, ellipsis, prose))
		case commands.Code:
			add(false, fit(string(p), sharePart, ellipsis, codeBlock))
		case commands.List:
			for _, item := range p {
				add(false, drawItem(item, w))
			}
		}
	}
	return chunks
}

func drawItem(item commands.Item, w commands.Words) string {
	parts := []string{"• " + fit(item.Name, shareName, ellipsis, inlineCode)}
	if item.By != "" {
		parts = append(parts, actor(item.By))
	}
	if text := fit(item.Text, shareEntry, ellipsis, prose); text != "" {
		parts = append(parts, text)
	}
	if item.Link != "" {
		parts = append(parts, hyperlink(item.Link, w.Say(textOpenCard)))
	}
	return strings.Join(parts, "  ")
}

// pack joins chunks into texts that fit into a section each.
func pack(chunks []chunk) []string {
	var texts []string
	var text strings.Builder
	length := 0
	for _, c := range chunks {
		if length > 0 && length+size(c.safe)+2 > sharePart {
			texts = append(texts, text.String())
			text.Reset()
			length = 0
		}
		glue := "\n"
		if c.apart {
			glue = "\n\n"
		}
		if length == 0 {
			glue = ""
		}
		text.WriteString(glue + c.safe)
		length += size(glue) + size(c.safe)
	}
	if length > 0 {
		texts = append(texts, text.String())
	}
	return texts
}

// firstLine is what a page says first.
func firstLine(page commands.Page) string {
	for _, part := range page {
		switch p := part.(type) {
		case commands.Heading:
			return string(p)
		case commands.Paragraph:
			return string(p)
		case commands.Code:
			return string(p)
		}
	}
	return ellipsis
}

// drawNotice is one paragraph with the mark of what it is.
func drawNotice(mark, text string) message {
	return message{
		text:   fallback(text),
		blocks: []slackgo.Block{section(mark + " " + fit(text, sharePart, ellipsis, prose))},
	}
}
