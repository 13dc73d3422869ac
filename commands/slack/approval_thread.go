package slack

import (
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
)

// drawLines is what the thread tells of audit entries: in as few messages as
// they fit into, each with the number of the last entry that it tells.
func (p *ballotPaper) drawLines(entries []approvals.Entry) []told {
	t := &telling{paper: p}
	for _, e := range entries {
		if e.Deed == approvals.DeedProved && !commands.Proofless(p.request) { // a message has one table at most
			t.flush()
			t.all = append(t.all, told{p.drawProof(e), e.Number})
			continue
		}
		var lines []chunk
		if line := p.drawLine(e); line != "" {
			lines = append(lines, chunk{safe: line})
		}
		if endsRequest(e) {
			lines = append(lines, p.drawHead(e)...)
		}
		t.add(lines, e.Number)
	}
	t.flush()
	return t.all
}

// telling gathers lines into messages that Slack takes.
type telling struct {
	paper *ballotPaper
	all   []told
	lines []chunk
	size  int
	upTo  int64
}

func (t *telling) add(lines []chunk, number int64) {
	length := 0
	for _, line := range lines {
		length += size(line.safe) + len("\n\n")
	}
	if t.size+length > threadBudget {
		t.flush()
	}
	t.lines, t.size, t.upTo = append(t.lines, lines...), t.size+length, number
}

func (t *telling) flush() {
	if len(t.lines) > 0 {
		m := sections(t.paper.words.Say(textRequest, "Request", t.paper.request.ID), t.lines)
		m.metadata = lineMark(t.paper.request.ID, t.upTo)
		t.all = append(t.all, told{m, t.upTo})
	}
	t.lines, t.size = nil, 0
}

// threadBudget is the text of one message of a thread: the lines of one entry
// are far below what is left of Slack's limit.
const threadBudget = 6000

// told is a message of the thread, and the last audit entry that it tells.
type told struct {
	message
	upTo int64
}

// endsRequest says whether nothing follows on an entry. A refusal that came later
// is in the trail, but ends nothing; the proof comes just before the end.
func endsRequest(e approvals.Entry) bool {
	return e.State.Ended() && e.Deed != approvals.DeedRefused && e.Deed != approvals.DeedProved
}

// drawHead says how it ended and what is next, and the head of the audit chain:
// Slack is a witness of it outside the database.
func (p *ballotPaper) drawHead(e approvals.Entry) []chunk {
	w := p.words
	headline := commands.StateMark(e.State) + " " + strong(w.StateOf(p.request)) + " · " + p.drawEnd()
	witness := prose(w.Say(textChainHead, "Number", e.Number)) + " " + inlineCode(e.Hash)
	return []chunk{{safe: headline}, {safe: witness}}
}

// drawLine is one entry as people read it; empty for those that the thread does
// not tell: what was refused is told to whom it concerns.
func (p *ballotPaper) drawLine(e approvals.Entry) string {
	w, d := p.words, e.Detail
	quoted := ""
	if reason := d[approvals.KeyReason]; reason != "" {
		quoted = ": “" + fit(reason, shareWords, ellipsis, oneLine) + "”"
	}
	switch e.Deed {
	case approvals.DeedAsked:
		if e.Actor == "" { // the bot itself, in the place of a request whose plan is not true any more
			return "✋ " + prose(w.Say(textReplaces, "Request", d[approvals.KeyReplaces])) + quoted
		}
		if d[approvals.KeyJoined] != "" {
			return "✋ " + actor(e.Actor) + " " + prose(w.Say(textLineJoined)) + quoted
		}
		return "✋ " + actor(e.Actor) + " " + prose(w.Say(textLineAsked)) + quoted
	case approvals.DeedVoted:
		if d[approvals.KeyChoice] == string(approvals.Deny) {
			return "" // it ends the request, which is told below
		}
		return "✅ " + actor(e.Actor) + " " + prose(w.Say(textLineApproved)) + p.drawCount(d) + quoted
	case approvals.DeedWithdrawn:
		return "↩️ " + actor(e.Actor) + " " + prose(w.Say(textLineWithdrawn)) + p.drawCount(d)
	case approvals.DeedJudged:
		approvers := actors(d[approvals.KeyApprovers])
		if approvers != "" {
			approvers = ": " + approvers
		}
		return "⚖️ " + prose(w.Say(textLineJudged)) + approvers + " · " + prose(w.Say(textFingerprint)) + " " + inlineCode(short(d[approvals.KeyFingerprint]))
	case approvals.DeedCalling:
		return "▶️ " + p.drawCall(d)
	case approvals.DeedCalled:
		return p.drawResult(d)
	case approvals.DeedState:
		return p.drawChange(e, quoted)
	default:
		return ""
	}
}

