package slack

import (
	"context"

	"tandem/approvals"
	"tandem/commands"
)

// drawPolicy says for each risk what the asker may ask for and approve, and who
// can where the asker cannot.
func (b *Bot) drawPolicy(ctx context.Context, w commands.Words, who commands.Person) []chunk {
	if b.opts.Approvals == nil {
		return nil
	}
	policy := b.opts.Approvals.Policy()
	chunks := []chunk{{safe: strong(w.Say(textPolicy)), apart: true}}
	for _, risk := range []approvals.Risk{approvals.Low, approvals.Medium, approvals.High} {
		chunks = append(chunks, chunk{safe: b.drawRule(ctx, w, who, risk, policy.Risks[risk])})
	}
	if glass := policy.BreakGlass; glass != nil {
		if in, err := glass.Who.Has(ctx, b.directory, who.ID); err == nil && in {
			chunks = append(chunks, chunk{safe: markBroken + " " + prose(w.Say(textPolicyGlass))})
		}
	}
	return chunks
}

func (b *Bot) drawRule(ctx context.Context, w commands.Words, who commands.Person, risk approvals.Risk, rule approvals.Rule) string {
	name := strong(w.Say("plan_risk", "Risk", w.Risk(risk)))
	if rule.Approve.Nobody() {
		return name + " · " + markRefused + " " + prose(w.Say(textPolicyNobody))
	}
	return name + " · " + prose(w.Say(textPolicyAsk)) + " " + b.drawMay(ctx, who, rule.Ask, rule.Ask.Nobody()) +
		" · " + prose(w.Say(textPolicyApprove)) + " " + b.drawMay(ctx, who, rule.Approve, false)
}

// drawMay is whether somebody is meant, or who is.
func (b *Bot) drawMay(ctx context.Context, who commands.Person, meant approvals.Who, everyone bool) string {
	in, err := meant.Has(ctx, b.directory, who.ID)
	switch {
	case everyone, in:
		return "✅"
	case err != nil:
		return "❔ " + drawWho(meant)
	default:
		return markRefused + " " + drawWho(meant)
	}
}
