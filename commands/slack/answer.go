package slack

import (
	"context"
	"errors"
	"runtime/debug"
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
	w = b.wordsOf(b.people.language(ctx, a.user))
	if a.origin == bySlash && a.command != b.opts.Command {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say(textOtherCommand)))
		return
	}
	command, err := commands.ParseChat(a.text)
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	if diagnose, ok := command.(commands.Diagnose); ok {
		b.diagnose(ctx, a, w, diagnose)
		return
	}
	page, err := commands.Answer(command, b.opts.Diagnoser, w, b.opts.Version)
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
		return w.Say(textInvite, "Bot", b.self)
	case "is_archived":
		return w.Say(textArchived)
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel":
		return w.Say(textRestricted)
	case "missing_scope":
		refused, _ := errors.AsType[slackgo.SlackErrorResponse](err)
		return w.Say(textNoScope, "Scope", refused.Needed)
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