func (p *ballotPaper) drawCount(d map[string]string) string {
	have, want := d[approvals.KeyApprovals], d[approvals.KeyQuorum]
	if have == "" || want == "" {
		return ""
	}
	return " · " + prose(p.words.Say(textLineCount, "Have", have, "Want", want))
}

// actors names several accounts that are separated by commas.
func actors(list string) string {
	var all []string
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.TrimSpace(id); id != "" {
			all = append(all, actor(id))
		}
	}
	return strings.Join(all, ", ")
}

func (p *ballotPaper) drawCall(d map[string]string) string {
	text := fit(d[approvals.KeyCall], shareCause, ellipsis, inlineCode)
	if as := d[approvals.KeyIdentity]; as != "" {
		text += " " + prose(p.words.Say(textLineAs)) + " " + fit(as, shareLine, ellipsis, inlineCode)
	}
	return text
}

func (p *ballotPaper) drawResult(d map[string]string) string {
	mark := "✔️"
	if d[approvals.KeyFailed] != "" {
		mark = "❌"
	}
	return mark + " " + fit(d[approvals.KeyCall], shareLine, ellipsis, inlineCode) + " → " + fit(d[approvals.KeyResult], shareCause, ellipsis, oneLine)
}

// drawChange is a change of state that is not the end: that is told by drawHead.
func (p *ballotPaper) drawChange(e approvals.Entry, quoted string) string {
	w, d := p.words, e.Detail
	if e.State.Ended() {
		return "" // how it ended is told below
	}
	if waits := d[approvals.KeyWaits]; waits != "" {
		return markWorking + " " + prose(w.Say(textLineWaits)) + " " + fit(w.Waits(approvals.Why(d[approvals.KeyWhy]), waits), shareWords, ellipsis, prose)
	}
	return commands.StateMark(e.State) + " " + prose(w.State(e.State)) + quoted
}

// drawProof shows the checks before and after side by side.
func (p *ballotPaper) drawProof(e approvals.Entry) message {
	w := p.words
	table := slackgo.NewTableBlock("proof").WithColumnSettings(
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft},
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft, IsWrapped: true},
		slackgo.ColumnSetting{Align: slackgo.ColumnAlignmentLeft, IsWrapped: true},
	)
	table.AddRow(cell(w.Say(textColumnCheck), 30), cell(w.Say(textColumnBefore), 30), cell(w.Say(textColumnAfter), 30))
	codes := proofCodes(e.Detail)
	for _, code := range codes[:min(len(codes), maxTableRows-1)] {
		table.AddRow(cell(code, 30), cell(p.sawOf(p.request.Run.Before, code, e.Detail[approvals.KeyBefore+code]), 150),
			cell(p.sawOf(p.request.Run.After, code, e.Detail[approvals.KeyAfter+code]), 150))
	}
	text := w.Say(textLineProved)
	return message{
		text:     fallback(text),
		blocks:   []slackgo.Block{section(strong(text)), table},
		metadata: lineMark(p.request.ID, e.Number),
	}
}

// proofCodes are the checks that an entry tells of.
func proofCodes(detail map[string]string) []string {
	var codes []string
	for key := range detail {
		for _, prefix := range []string{approvals.KeyBefore, approvals.KeyAfter} {
			if code, ok := strings.CutPrefix(key, prefix); ok {
				codes = append(codes, code)
			}
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// sawOf is how a check ended, in the reader's language as far as the request
// has it still; else as the audit has it.
func (p *ballotPaper) sawOf(seen []approvals.Observation, code, audited string) string {
	for _, o := range seen {
		if o.Code == code {
			status := diagnostics.Status(o.Status)
			return symbol(status) + " " + strings.TrimSuffix(p.words.Status(status)+": "+o.Summary.In(p.words.Lang), ": ")
		}
	}
	return audited
}
