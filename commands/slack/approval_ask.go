package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
)

// request asks the approvals for a remedy. They look again before, so that no
// message and no older answer is trusted; the card is the answer.
func (b *Bot) request(ctx context.Context, a ask, want approvals.Ask) {
	who, w, ok := b.mayRequest(ctx, a, want)
	if !ok {
		return
	}
	want.By, want.Lang = who.ID, string(w.Lang)
	if want.BreakGlass { // in front of everybody, and not in a thread that few read
		want.Place.Thread = ""
	}
	r, found, err := b.opts.Approvals.Ask(ctx, want)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	b.log.InfoContext(ctx, "asked for a remedy", "ask", a, "request", r.ID, "remedy", r.Plan.Remedy, "service", r.Plan.Service)
	text := w.Say(textAsked, "Request", r.ID)
	switch {
	case found:
		text = w.Say(textAskedAlready, "Request", r.ID)
	case r.BrokeGlass:
		text = w.Say(textAskedGlass, "Request", r.ID)
	}
	b.whisper(ctx, a, b.drawAbout(r, commands.StateMark(r.State)+" "+prose(text), text, w))
}

// mayRequest says whether the asker may ask for a remedy here, by the bot's own
// rules. They hold for members; others are let through to the approvals, which
// refuse them and audit it.
func (b *Bot) mayRequest(ctx context.Context, a ask, want approvals.Ask) (commands.Person, commands.Words, bool) {
	who, _ := b.people.find(ctx, a.user, a.team)
	w := b.wordsOf(b.people.langOf(who.Locale))
	if who.Standing != commands.Member {
		return who, w, true
	}
	return who, w, b.allow(ctx, a, w, who, b.governs(want)) && b.seenByOthers(ctx, a, w)
}

// governs is what the bot's own rules are asked about a wanted remedy.
func (b *Bot) governs(want approvals.Ask) commands.Request {
	r := commands.Request{Command: "fix", Service: want.Service}
	if remedy, ok := remedyNamed(b.opts.Approvals.Remedies(), want.Remedy); ok && remedy.Procedure {
		r.Command = "run"
	}
	return r
}

// seenByOthers says whether other people can see the card where it is asked for,
// and tells who asks elsewhere what to do.
func (b *Bot) seenByOthers(ctx context.Context, a ask, w commands.Words) bool {
	if a.place() == commands.DirectMessages || a.channel == "" {
		b.refuse(ctx, a, w.Say(textAskInChannel))
		return false
	}
	channel, err := b.web.channel(ctx, a.channel)
	switch {
	case err != nil:
		b.undelivered(ctx, a, w, err)
		return false
	case !channel.IsMember:
		b.whisper(ctx, a, drawNotice(markMissing, w.Say(textInvite, "Bot", b.me.name)))
		return false
	}
	return true
}

// dryRun says to the asker alone what a remedy would do now.
func (b *Bot) dryRun(ctx context.Context, a ask, w commands.Words, who commands.Person, want approvals.Ask) {
	if who.Standing == commands.Member && !b.allow(ctx, a, w, who, b.governs(want)) {
		return
	}
	plan, err := b.opts.Approvals.Plan(ctx, want)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	b.whisper(ctx, a, drawDryRun(plan, w.Say(textDryRun), w))
}

// clickDryRun plans a request's remedy again, and says whether it is still the
// plan that the card shows.
func (b *Bot) clickDryRun(ctx context.Context, a ask, id string) {
	r, err := b.opts.Approvals.Find(ctx, id)
	if err != nil {
		b.deny(ctx, a, err)
		return
	}
	w, ok := b.mayAsk(ctx, a, commands.Request{Command: "fix", Service: r.Plan.Service})
	if !ok {
		return
	}
	plan, err := b.opts.Approvals.Plan(ctx, approvals.Ask{
		Check: r.Check, Remedy: r.Plan.Remedy, Service: r.Plan.Service, Params: r.Plan.Params, By: a.user, Via: approvals.ByButton, Place: r.Place,
	})
	if err != nil {
		b.explainRefusal(ctx, a, w, err)
		return
	}
	text := w.Say(textSamePlan, "Fingerprint", short(r.Fingerprint))
	if plan.Fingerprint() != r.Fingerprint {
		text = w.Say(textOtherPlan, "Fingerprint", short(plan.Fingerprint()), "Shown", short(r.Fingerprint))
	}
	b.whisper(ctx, a, drawDryRun(plan, text, w))
}

// drawDryRun is a plan under a line. Parts that are too long are cut where the
// reader sees it: nobody decides by a dry run.
func drawDryRun(plan approvals.Plan, line string, w commands.Words) message {
	chunks := []chunk{{safe: "🔎 " + prose(line)}, {safe: fit(plan.Does.In(w.Lang), shareHeadline, ellipsis, strong)}}
	blocks, _ := drawPlan(plan, planBudget, w)
	m := sections(line, chunks)
	m.blocks = append(m.blocks, blocks...)
	return m
}

