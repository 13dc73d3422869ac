package slack

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
)

// keepTime bounds how long a verdict waits until it is kept.
const keepTime = 3 * time.Second

// keep keeps a whole diagnosis, and returns the id under which it is kept. That
// it cannot be is the log's matter: the verdict is told all the same.
func (b *Bot) keep(ctx context.Context, run *commands.Inquiry, report diagnostics.Report) (id string) {
	if b.opts.Runs == nil {
		return ""
	}
	defer func() {
		if broken := recover(); broken != nil {
			b.log.ErrorContext(ctx, "internal error", "ref", run.ID, "error", &commands.PanicError{Value: broken}, "stack", string(debug.Stack()))
			id = ""
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	kept := diagnostics.NewRun(report, diagnostics.FromSlack, run.Since, true)
	kept.Who, kept.Where = run.Who, run.Where
	id, err := b.opts.Runs.SaveRun(ctx, kept)
	if err != nil {
		b.log.WarnContext(ctx, "a diagnosis is not kept", "ref", run.ID, "service", run.Service, "error", err)
		return ""
	}
	b.log.InfoContext(ctx, "kept a diagnosis", "ref", run.ID, "run", id, "service", run.Service)
	return id
}

// obeyRuns answers a command about runs that are kept, if the asker may diagnose
// the service, and says whether it was one.
func (b *Bot) obeyRuns(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) bool {
	switch command := command.(type) {
	case commands.ListRuns:
		b.listRuns(ctx, a, w, who, command)
	case commands.Diff:
		b.showDiff(ctx, a, w, who, command)
	default:
		return false
	}
	return true
}

// kept is the service that is meant, if the asker may see its runs: who may
// diagnose it may.
func (b *Bot) kept(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command, service string) (string, bool) {
	if b.opts.Runs == nil {
		if b.allow(ctx, a, w, who, commands.Request{Command: "diagnose"}) {
			b.whisper(ctx, a, drawNotice(markHelp, w.Say("no_store")))
		}
		return "", false
	}
	return b.readableAs(ctx, a, w, who, commands.CommandName(command), "diagnose", service)
}

// listRuns shows the asker which runs of a service are kept.
func (b *Bot) listRuns(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.ListRuns) {
	service, ok := b.kept(ctx, a, w, who, what, what.Service)
	if !ok {
		return
	}
	found, err := b.opts.Runs.ListRuns(ctx, service, commands.RunsAsked)
	if err != nil {
		b.untold(ctx, a, w, err)
		return
	}
	b.sayPage(ctx, a, w, commands.RunsPage(service, found, b.opts.Now(), w), nil)
}

// showDiff shows everybody what changed between two runs. That there are none to
// compare only the asker is told.
func (b *Bot) showDiff(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Diff) {
	service, ok := b.kept(ctx, a, w, who, what, what.Service)
	if !ok {
		return
	}
	compared, err := commands.CompareRuns(ctx, b.opts.Runs, service, what.Run)
	if _, none := errors.AsType[*commands.NoRunError](err); none {
		b.explain(ctx, a, w, err)
		return
	}
	if err != nil {
		b.untold(ctx, a, w, err)
		return
	}
	b.present(ctx, a, w, who, service, func(context.Context) (commands.Digest, error) {
		return commands.DiffDigest(compared, b.opts.Now(), w), nil
	})
}

// untold tells the asker that the database did not answer. Its errors hold no
// secret, and say the next step themselves.
func (b *Bot) untold(ctx context.Context, a ask, w commands.Words, err error) {
	b.log.WarnContext(ctx, "read runs that are kept", "ask", a, "error", err)
	b.whisper(ctx, a, drawNotice(markMissing, w.Say("runs_unread")+"\n"+w.Technically(err.Error())))
}
