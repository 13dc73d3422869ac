package slack

import (
	"cmp"
	"context"

	slackgo "github.com/slack-go/slack"
)

// routeInteraction routes clicks, shortcuts and what modals submit. Nobody
// needs to hear that a modal was closed.
func (b *Bot) routeInteraction(from slackgo.InteractionCallback) job {
	switch from.Type {
	case slackgo.InteractionTypeBlockActions:
		return b.routeClick(from)
	case slackgo.InteractionTypeMessageAction, slackgo.InteractionTypeShortcut:
		a := b.interactionAsk(byShortcut, from)
		return job{ask: a, run: func(ctx context.Context) { b.shortcut(ctx, a, &from) }}
	case slackgo.InteractionTypeViewSubmission:
		a := b.interactionAsk(byShortcut, from)
		answer, run := b.submitted(a, &from)
		return job{ask: a, answer: answer, run: run}
	}
	return job{}
}

func (b *Bot) routeClick(from slackgo.InteractionCallback) job {
	if len(from.ActionCallback.BlockActions) == 0 {
		return job{}
	}
	action := from.ActionCallback.BlockActions[0] // Slack sends one a click
	a := b.interactionAsk(byButton, from)
	a.text = action.Value
	return job{ask: a, run: func(ctx context.Context) { b.act(ctx, a, action, &from) }}
}

// interactionAsk is an ask in the place where somebody clicked.
func (b *Bot) interactionAsk(by origin, from slackgo.InteractionCallback) ask {
	return ask{
		origin: by, team: cmp.Or(from.User.TeamID, from.Team.ID), user: from.User.ID,
		channel: cmp.Or(from.Channel.ID, from.Container.ChannelID),
		thread:  cmp.Or(from.Container.ThreadTs, from.Message.ThreadTimestamp),
		address: from.ResponseURL, at: b.opts.Now(), ref: b.newRef(),
	}
}
