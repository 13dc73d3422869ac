package slack

import (
	"slices"
	"strconv"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
)

// Shares of a card's text. What they leave of the message's budget is the
// table's, which is at least 3,000 characters.
const (
	shareHeadline = 600
	shareCause    = 850 // each
	maxCauses     = 4   // in full; the others by code
	shareList     = 1000
	shareLine     = 280
	shareFolded   = 1200 // of which each line has a quarter
	shareFooter   = 700
)

// cardNotes is what a card says about the run beside the report.
type cardNotes struct {
	asker   string             // user id; empty when it is none
	joined  []string           // user ids of those who asked the same
	because string             // how the bot knows which service was meant
	run     string             // reference that the log has too
	kept    string             // id of the run where it is kept; empty: it is not
	origin  string             // of the run when this card joined it; in the reader's words
	depth   bool               // evidence follows in the thread
	offers  []approvals.Remedy // that can be asked for; nil: none
	again   string             // the text that asks the same again
}

// drawCard is the verdict first, then the causes, one table of the other checks
// that are not well, and what could not be seen.
func drawCard(card commands.Card, notes cardNotes, w commands.Words) message {
	blocks := []slackgo.Block{header(symbol(card.Status) + " " + card.Target + ": " + card.Label)}
	if headline := fit(card.Headline, shareHeadline, ellipsis, strong); headline != "" {
		blocks = append(blocks, section(headline))
	}
	blocks = append(blocks, drawCauses(card, w)...)
	blocks = append(blocks, drawOffers(card, "", cardsOffers, notes.offers, w)...)
	unseen := drawList(card.Words.Unseen, blindLines(card), w)
	room := messageBudget - shareFooter - shareFolded - shareLine - textSizes(blocks) - textSizes(unseen)
	blocks = append(blocks, drawRows(card, room, w)...)
	blocks = append(blocks, unseen...)
	blocks = append(blocks, drawFolded(card)...)
	blocks = append(blocks, footnotes(fit(card.Timing, shareFooter/2, ellipsis, prose)+drawNotes(notes, w)))
	blocks = append(blocks, drawButtons(card, notes, w))
	return message{
		text:   fallback(card.Target + ": " + card.Label + " – " + card.Headline),
		blocks: blocks,
	}
}

// drawRows is a table of what follows from the causes and of what else warns,
// under a heading that says which. What stands above in full has no row.
func drawRows(card commands.Card, room int, w commands.Words) []slackgo.Block {
	var headings []string
	if len(card.Consequences) > 0 {
		headings = append(headings, card.Words.Consequences)
	}
	if len(card.Warnings) > 0 {
		headings = append(headings, card.Words.Warnings)
	}
	if len(headings) == 0 {
		return nil
	}
	above := card.Causes[:min(len(card.Causes), maxCauses)]
	rows := slices.DeleteFunc(slices.Clone(card.Rows), func(c commands.CardCheck) bool {
		return c.Status == diagnostics.Unknown || slices.ContainsFunc(above, func(cause commands.CardCause) bool { return cause.Code == c.Code })
	})
	heading := section(fit(strings.Join(headings, " · "), shareLine, ellipsis, strong))
	return []slackgo.Block{heading, drawTable(rows, room, w)}
}

// drawFolded is a line for all checks of a status that need no row.
func drawFolded(card commands.Card) []slackgo.Block {
	if len(card.Folded) == 0 {
		return nil
	}
	lines := make([]string, 0, len(card.Folded))
	for _, f := range card.Folded {
		lines = append(lines, symbol(f.Status)+" "+fit(f.Text, shareFolded/4, ellipsis, oneLine))
	}
	return []slackgo.Block{footnotes(strings.Join(lines, "\n"))}
}

// strong is prose in bold, each line by itself as mrkdwn wants it.
func strong(s string) string {
	lines := strings.Split(prose(s), "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			lines[i] = "*" + line + "*"
		}
	}
	return strings.Join(lines, "\n")
}

func drawCauses(card commands.Card, w commands.Words) []slackgo.Block {
	if len(card.Causes) == 0 {
		return nil
	}
	shown := card.Causes[:min(len(card.Causes), maxCauses)]
	var blocks []slackgo.Block
	for i, cause := range shown {
		if len(card.Causes) == 1 && strings.Contains(card.Headline, cause.Summary) {
			cause.Summary = "" // the headline says it
		}
		text := symbol(statusOf(card, cause.Code)) + " " + drawCause(cause, card.Words)
		if i == 0 {
			text = strong(card.Words.Causes) + "\n" + text
		}
		blocks = append(blocks, section(text))
	}
	if hidden := card.Causes[len(shown):]; len(hidden) > 0 {
		codes := make([]string, 0, len(hidden))
		for _, cause := range hidden {
			codes = append(codes, cause.Code)
		}
		blocks = append(blocks, section(more(codes, w)))
	}
	return blocks
}

// statusOf is the status of a check: a cause may be a warning as well.
func statusOf(card commands.Card, code string) diagnostics.Status {
	for _, c := range card.Checks {
		if c.Code == code {
			return c.Status
		}
	}
	return card.Status
}

// drawCause gives each of its three texts a share of its own, so that a long
// summary does not push the remedy out.
func drawCause(cause commands.CardCause, words commands.CardWords) string {
	text := fit(title(cause.Code, cause.Title), shareCause/4, ellipsis, strong)
	if cause.Summary != "" {
		text += "\n" + fit(cause.Summary, shareCause/3, ellipsis, prose)
	}
	if cause.Remedy != "" {
		text += "\n" + strong(words.Remedy+":") + " " + fit(cause.Remedy, shareCause/3, ellipsis, prose)
	}
	return text
}

