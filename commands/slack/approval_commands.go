package slack

import (
	"context"
	"strings"

	"tandem/approvals"
	"tandem/commands"
)

// listed is how many requests a list has at most.
const listed = 20

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
	}
	return nil
}

// requestID is an id as people type it.
func requestID(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// fix asks for a remedy by its name or by a finding, or says what it would do.
func (b *Bot) fix(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Fix) {
	var err error
	if what.Service == "" {
		what.Service, a.because, err = b.subject(ctx, a, w)
	}
	service := what.Service
	if err == nil {
		service, _, err = commands.Resolve(b.opts.Diagnoser, commands.Diagnose{Service: what.Service})
	}
	if err != nil {
		b.explainService(ctx, a, w, who, err)
		return
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: commands.CommandName(what), Service: service}) {
		return
	}
	want := approvals.Ask{
		Check: what.Check(), Remedy: what.Remedy(), Service: service, Params: commands.ParamsOf(what.Param), By: who.ID,
		Via: approvals.ByCommand, Reason: what.Reason, BreakGlass: what.BreakGlass, Lang: string(w.Lang),
		Place: approvals.Place{Channel: a.channel, Thread: a.thread},
	}
	if what.DryRun {
		b.dryRun(ctx, a, w, want)
		return
	}
	b.request(ctx, a, want)
}
