package slack

import (
	"context"

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
	safe := mark + " " + actor(a.user) + " · " + fit(text, sharePart, ellipsis, prose)
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
