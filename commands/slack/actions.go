package slack

import (
	"cmp"
	"context"
	"runtime/debug"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// act does what a button or a menu of the bot's asks for, in a message or on
// the Home tab. The ask has the place of the message, or no channel; its text
// is the action's value. from has what belongs to the click: the message, the
// view, the trigger id.
func (b *Bot) act(ctx context.Context, a ask, action action, from *interaction) {
	defer b.rescue(ctx, a)
	card := from.Container.MessageTS
	if a.thread == card {
		a.thread, a.aside = "", "" // the message is the one that its thread hangs from
	}
	kind, _, _ := strings.Cut(action.ActionID, "/")
	switch kind {
	case actionAgain:
		b.answer(ctx, a)
	case actionEvidence:
		b.withRun(ctx, a, action.Value, func(w commands.Words, run *commands.Inquiry) { b.sendEvidence(ctx, a, w, run, card) })
	case actionFix:
		b.withRun(ctx, a, action.Value, func(w commands.Words, run *commands.Inquiry) { b.sayFix(ctx, a, w, run, card) })
	case actionDirect:
		b.answerDirectly(ctx, a)
	case actionRefresh:
		a.origin = byHome // rules hold there as in a direct message
		b.openHome(ctx, a)
	default:
		b.actOnRequest(ctx, a, kind, action.Value, from)
	}
}

// actOnRequest does what a button about a remedy asks for.
func (b *Bot) actOnRequest(ctx context.Context, a ask, kind, value string, from *interaction) {
	if b.opts.Approvals == nil {
		return
	}
	card := from.Container.MessageTS
	switch kind {
	case actionApprove:
		b.clickVote(ctx, a, approvals.Approve, value, card, from.TriggerID)
	case actionDeny:
		b.clickVote(ctx, a, approvals.Deny, value, card, from.TriggerID)
	case actionCancel:
		b.clickCancel(ctx, a, value, card, from.TriggerID)
	case actionDryRun:
		b.clickDryRun(ctx, a, value)
	case actionAsk:
		b.clickAsk(ctx, a, value, card, from.TriggerID)
	}
}

// rescue makes a panic an answer, so that one broken click is all that breaks.
func (b *Bot) rescue(ctx context.Context, a ask) {
	if broken := recover(); broken != nil {
		b.logBroken(ctx, a, &commands.PanicError{Value: broken, Stack: debug.Stack()})
		w := b.wordsOf(b.people.known(a.user))
		b.whisper(ctx, a, drawNotice(markBroken, w.Internal(a.ref)))
	}
}

// outliveBroken makes a panic an entry of the log, where nobody waits for an
// answer or that comes anyhow.
func (b *Bot) outliveBroken(ctx context.Context, a ask) {
	if broken := recover(); broken != nil {
		b.logBroken(ctx, a, &commands.PanicError{Value: broken, Stack: debug.Stack()})
	}
}

// withRun does something about an ended run, for those who may ask for one.
func (b *Bot) withRun(ctx context.Context, a ask, id string, do func(commands.Words, *commands.Inquiry)) {
	run, found := b.desk.Find(id)
	what := commands.Request{Command: "diagnose"}
	if found {
		what.Service = run.Service
	}
	w, ok := b.mayAsk(ctx, a, what)
	if !ok {
		return
	}
	if !found || !run.Ended() {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say(textRunGone, "Run", id)))
		return
	}
	do(w, run)
}

// sayFix tells a person alone what would mend what the run found, and offers the
// remedies that can be asked for, in the thread of the card.
func (b *Bot) sayFix(ctx context.Context, a ask, w commands.Words, run *commands.Inquiry, card string) {
	report, err := run.Result()
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	found := commands.NewCard(report, run.Since, w)
	messages := drawPage(commands.FixPage(found, b.opts.Diagnoser.Checks(), w), w)
	if b.opts.Approvals != nil {
		if offers := drawOffers(found, cmp.Or(a.thread, card), maxOffers, b.opts.Approvals.Remedies(), w); len(offers) > 0 {
			messages = append(messages, message{text: fallback(w.Say(textOffers)), blocks: append([]slackgo.Block{section(strong(w.Say(textOffers)))}, offers...)})
		}
	}
	b.whisper(ctx, a, messages...)
}

// sendEvidence puts all evidence as a file below the card, once, and tells who
// clicks where it is.
func (b *Bot) sendEvidence(ctx context.Context, a ask, w commands.Words, run *commands.Inquiry, card string) {
	report, err := run.Result()
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	board := &board{bot: b, ask: a, words: w, run: run, spot: b.spots.known(run.ID, a, card)}
	if err := board.file(ctx, commands.NewCard(report, run.Since, w)); err != nil {
		b.whisper(ctx, a, board.drawUnfiled(err))
		return
	}
	text := w.Say(textEvidenceFiled)
	safe := prose(text)
	if link, err := b.web.permalink(ctx, a.channel, card); err == nil {
		safe += " " + hyperlink(link, w.Say(textEvidenceThread))
	}
	b.whisper(ctx, a, message{text: fallback(text), blocks: []slackgo.Block{section(safe)}})
}

// answerDirectly answers in the direct message with the person who clicked.
func (b *Bot) answerDirectly(ctx context.Context, a ask) {
	channel, err := b.web.openDirect(ctx, a.user)
	if err != nil {
		b.undelivered(ctx, a, b.wordsOf(b.people.known(a.user)), err)
		return
	}
	a.channel, a.thread, a.aside, a.origin = channel, "", "", byDirect
	b.answer(ctx, a)
}
