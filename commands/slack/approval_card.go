package slack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

const (
	planBudget  = 7000 // text of a plan on a card; what is longer is a file
	shareDigest = 900  // of each part of a plan that is not whole
	shareWords  = 600  // what a person gave as a reason
	shownVotes  = 6    // with their reasons; of the others there is the number
	shareVote   = 160  // of a reason
	shortHash   = 12   // of a fingerprint, to be compared by eye
)

// ballotPaper is a request as people see it before they decide: the card, and
// the file above it when the plan is too long for a card. The card is never there
// without the file: whoever can vote can read the whole plan.
type ballotPaper struct {
	request approvals.Request
	words   commands.Words
	policy  approvals.Policy
	sheet   *file // nil: the card has the whole plan
}

// newBallotPaper draws the plan, and says whether a card can hold it.
func newBallotPaper(r approvals.Request, policy approvals.Policy, w commands.Words) *ballotPaper {
	p := &ballotPaper{request: r, words: w, policy: policy}
	if _, whole := drawPlan(r.Plan, planBudget, w); !whole {
		sheet := planFile(r, w)
		p.sheet = &sheet
	}
	return p
}

// draw is the card: how it stands, what will be done and why, who may decide,
// and the buttons that do something still.
func (p *ballotPaper) draw() message {
	r, w := p.request, p.words
	headline := r.Plan.Service + ": " + w.StateOf(r)
	blocks := []slackgo.Block{
		header(commands.StateMark(r.State) + " " + headline),
		section(fit(r.Plan.Does.In(w.Lang), shareHeadline, ellipsis, strong) + "\n" + p.drawAsked()),
	}
	plan, _ := drawPlan(r.Plan, planBudget, w)
	blocks = append(blocks, plan...)
	if p.sheet != nil {
		blocks = append(blocks, section(p.drawSheet()))
	}
	blocks = append(blocks, section(p.drawVotes()), footnotes(p.drawFooter()))
	if buttons := p.drawButtons(); buttons != nil {
		blocks = append(blocks, buttons)
	}
	return message{
		text:     fallback(headline + " – " + r.Plan.Does.In(w.Lang)),
		blocks:   blocks,
		metadata: cardMark(r.ID),
	}
}

// drawAsked says who asked, and why in that one's words: on one line between
// quotes, so that they can be taken for nothing else.
func (p *ballotPaper) drawAsked() string {
	w := p.words
	text := prose(w.Say(textAskedBy)) + " " + actor(p.request.Requester.ID)
	if p.request.Reason != "" {
		text += ": “" + fit(p.request.Reason, shareWords, ellipsis, oneLine) + "”"
	}
	if p.request.BrokeGlass {
		text += "\n" + markBroken + " " + everybody + " " + strong(w.Say(textBrokeGlass))
	}
	if p.request.Reviews != "" {
		text += "\n" + markBroken + " " + everybody + " " + prose(w.Say(textReviews, "Request", p.request.Reviews))
	}
	if p.request.Replaces != "" {
		text += "\n" + prose(w.Say(textReplaces, "Request", p.request.Replaces))
	}
	return text
}

// everybody calls all who are in the channel. Only the bot's own words do that,
// for what nobody else agreed to before it ran.
const everybody = "<!channel>"

// actor names an account; what is none, like terminal:root, stands as it is.
func actor(id string) string {
	if (ask{user: id}).asker() == "" {
		return inlineCode(cmp.Or(id, "–"))
	}
	return tag(id)
}

// drawSheet says that the plan is in a file, by whose hash it can be known.
func (p *ballotPaper) drawSheet() string {
	sum := sha256.Sum256([]byte(p.sheet.text))
	return "📎 " + prose(p.words.Say(textPlanFiled, "File", p.sheet.name)) + "\n" + inlineCode("sha256 "+hex.EncodeToString(sum[:]))
}

// drawVotes says who may decide, what is missing still, and who voted what.
func (p *ballotPaper) drawVotes() string {
	r, w := p.request, p.words
	approvals := r.Approvals()
	quorum := max(1, r.Terms.Quorum)
	var lines []string
	if !r.BrokeGlass {
		lines = append(lines, strong(w.Say("votes_so_far", "Have", len(approvals), "Want", quorum)))
	}
	for _, v := range approvals[:min(len(approvals), shownVotes)] {
		lines = append(lines, drawVote(v))
	}
	if hidden := len(approvals) - shownVotes; hidden > 0 {
		lines = append(lines, "+"+strconv.Itoa(hidden))
	}
	if r.State == "pending" {
		lines = append(lines, prose(w.Say(textMayApprove))+" "+drawWho(r.Terms.Approvers))
		lines = append(lines, prose(w.Count(textOthers, quorum)))
		lines = append(lines, p.howToVote())
	}
	if ending := p.drawEnding(); ending != "" {
		lines = append(lines, ending)
	}
	return cmp.Or(strings.Join(lines, "\n"), commands.StateMark(r.State)+" "+prose(w.StateOf(r)))
}

