package slack

import (
	"context"
	"encoding/json"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// Callback ids of the modals about requests, and the block that they have.
const (
	modalApprove = "request_approve"
	modalDeny    = "request_deny"
	modalCancel  = "request_cancel"
	modalAsk     = "request_ask"

	blockReason = "reason"
)

// reasonFor is the modal that asks why somebody votes so.
func reasonFor(choice approvals.Choice) string {
	if choice == approvals.Deny {
		return modalDeny
	}
	return modalApprove
}

// modalRequest is what a modal about a request carries. Whoever sends it back
// is judged as if nobody had seen the modal: it only saves typing.
type modalRequest struct {
	modalPlace
	Request string        `json:"request,omitempty"`
	Card    string        `json:"card,omitempty"`
	Ask     *wantedRemedy `json:"ask,omitempty"`
}

// wantedRemedy is what a button offers to ask for.
type wantedRemedy struct {
	Check   string            `json:"c,omitempty"`
	Remedy  string            `json:"r,omitempty"`
	Service string            `json:"s"`
	Params  map[string]string `json:"p,omitempty"`
	Thread  string            `json:"t,omitempty"` // where the request is to be shown
}

// askReason opens the modal that asks for a reason.
func (b *Bot) askReason(ctx context.Context, a ask, r approvals.Request, kind, card, trigger string) {
	w := b.wordsOf(b.people.language(ctx, a.user))
	carried := modalRequest{modalPlace: modalPlace{a.channel, a.thread, a.aside}, Request: r.ID, Card: card}
	view, err := drawReasonModal(kind, r, carried, w)
	if err == nil {
		_, err = b.web.openView(ctx, trigger, view)
	}
	if err != nil {
		b.log.WarnContext(ctx, "open a modal", "ask", a, "error", err, "details", details(err))
		b.whisper(ctx, a, drawNotice(markMissing, w.Say(textReasonFailed, "Request", r.ID)))
	}
}

func drawReasonModal(kind string, r approvals.Request, carried modalRequest, w commands.Words) (slackgo.ModalViewRequest, error) {
	title := map[string]string{modalApprove: textButtonApprove, modalDeny: textButtonDeny, modalCancel: textButtonCancel}[kind]
	return drawForm(kind, w.Say(title), carried, w, []slackgo.Block{
		section(fit(r.Plan.Does.In(w.Lang), shareHeadline, ellipsis, strong)),
		reasonInput(w, w.Say(textReasonSeen)).WithOptional(kind == modalCancel),
	})
}

// drawForm is a modal that carries what it is about. Without a title for its
// button it cannot be submitted.
func drawForm(kind, title string, carried modalRequest, w commands.Words, blocks []slackgo.Block) (slackgo.ModalViewRequest, error) {
	raw, err := json.Marshal(carried)
	if err != nil {
		return slackgo.ModalViewRequest{}, err
	}
	return slackgo.ModalViewRequest{
		Type: slackgo.VTModal, CallbackID: kind, PrivateMetadata: string(raw),
		Title:  literal(fit(title, maxTitle, ellipsis, plain)),
		Submit: literal(fit(title, maxTitle, ellipsis, plain)),
		Close:  literal(fit(w.Say(textModalClose), maxTitle, ellipsis, plain)),
		Blocks: slackgo.Blocks{BlockSet: blocks},
	}, nil
}

func reasonInput(w commands.Words, hint string) *slackgo.InputBlock {
	line := slackgo.NewPlainTextInputBlockElement(nil, blockReason).WithMultiline(true).WithMaxLength(maxReason)
	return input(blockReason, w.Say(textReason), hint, line)
}

// submittedRequest does what somebody submitted in a modal about a request. It
// is nil for other modals.
func (b *Bot) submittedRequest(a ask, from *interaction) func(context.Context) {
	var carried modalRequest
	if b.opts.Approvals == nil || json.Unmarshal([]byte(from.View.PrivateMetadata), &carried) != nil {
		return nil
	}
	a.channel, a.thread, a.aside = carried.Channel, carried.Thread, carried.Aside
	reason := strings.TrimSpace(from.View.State.Values[blockReason][blockReason].text())
	ballot := approvals.Ballot{
		Request: carried.Request, Card: carried.Card, Channel: a.channel, By: a.user, Via: approvals.ByButton, Reason: reason,
	}
	switch from.View.CallbackID {
	case modalApprove:
		ballot.Choice = approvals.Approve
		return func(ctx context.Context) { b.vote(ctx, a, ballot) }
	case modalDeny:
		ballot.Choice = approvals.Deny
		return func(ctx context.Context) { b.vote(ctx, a, ballot) }
	case modalCancel:
		return func(ctx context.Context) { b.cancelAsked(ctx, a, carried.Request, reason) }
	case modalAsk:
		if carried.Ask == nil {
			return nil
		}
		want := carried.Ask.ask(a, reason)
		return func(ctx context.Context) { b.request(ctx, a, want) }
	}
	return nil
}

// ask is what the approvals are asked for.
func (r wantedRemedy) ask(a ask, reason string) approvals.Ask {
	return approvals.Ask{
		Check: r.Check, Remedy: r.Remedy, Service: r.Service, Params: r.Params, By: a.user, Via: approvals.ByButton, Reason: reason,
		Place: approvals.Place{Channel: a.channel, Thread: r.Thread},
	}
}
