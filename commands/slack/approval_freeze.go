package slack

import (
	"context"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

const markFrozen = "🧊"

// freeze pulls the kill switch, and tells the channel: it concerns everybody.
func (b *Bot) freeze(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Freeze) {
	target := what.Target
	if who.Standing == commands.Member { // others are refused whatever they mean
		var err error
		if target, err = commands.FreezeTarget(what.Target, b.opts.Diagnoser.Services()); err != nil {
			b.explain(ctx, a, w, err)
			return
		}
	}
	if err := b.opts.Approvals.Freeze(ctx, target, who.ID, what.Reason); err != nil {
		b.deny(ctx, a, err)
		return
	}
	b.proclaim(ctx, a, w, markFrozen, w.Froze(approvals.Freeze{Target: target, Reason: what.Reason}))
}

// unfreeze lets go of the kill switch, and tells the channel.
func (b *Bot) unfreeze(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Unfreeze) {
	target := what.Target
	if who.Standing == commands.Member {
		held, err := b.opts.Approvals.Freezes(ctx)
		if err != nil {
			b.explainRefusal(ctx, a, w, err)
			return
		}
		if target, err = commands.UnfreezeTarget(what.Target, held); err != nil {
			b.explain(ctx, a, w, err)
			return
		}
	}
	if err := b.opts.Approvals.Unfreeze(ctx, target, who.ID, what.Reason); err != nil {
		b.deny(ctx, a, err)
		return
	}
	left, err := b.opts.Approvals.Freezes(ctx)
	if err != nil {
		b.log.WarnContext(ctx, "read what is frozen still", "ask", a, "error", err) // the answer says less
	}
	b.proclaim(ctx, a, w, "▶️", w.Unfroze(target, left))
}

// proclaim tells the whole channel what somebody did. Where that cannot be, the
// person at least reads that it is done.
func (b *Bot) proclaim(ctx context.Context, a ask, w commands.Words, mark, text string) {
	b.proclaimOf(ctx, a, w, mark, text, "")
}

// proclaimOf is proclaim of a text that names a person by the account.
func (b *Bot) proclaimOf(ctx context.Context, a ask, w commands.Words, mark, text, person string) {
	safe := mark + " " + actor(a.user) + " · " + calling(fit(text, sharePart, ellipsis, prose), person)
	m := message{text: fallback(text), blocks: []slackgo.Block{section(safe)}}
	if a.place() == commands.DirectMessages {
		b.whisper(ctx, a, m)
		return
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	if _, err := b.web.post(ctx, a.channel, "", m); err != nil {
		b.log.WarnContext(ctx, "tell a channel", "ask", a, "error", err)
		b.whisper(ctx, a, drawNotice(mark, text), drawNotice(markMissing, b.whyUndelivered(a, w, err)))
	}
}

// calling is a safe text in which an account is a mention; what is no account
// stands as it is.
func calling(safe, person string) string {
	if id := (ask{user: person}).asker(); id != "" {
		return strings.ReplaceAll(safe, id, tag(id))
	}
	return safe
}
