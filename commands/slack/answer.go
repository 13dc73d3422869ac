package slack

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// respondTimeout bounds an answer that only the asker sees.
const respondTimeout = 30 * time.Second

// The marks before a notice.
const (
	markWorking = "⏳"
	markMissing = "⚠️"
	markBroken  = "❗"
	markHelp    = "❔"
	markHello   = "👋"
)

// answer answers one command, whatever happens meanwhile.
func (b *Bot) answer(ctx context.Context, a ask) {
	w := b.wordsOf(b.people.known(a.user))
	defer func() {
		if broken := recover(); broken != nil {
			b.logBroken(ctx, a, &commands.PanicError{Value: broken, Stack: debug.Stack()})
			b.whisper(ctx, a, drawNotice(markBroken, w.Internal(a.ref)))
		}
	}()
	command, err := commands.ParseChat(a.text)
	who, ok := b.judged(ctx, a, err == nil && b.audited(command))
	w = b.wordsOf(b.people.langOf(who.Locale))
	if !ok {
		return
	}
	if a.origin == bySlash && a.command != b.opts.Command {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say(textOtherCommand)))
		return
	}
	if err != nil {
		b.explain(ctx, a, w, commands.Guess(err, b.open(ctx, a, who)))
		return
	}
	b.obey(ctx, a, w, who, command)
}

// judged finds out who asks, and whether to go on. Whom the approvals judge they
// refuse themselves, and audit it.
func (b *Bot) judged(ctx context.Context, a ask, elsewhere bool) (commands.Person, bool) {
	if !elsewhere {
		return b.welcome(ctx, a)
	}
	who, _ := b.people.find(ctx, a.user, a.team) // whom nobody knows they refuse, too
	return who, true
}

// obey answers a command that was understood, if the asker may ask it.
func (b *Bot) obey(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) {
	if diagnose, ok := command.(commands.Diagnose); ok {
		b.examine(ctx, a, w, who, diagnose)
		return
	}
	if b.obeyApprovals(ctx, a, w, who, command) || b.obeyGuide(ctx, a, w, who, command) ||
		b.obeyRuns(ctx, a, w, who, command) || b.obeyWatches(ctx, a, w, who, command) {
		return
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: commands.CommandName(command)}) {
		return
	}
	switch command := command.(type) {
	case commands.WhoAmI:
		b.whisper(ctx, a, b.drawWhoAmI(ctx, a, w, who)...)
	case commands.Explain:
		b.explainCheck(ctx, a, w, who, command)
	default:
		page, err := commands.Answer(command, b.opts.Diagnoser, w, b.opts.Version)
		b.sayPage(ctx, a, w, page, err)
	}
}

// examine diagnoses a service, or the one that the conversation is about.
func (b *Bot) examine(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Diagnose) {
	var err error
	if what.Service == "" {
		what.Service, a.because, err = b.subject(ctx, a, w)
	}
	service := what.Service
	if err == nil {
		service, _, err = commands.Resolve(b.opts.Diagnoser, what)
	}
	if err != nil {
		b.explainService(ctx, a, w, who, err)
		return
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: commands.CommandName(what), Service: service}) {
		return
	}
	if wait, ok := b.quota.Take(who.ID); !ok {
		b.tooOften(ctx, a, w, wait)
		return
	}
	b.diagnose(ctx, a, w, what)
}

// explainService says which services there are when an ask names none, but only
// those that the asker may diagnose here. Who may diagnose nothing here reads
// who can.
func (b *Bot) explainService(ctx context.Context, a ask, w commands.Words, who commands.Person, err error) {
	if !b.allow(ctx, a, w, who, commands.Request{Command: commands.CommandName(commands.Diagnose{})}) {
		return
	}
	if unknown, ok := errors.AsType[*commands.UnknownServiceError](err); ok {
		err = &commands.UnknownServiceError{Name: unknown.Name, Known: b.open(ctx, a, who), Command: unknown.Command}
	}
	if which, ok := errors.AsType[*commands.WhichServiceError](err); ok {
		open := b.open(ctx, a, who)
		closed := func(service string) bool { return !slices.Contains(open, service) }
		err = &commands.WhichServiceError{Known: open, Named: slices.DeleteFunc(slices.Clone(which.Named), closed)}
	}
	b.explain(ctx, a, w, err)
}

// explainCheck explains a check, with what it said of the services that the
// asker may diagnose here.
func (b *Bot) explainCheck(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Explain) {
	check, err := commands.FindCheck(b.opts.Diagnoser, what.Code)
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	seen := slices.DeleteFunc(b.desk.Seen(check.Code), func(s commands.Seen) bool {
		return !b.decide(ctx, a, who, commands.Request{Command: "diagnose", Service: s.Service}).Allowed
	})
	b.sayPage(ctx, a, w, commands.ExplainPage(check, seen, w), nil)
}

func (b *Bot) sayPage(ctx context.Context, a ask, w commands.Words, page commands.Page, err error) {
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	b.whisper(ctx, a, drawPage(page, w)...)
	b.metrics.firstWord(b.opts.Now().Sub(a.at))
}

func (b *Bot) wordsOf(lang diagnostics.Lang) commands.Words {
	return b.vocabulary.Words(lang, b.opts.Command)
}

// explain tells the asker what is wrong with the command.
func (b *Bot) explain(ctx context.Context, a ask, w commands.Words, err error) {
	text, known := w.Explain(err)
	if known {
		b.whisper(ctx, a, drawNotice(markHelp, text))
		return
	}
	b.logBroken(ctx, a, err)
	b.whisper(ctx, a, drawNotice(markBroken, w.Internal(a.ref)))
}

// undelivered tells the asker why the channel shows nothing.
func (b *Bot) undelivered(ctx context.Context, a ask, w commands.Words, err error) {
	b.log.WarnContext(ctx, "write in a channel", "ask", a, "error", err)
	b.whisper(ctx, a, drawNotice(markMissing, b.whyUndelivered(a, w, err)))
}

func (b *Bot) whyUndelivered(a ask, w commands.Words, err error) string {
	switch code := troubleCode(err); code {
	case "not_in_channel", "channel_not_found":
		return w.Say(textInvite, "Bot", b.me.name)
	case "is_archived":
		return w.Say(textArchived)
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
		"restricted_action_non_threadable_channel", "ekm_access_denied":
		return w.Say(textRestricted)
	case "cannot_reply_to_message", "thread_not_found":
		return w.Say(textNoThread)
	case "ratelimited":
		return w.Say(textThrottled, "Ref", a.ref)
	default:
		return b.whyRefused(a, w, err)
	}
}

// whyRefused says why Slack did not do what the bot asked, and who can change
// that.
func (b *Bot) whyRefused(a ask, w commands.Words, err error) string {
	switch code := troubleCode(err); {
	case code == "missing_scope":
		refused, _ := errors.AsType[slackgo.SlackErrorResponse](err)
		return w.Say(textNoScope, "Scope", refused.Needed)
	case shutsOut(code):
		return w.Say(textShutOut, "Code", code)
	default:
		return w.Say(textRefused, "Code", code, "Ref", a.ref)
	}
}

// logBroken logs a defect under the reference that the person was given.
func (b *Bot) logBroken(ctx context.Context, a ask, err error) {
	attrs := []any{"ask", a, "error", err}
	if broken, ok := errors.AsType[*commands.PanicError](err); ok {
		attrs = append(attrs, "stack", string(broken.Stack))
	}
	b.log.ErrorContext(ctx, "internal error", attrs...)
}
