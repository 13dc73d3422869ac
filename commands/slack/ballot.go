package slack

import (
	"context"
	"errors"
	"slices"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// byReaction is how somebody voted with an emoji.
const byReaction origin = "reaction"

// routeReaction routes reactions that may be votes: those on the bot's own
// messages that mean something. Its own do not count.
func (b *Bot) routeReaction(e *event) job {
	if b.opts.Approvals == nil || e.Event.Item.Type != "message" || e.Event.ItemUser != b.me.user || string(e.Event.User) == b.me.user {
		return job{}
	}
	choice, ok := b.choiceOf(e.Event.Reaction)
	if !ok {
		return job{}
	}
	a := b.eventAsk(byReaction, e)
	a.channel = e.Event.Item.Channel
	removed := e.Event.Type == "reaction_removed"
	return job{ask: a, run: func(ctx context.Context) { b.reacted(ctx, a, e.Event.Item.TS, choice, removed) }}
}

// reacted counts a reaction on the card of a request, or takes it back. Those on
// other messages mean nothing.
func (b *Bot) reacted(ctx context.Context, a ask, card string, choice approvals.Choice, removed bool) {
	found, err := b.opts.Approvals.List(ctx, approvals.Filter{Channel: a.channel, Card: card, Limit: 1})
	if err != nil {
		b.log.WarnContext(ctx, "find the request of a card", "ask", a, "error", err) // what stands on the card is read again later
		return
	}
	if len(found) == 0 {
		return
	}
	r := found[0]
	a.thread, a.aside = r.Place.Thread, r.Place.Thread
	ballot := approvals.Ballot{Request: r.ID, Card: card, Channel: a.channel, By: a.user, Via: approvals.ByReaction, Choice: choice}
	if removed {
		_, err = b.opts.Approvals.Withdraw(ctx, ballot)
	} else {
		_, err = b.opts.Approvals.Vote(ctx, ballot)
	}
	if err != nil {
		b.deny(ctx, a, err)
	}
}

// vote gives a vote that came by a button or a command to the approvals, and
// tells the voter alone what became of it.
func (b *Bot) vote(ctx context.Context, a ask, ballot approvals.Ballot) {
	r, err := b.opts.Approvals.Vote(ctx, ballot)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	w := b.wordsOf(b.people.language(ctx, a.user))
	text := w.Say(textCountedDenial)
	switch {
	case slices.Contains([]approvals.State{approvals.Superseded, approvals.Expired, approvals.Cancelled}, r.State):
		text = w.Say("why_not_pending") // it counted once
	case ballot.Choice == approvals.Approve:
		text = w.Say(textCountedApproval, "Have", len(r.Approvals()), "Want", max(1, r.Terms.Quorum))
	}
	b.whisper(ctx, a, b.drawAbout(r, commands.StateMark(r.State)+" "+prose(text), text, w))
}

// drawAbout is a line about a request with a link to its card.
func (b *Bot) drawAbout(r approvals.Request, safe, text string, w commands.Words) message {
	if link := b.linkTo(r); link != "" {
		safe += "\n" + prose(w.StateOf(r)) + " · " + hyperlink(link, w.Say(textOpenCard))
	}
	return message{text: fallback(text), blocks: []slackgo.Block{section(safe)}}
}

// deny tells somebody alone why the approvals did not do as they asked, and who
// can. Automata are told nothing.
func (b *Bot) deny(ctx context.Context, a ask, err error) {
	who, _ := b.people.find(ctx, a.user, a.team) // what is not known is answered in the configured language
	if who.Standing == commands.Automaton {
		return
	}
	b.explainRefusal(ctx, a, b.wordsOf(b.people.langOf(who.Locale)), err)
}

func (b *Bot) explainRefusal(ctx context.Context, a ask, w commands.Words, err error) {
	refusal, refused := errors.AsType[*approvals.Refusal](err)
	switch {
	case refused:
		b.whisper(ctx, a, drawDenied(refusal, w))
	case errors.Is(err, approvals.ErrNotFound):
		b.refuse(ctx, a, w.Say(textNoRequest))
	default:
		b.logBroken(ctx, a, err)
		b.whisper(ctx, a, drawNotice(markBroken, w.Say(textUnstored, "Ref", a.ref)))
	}
}

// drawDenied says why something is refused, what to do next, and who could do it.
func drawDenied(r *approvals.Refusal, w commands.Words) message {
	text := w.Refused(r, "")
	safe := markRefused + " " + fit(text, sharePart, ellipsis, prose)
	if !r.Who.Nobody() {
		safe += "\n" + prose(w.Say(textMayApprove)) + " " + drawWho(r.Who)
	}
	return message{text: fallback(text), blocks: []slackgo.Block{section(safe)}}
}

// clickVote is a click on Approve or Deny. What can be refused at once is, and a
// modal asks for the reason when one is needed.
func (b *Bot) clickVote(ctx context.Context, a ask, choice approvals.Choice, id, card, trigger string) {
	ballot := approvals.Ballot{Request: id, Card: card, Channel: a.channel, By: a.user, Via: approvals.ByButton, Choice: choice}
	r, err := b.opts.Approvals.Find(ctx, id)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	reason := choice == approvals.Deny || r.Terms.Reason
	if !reason || r.State != approvals.Pending || r.Card.TS != card || b.surelyMayNot(ctx, a, r) {
		b.vote(ctx, a, ballot)
		return
	}
	b.askReason(ctx, a, r, reasonFor(choice), card, trigger)
}

// surelyMayNot says whether somebody would only be refused after having given a
// reason. It looks for a moment alone: a modal has to be opened soon or never,
// and a vote is judged anyway.
func (b *Bot) surelyMayNot(ctx context.Context, a ask, r approvals.Request) bool {
	if r.Requester.ID == a.user {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, beforeModal)
	defer cancel()
	if who, err := b.people.find(ctx, a.user, a.team); err == nil && who.Standing != commands.Member {
		return true
	}
	in, err := r.Terms.Approvers.Has(ctx, b.directory, a.user)
	return err == nil && !in
}

// beforeModal is what of Slack's 3 seconds a look before a modal may take.
const beforeModal = time.Second

// clickCancel asks for a reason first, of the requester alone: others are refused
// at once.
func (b *Bot) clickCancel(ctx context.Context, a ask, id, card, trigger string) {
	r, err := b.opts.Approvals.Find(ctx, id)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	if r.Requester.ID != a.user || r.State.Ended() {
		b.cancelAsked(ctx, a, id, "")
		return
	}
	b.askReason(ctx, a, r, modalCancel, card, trigger)
}

// via is how an ask about a request came, as the audit tells it.
func (a ask) via() approvals.Via {
	switch a.origin {
	case byButton, byShortcut: // a modal that a button opened
		return approvals.ByButton
	case byReaction:
		return approvals.ByReaction
	default:
		return approvals.ByCommand
	}
}

// cancelAsked takes a request back.
func (b *Bot) cancelAsked(ctx context.Context, a ask, id, reason string) {
	r, err := b.opts.Approvals.Cancel(ctx, id, a.user, a.via(), reason)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	w := b.wordsOf(b.people.language(ctx, a.user))
	text := w.Say(textCancelled)
	b.whisper(ctx, a, b.drawAbout(r, "➖ "+prose(text), text, w))
}