// drawVote is an approval; who denied is told by how the request ended.
func drawVote(v approvals.Vote) string {
	text := "✅ " + actor(v.ID) + " · " + onClock(v.At)
	if v.Reason != "" {
		text += ": “" + fit(v.Reason, shareVote, ellipsis, oneLine) + "”"
	}
	return text
}

// drawWho names those who may, so that Slack calls them.
func drawWho(who approvals.Who) string {
	groups, people := named(who.Groups, groupMention), named(who.People, tag)
	return cmp.Or(strings.Trim(groups+", "+people, ", "), "–")
}

// howToVote says which ways of voting count.
func (p *ballotPaper) howToVote() string {
	w, id := p.words, p.request.ID
	switch {
	case p.request.Terms.Reason:
		return prose(w.Say(textVoteReason, "Request", id))
	case p.request.Terms.Reactions:
		emojis := strings.NewReplacer(
			holdApprove, ":"+p.policy.Emojis(approvals.Approve)[0]+":", holdDeny, ":"+p.policy.Emojis(approvals.Deny)[0]+":")
		return emojis.Replace(prose(w.Say(textVoteReact, "Approve", holdApprove, "Deny", holdDeny, "Request", id)))
	default:
		return prose(w.Say(textVoteButton, "Request", id))
	}
}

// Hold the places of the emojis in a text, which shows none of its own.
const (
	holdApprove = "\uE000"
	holdDeny    = "\uE001"
)

// drawEnding says how it ended, and what somebody said to that.
func (p *ballotPaper) drawEnding() string {
	r := p.request
	if !r.State.Ended() {
		return ""
	}
	return commands.StateMark(r.State) + " " + p.drawEnd()
}

// drawEnd is what follows from how it ended, who ended it, and why in that one's
// words or the bot's own.
func (p *ballotPaper) drawEnd() string {
	r, w := p.request, p.words
	text, glue := prose(w.Say(endText(r))), " "
	if r.Ender != "" {
		text, glue = text+" "+actor(r.Ender), ": "
	}
	told := r.State == approvals.Expired || r.State == approvals.Unverified // the text says all of it
	switch {
	case r.Ending == "" || told:
	case w.Verbatim(r):
		text += glue + "“" + fit(r.Ending, shareWords, ellipsis, oneLine) + "”"
	default:
		text += "\n" + fit(w.Technically(r.Ending), shareWords, ellipsis, prose)
	}
	if r.ReplacedBy != "" {
		text += "\n" + prose(w.Say(textReplacedBy, "Request", r.ReplacedBy))
	}
	return text
}

func (p *ballotPaper) drawFooter() string {
	r, w := p.request, p.words
	parts := []string{
		prose(w.Say(textRequest, "Request", r.ID)),
		prose(w.Say(textFingerprint)) + " " + inlineCode(short(r.Fingerprint)),
	}
	if r.State == approvals.Pending {
		parts = append(parts, prose(w.Say(textExpires))+" "+onClock(r.Expires))
	}
	return strings.Join(parts, " · ")
}

func short(hash string) string { return hash[:min(len(hash), shortHash)] }

// drawButtons are those that do something in this state; nil for none.
func (p *ballotPaper) drawButtons() slackgo.Block {
	r, w := p.request, p.words
	if r.State != approvals.Pending {
		return nil
	}
	buttons := []slackgo.BlockElement{
		button(actionApprove, r.ID, w.Say(textButtonApprove)).WithStyle(slackgo.StylePrimary),
		button(actionDeny, r.ID, w.Say(textButtonDeny)).WithStyle(slackgo.StyleDanger),
	}
	if r.Reviews == "" { // what is reviewed was done: nothing is planned or taken back
		buttons = append(buttons,
			button(actionDryRun, r.ID, w.Say(textButtonDryRun)),
			button(actionCancel, r.ID, w.Say(textButtonCancel)))
	}
	return slackgo.NewActionBlock("request", buttons...)
}

// endText is the id of what follows from how a request ended.
func endText(r approvals.Request) string {
	switch {
	case r.State == approvals.Expired && !r.Decided.IsZero():
		return textEndTooLate
	case r.State == approvals.Verified && commands.Proofless(r):
		return textEndRan
	}
	return cmp.Or(map[approvals.State]string{
		approvals.Verified: textEndVerified, approvals.Unverified: textEndUnverified, approvals.Failed: textEndFailed,
		approvals.Interrupted: textEndInterrupted, approvals.Denied: textEndDenied, approvals.Expired: textEndExpired,
		approvals.Cancelled: textEndCancelled, approvals.Superseded: textEndSuperseded, approvals.Reviewed: textEndReviewed,
	}[r.State], string(r.State))
}