func title(code, text string) string { return code + " · " + text }

// listLine is a line of a list, and the code by which it is named when there is
// no room for it.
type listLine struct {
	code string
	draw func() string
}

func blindLines(card commands.Card) []listLine {
	lines := make([]listLine, 0, len(card.Unseen))
	for _, b := range card.Unseen {
		lines = append(lines, listLine{b.Code, func() string { return drawBlindLine(b, card.Words) }})
	}
	return lines
}

func drawBlindLine(b commands.CardBlind, words commands.CardWords) string {
	text := title(b.Code, b.Title) + " – " + sentences(b.Why)
	if b.Because != "" {
		text += " (" + b.Because + ")"
	}
	line := "❔ " + fit(text, shareLine, ellipsis, oneLine)
	if b.Next != "" {
		line += "\n      " + oneLine(words.NextStep+":") + " " + fit(b.Next, shareLine, ellipsis, oneLine)
	}
	return line
}

// sentences puts lines behind each other so that each still ends.
func sentences(lines string) string {
	var text string
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?:;") {
			text += "."
		}
		text = strings.TrimSpace(text + " " + line)
	}
	return text
}

// oneLine is prose on a single line.
func oneLine(s string) string { return prose(plain(s)) }

// drawList is a heading with lines, as many as its share has room for; the rest
// is named by code.
func drawList(heading string, lines []listLine, w commands.Words) []slackgo.Block {
	if len(lines) == 0 {
		return nil
	}
	text := strong(heading)
	for i, line := range lines {
		longer := text + "\n" + line.draw()
		if i > 0 && size(longer) > shareList-shareLine {
			codes := make([]string, 0, len(lines)-i)
			for _, hidden := range lines[i:] {
				codes = append(codes, hidden.code)
			}
			return []slackgo.Block{section(text + "\n" + more(codes, w))}
		}
		text = longer
	}
	return []slackgo.Block{section(text)}
}

// more says how many things are not shown, and names them.
func more(codes []string, w commands.Words) string {
	text := w.Count(textMore, len(codes), "Codes", strings.Join(codes, ", "))
	return fit(text, shareLine, ellipsis, oneLine)
}

// drawTable is a check in a row. All rows together keep to the room.
func drawTable(checks []commands.CardCheck, room int, w commands.Words) slackgo.Block {
	table := slackgo.NewTableBlock("checks").WithColumnSettings(
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft},
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft},
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft, IsWrapped: true},
	)
	table.AddRow(cell(w.Say(textColumnCheck), 30), cell(w.Say(textColumnStatus), 30), cell(w.Say(textColumnTitle), 60))
	shown := checks[:min(len(checks), maxTableRows-2)]
	forTitles := room - 200 // the heading's and the last row's
	for _, c := range shown {
		forTitles -= size(c.Code) + size(rowStatus(c))
	}
	perTitle := min(200, max(1, forTitles/len(shown)))
	for _, c := range shown {
		table.AddRow(cell(c.Code, 30), cell(rowStatus(c), 30), cell(rowTitle(c), perTitle))
	}
	if hidden := len(checks) - len(shown); hidden > 0 {
		table.AddRow(cell(ellipsis, 1), cell(ellipsis, 1), cell(w.Count(textMoreRows, hidden), 60))
	}
	return table
}

// rowTitle says what a check is about and what was seen.
func rowTitle(c commands.CardCheck) string {
	text := c.Title
	if c.Summary != "" && c.Summary != c.Because {
		text += ": " + c.Summary
	}
	if c.Because != "" {
		text += " (" + c.Because + ")"
	}
	return text
}

func rowStatus(c commands.CardCheck) string { return symbol(c.Status) + " " + c.Label }

// cell shows text as it is, on one line.
func cell(text string, limit int) slackgo.TableCell {
	text = fit(text, limit, ellipsis, plain)
	if text == "" {
		text = "–" // Slack refuses empty cells
	}
	return slackgo.NewTableRawTextCell(text)
}

// drawNotes continues the footer.
func drawNotes(notes cardNotes, w commands.Words) string {
	var parts []string
	if notes.asker != "" {
		parts = append(parts, prose(w.Say(textAskedBy))+" "+tag(notes.asker))
	}
	if len(notes.joined) > 0 {
		parts = append(parts, prose(w.Say(textAlsoAsked))+" "+tags(notes.joined))
	}
	if notes.because != "" {
		parts = append(parts, prose(notes.because))
	}
	if notes.origin != "" {
		parts = append(parts, prose(notes.origin))
	}
	if notes.kept != "" { // the log has it beside the reference
		parts = append(parts, prose(w.Kept(notes.kept)))
	} else if notes.run != "" {
		parts = append(parts, prose(w.Say(textRun, "Run", notes.run)))
	}
	if notes.depth {
		parts = append(parts, prose(w.Say(textEvidenceBelow)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " · " + strings.Join(parts, " · ")
}

func tag(user string) string { return "<@" + user + ">" }

// tags names a few people.
func tags(users []string) string {
	const most = 5
	all := make([]string, 0, most+1)
	for _, user := range users[:min(len(users), most)] {
		all = append(all, tag(user))
	}
	if hidden := len(users) - most; hidden > 0 {
		all = append(all, "+"+strconv.Itoa(hidden))
	}
	return strings.Join(all, ", ")
}
