package slack

import (
	"bytes"
	"context"
	"strings"

	"tandem/approvals"
	"tandem/commands"
)

// listed is how many requests a list has at most.
const listed = 20

// audited says whether a command is judged by the approvals, which audit whom
// they refuse: also those to whom the bot would not answer otherwise.
func (b *Bot) audited(command commands.Command) bool {
	switch command.(type) {
	case commands.Fix, commands.Procedure, commands.Approve, commands.Deny, commands.Cancel, commands.Freeze, commands.Unfreeze:
		return b.opts.Approvals != nil
	}
	return false
}

// obeyApprovals answers the commands about remedies and requests. It returns
// false for other commands.
func (b *Bot) obeyApprovals(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) bool {
	do := b.aboutApprovals(a, w, who, command)
	if do == nil {
		return false
	}
	if b.opts.Approvals == nil {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say(textNoApprovals)))
		return true
	}
	do(ctx)
	return true
}

// aboutApprovals is what a command about remedies and requests does, or nil.
func (b *Bot) aboutApprovals(a ask, w commands.Words, who commands.Person, command commands.Command) func(context.Context) {
	ballot := approvals.Ballot{Channel: a.channel, By: who.ID, Via: approvals.ByCommand}
	switch c := command.(type) {
	case commands.Fix:
		return func(ctx context.Context) { b.fix(ctx, a, w, who, c) }
	case commands.Procedure:
		return func(ctx context.Context) { b.fix(ctx, a, w, who, c.Fix()) }
	case commands.Approve:
		ballot.Request, ballot.Choice, ballot.Reason = requestID(c.ID), approvals.Approve, c.Reason
		return func(ctx context.Context) { b.vote(ctx, a, ballot) }
	case commands.Deny:
		ballot.Request, ballot.Choice, ballot.Reason = requestID(c.ID), approvals.Deny, c.Reason()
		return func(ctx context.Context) { b.vote(ctx, a, ballot) }
	case commands.Cancel:
		return func(ctx context.Context) { b.cancelAsked(ctx, a, requestID(c.ID), c.Reason()) }
	case commands.Requests:
		return func(ctx context.Context) { b.requests(ctx, a, w, who, c) }
	case commands.Audit:
		return func(ctx context.Context) { b.audit(ctx, a, w, who, requestID(c.ID)) }
	case commands.Freeze:
		return func(ctx context.Context) { b.freeze(ctx, a, w, who, c) }
	case commands.Unfreeze:
		return func(ctx context.Context) { b.unfreeze(ctx, a, w, who, c) }
	}
	return nil
}

// requestID is an id as people type it.
func requestID(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// fix asks for a remedy by its name or by a finding, or says what it would do.
func (b *Bot) fix(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Fix) {
	var err error
	service, member := what.Service, who.Standing == commands.Member
	if service == "" && member {
		service, a.because, err = b.subject(ctx, a, w)
	}
	if err == nil && member {
		service, _, err = commands.Resolve(b.opts.Diagnoser, commands.Diagnose{Service: service})
	}
	if err != nil {
		b.explainService(ctx, a, w, who, err)
		return
	}
	want := approvals.Ask{
		Check: what.Check(), Remedy: what.Remedy(), Service: service, Params: commands.ParamsOf(what.Param), By: who.ID,
		Via: approvals.ByCommand, Reason: what.Reason, BreakGlass: what.BreakGlass, Lang: string(w.Lang),
		Place: approvals.Place{Channel: a.channel, Thread: a.thread},
	}
	if what.DryRun {
		b.dryRun(ctx, a, w, who, want)
		return
	}
	b.request(ctx, a, want)
}

// requests lists requests, or shows one whole, to the asker alone.
func (b *Bot) requests(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Requests) {
	filter := approvals.Filter{Limit: listed + 1}
	switch what.Which {
	case "":
		filter.States = approvals.Open()
	case commands.PendingRequests:
		filter.States = []approvals.State{approvals.Pending}
	case commands.MyRequests:
		filter.Requester = who.ID
	default:
		b.showRequest(ctx, a, w, who, requestID(what.Which))
		return
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: commands.CommandName(what)}) {
		return
	}
	list, err := b.list(ctx, a, who, filter)
	if err == nil {
		list.Frozen, err = b.opts.Approvals.Freezes(ctx)
	}
	if err != nil {
		b.explainRefusal(ctx, a, w, err)
		return
	}
	list.Which = what.Which
	b.sayPage(ctx, a, w, commands.RequestsPage(list, w), nil)
}