// drawOffers is a button for each remedy that a report's causes offer. thread is
// where the requests belong.
func drawOffers(card commands.Card, thread string, most int, known []approvals.Remedy, w commands.Words) []slackgo.Block {
	var blocks []slackgo.Block
	for _, cause := range card.Causes {
		for i, fix := range cause.Fixes {
			offer, ok := offerOf(cause.Code, card.Target, thread, i, fix)
			remedy, there := remedyNamed(known, fix.Remedy)
			if !ok || !there || len(blocks) >= most {
				continue
			}
			text := "🛠️ " + strong(cause.Code+" · "+remedy.Title.In(w.Lang)) + " · " + prose(w.Say("plan_risk", "Risk", w.Risk(remedy.Risk))) + "\n" +
				fit(remedy.About.In(w.Lang), shareLine, ellipsis, prose)
			ask := button(actionAsk+"/"+cause.Code+"/"+fix.Remedy, offer, w.Say(textButtonAsk)).WithStyle(slackgo.StylePrimary)
			blocks = append(blocks, slackgo.NewSectionBlock(mrkdwn(text), nil, slackgo.NewAccessory(ask)))
		}
	}
	return blocks
}

// How many remedies one answer offers, and how many a card does.
const (
	maxOffers   = 10
	cardsOffers = 3
)

// offerOf is the value of a button that offers a remedy, if it has room for it.
// The first remedy of a finding is asked for by the finding.
func offerOf(code, service, thread string, nth int, fix diagnostics.Fix) (string, bool) {
	want := wantedRemedy{Check: code, Service: service, Thread: thread}
	if nth > 0 {
		want = wantedRemedy{Remedy: fix.Remedy, Service: service, Params: fix.Params, Thread: thread}
	}
	raw, err := json.Marshal(want)
	return string(raw), err == nil && size(string(raw)) <= maxValue
}

func remedyNamed(all []approvals.Remedy, name string) (approvals.Remedy, bool) {
	for _, r := range all {
		if r.Name == name {
			return r, true
		}
	}
	return approvals.Remedy{}, false
}

// clickAsk opens a modal at once, since the right to do so is soon over, and
// shows in it what the remedy would do when that is known. card is the message
// that offers it, in whose thread the request is shown.
func (b *Bot) clickAsk(ctx context.Context, a ask, value, card, trigger string) {
	var want wantedRemedy
	if json.Unmarshal([]byte(value), &want) != nil {
		return
	}
	want.Thread = cmp.Or(want.Thread, a.thread, card)
	who, w, ok := b.mayRequest(ctx, a, want.ask(a, ""))
	switch {
	case !ok:
		return
	case who.Standing != commands.Member:
		b.request(ctx, a, want.ask(a, "")) // which is refused, and audited
		return
	}
	carried := modalRequest{modalPlace: modalPlace{a.channel, a.thread, a.aside}, Ask: &want}
	waiting, err := drawForm(modalAsk, w.Say(textButtonAsk), modalRequest{}, w, []slackgo.Block{
		section(markWorking + " " + prose(w.Say(textPlanning, "Service", want.Service))),
	})
	waiting.Submit = nil
	id := ""
	if err == nil {
		id, err = b.web.openView(ctx, trigger, waiting)
	}
	if err != nil {
		b.log.WarnContext(ctx, "open a modal", "ask", a, "error", err, "details", details(err))
		b.whisper(ctx, a, drawNotice(markMissing, w.Say(textAskFailed, "What", strings.TrimSpace(want.Check+want.Remedy+" "+want.Service))))
		return
	}
	b.showPlan(ctx, a, id, carried, w)
}

// showPlan puts the plan, or why there is none, into an open modal.
func (b *Bot) showPlan(ctx context.Context, a ask, id string, carried modalRequest, w commands.Words) {
	plan, err := b.opts.Approvals.Plan(ctx, carried.Ask.ask(a, ""))
	view, drawErr := drawForm(modalAsk, w.Say(textButtonAsk), carried, w, b.drawAsking(ctx, a, plan, err, w))
	if err != nil {
		view.Submit = nil
	}
	if drawErr == nil {
		drawErr = b.web.updateView(ctx, id, view)
	}
	if drawErr != nil && errorCode(drawErr) != "not_found" && errorCode(drawErr) != "view_not_found" { // somebody closed it
		b.log.WarnContext(ctx, "show a plan", "ask", a, "error", drawErr, "details", details(drawErr))
		b.whisper(ctx, a, drawNotice(markMissing, w.Say(textAskFailed, "What", carried.Ask.Check+carried.Ask.Remedy+" "+carried.Ask.Service)))
	}
}

// drawAsking is what stands in the modal: the plan and a line for the reason, or
// why there is nothing to ask for.
func (b *Bot) drawAsking(ctx context.Context, a ask, plan approvals.Plan, err error, w commands.Words) []slackgo.Block {
	if err == nil {
		blocks, _ := drawPlan(plan, planBudget, w)
		blocks = append([]slackgo.Block{section(fit(plan.Does.In(w.Lang), shareHeadline, ellipsis, strong))}, blocks...)
		return append(blocks, reasonInput(w, w.Say(textReasonSeen)).WithOptional(true))
	}
	if refusal, ok := errors.AsType[*approvals.Refusal](err); ok {
		return drawDenied(refusal, w).blocks
	}
	b.logBroken(ctx, a, err)
	return []slackgo.Block{section(markBroken + " " + prose(w.Internal(a.ref)))}
}
