package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
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
)

// ask is one command that a person gave.
type ask struct {
	command, text string
	channel, user string
	address       string // takes answers that only the asker sees; a secret
	ref           string // names this run to people and in the log
}

func newAsk(c slackgo.SlashCommand, ref string) ask {
	return ask{command: c.Command, text: c.Text, channel: c.ChannelID, user: c.UserID, address: c.ResponseURL, ref: ref}
}

// LogValue leaves the address out, and what the person wrote.
func (a ask) LogValue() slog.Value {
	return slog.GroupValue(slog.String("ref", a.ref), slog.String("channel", a.channel), slog.String("user", a.user))
}

// asker returns the person's id when it is one.
func (a ask) asker() string {
	if regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`).MatchString(a.user) {
		return a.user
	}
	return ""
}

// newRef returns a reference that is easy to read out.
func newRef() string { return rand.Text()[:8] }

// answer answers one command, whatever happens meanwhile.
func (b *Bot) answer(ctx context.Context, a ask) {
	w := b.wordsOf(b.people.known(a.user))
	defer func() {
		if broken := recover(); broken != nil {
			b.logBroken(ctx, a, newPanic(broken))
			b.whisper(ctx, a, drawNotice(markBroken, w.Internal(a.ref)))
		}
	}()
	w = b.wordsOf(b.people.language(ctx, a.user))
	if a.command != b.opts.Command {
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

// whisper answers the asker alone. It works in channels where the bot is not.
func (b *Bot) whisper(ctx context.Context, a ask, messages ...message) {
	ctx, cancel := outlive(ctx)
	defer cancel()
	ctx, cancelTimeout := context.WithTimeout(ctx, respondTimeout)
	defer cancelTimeout()
	for _, m := range messages {
		if err := b.web.respond(ctx, a.address, m); err != nil {
			b.log.ErrorContext(ctx, "answer a person", "ask", a, "error", err)
			return
		}
	}
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

// panicError is a panic that became an error, with where it happened.
type panicError struct {
	value any
	stack []byte
}

func newPanic(value any) *panicError { return &panicError{value, debug.Stack()} }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// logBroken logs a defect under the reference that the person was given.
func (b *Bot) logBroken(ctx context.Context, a ask, err error) {
	attrs := []any{"ask", a, "error", err}
	if broken, ok := errors.AsType[*panicError](err); ok {
		attrs = append(attrs, "stack", string(broken.stack))
	}
	b.log.ErrorContext(ctx, "internal error", attrs...)
}