// list reads requests, without those of services that the asker may not see here.
func (b *Bot) list(ctx context.Context, a ask, who commands.Person, filter approvals.Filter) (commands.Listing, error) {
	list := commands.Listing{Now: b.opts.Now(), Link: b.linkTo}
	found, err := b.opts.Approvals.List(ctx, filter)
	if err != nil {
		return list, err
	}
	list.More = len(found) > listed
	for _, r := range found[:min(len(found), listed)] {
		if b.decide(ctx, a, who, commands.Request{Command: "requests", Service: r.Plan.Service}).Allowed {
			list.Requests = append(list.Requests, r)
		}
	}
	return list, nil
}

func (b *Bot) showRequest(ctx context.Context, a ask, w commands.Words, who commands.Person, id string) {
	r, trail, ok := b.trailOf(ctx, a, w, who, "requests", id)
	if ok {
		b.sayPage(ctx, a, w, commands.RequestPage(r, trail, b.linkTo(r), w), nil)
	}
}

// audit tells the asker alone what the audit has of a request, in a file when it
// is long.
func (b *Bot) audit(ctx context.Context, a ask, w commands.Words, who commands.Person, id string) {
	_, trail, ok := b.trailOf(ctx, a, w, who, "audit", id)
	if !ok {
		return
	}
	page := commands.TrailPage(id, trail, w)
	messages, whole := drawPages(page, w)
	if !whole {
		messages = []message{b.fileDirectly(ctx, a, w, page, "audit-"+fileName(id)+".txt")}
	}
	b.whisper(ctx, a, messages...)
}

// trailOf reads a request and its audit for somebody who may see it here.
func (b *Bot) trailOf(ctx context.Context, a ask, w commands.Words, who commands.Person, command, id string) (approvals.Request, []approvals.Entry, bool) {
	if !b.allow(ctx, a, w, who, commands.Request{Command: command}) {
		return approvals.Request{}, nil, false
	}
	r, err := b.opts.Approvals.Find(ctx, id)
	if err == nil && !b.allow(ctx, a, w, who, commands.Request{Command: command, Service: r.Plan.Service}) {
		return r, nil, false
	}
	var trail []approvals.Entry
	if err == nil {
		trail, err = b.opts.Approvals.Trail(ctx, id)
	}
	if err != nil {
		b.explainRefusal(ctx, a, w, err)
	}
	return r, trail, err == nil
}

// fileDirectly sends a page as a file to a person alone, and says so.
func (b *Bot) fileDirectly(ctx context.Context, a ask, w commands.Words, page commands.Page, name string) message {
	var text bytes.Buffer
	err := commands.Terminal{Out: &text}.Page(page)
	channel := ""
	if err == nil {
		channel, err = b.web.openDirect(ctx, a.user)
	}
	if err == nil {
		err = b.web.upload(ctx, channel, "", file{name: name, title: name, text: printable(text.String())})
	}
	if err != nil {
		b.log.WarnContext(ctx, "send a file to a person", "ask", a, "error", err)
		return drawNotice(markMissing, w.Say(textFileUnsent)+"\n"+b.whyRefused(a, w, err))
	}
	return drawNotice("📎", w.Say(textFileSent, "File", name))
}

// linkTo is the address of a request's card; empty when there is none yet.
func (b *Bot) linkTo(r approvals.Request) string {
	if r.Card.TS == "" {
		return ""
	}
	link := b.linkToMessage(r.Card.Channel, r.Card.TS)
	if link != "" && r.Place.Thread != "" {
		link += "?thread_ts=" + r.Place.Thread + "&cid=" + r.Card.Channel
	}
	return link
}
