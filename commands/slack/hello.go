package slack

import (
	"context"
	"time"
)

// helloTimeout bounds the bot's first words in a channel.
const helloTimeout = time.Minute

// routeJoin routes the news that somebody joined a channel, which matters when
// it is the bot.
func (b *Bot) routeJoin(e *event) job {
	if string(e.Event.User) != b.me.user {
		return job{}
	}
	a := b.eventAsk(byMention, e)
	a.user = string(e.Event.Inviter)
	return job{ask: a, run: func(ctx context.Context) { b.sayHello(ctx, a) }}
}

// sayHello says in a channel what people can ask there, in the language of who
// invited the bot.
func (b *Bot) sayHello(ctx context.Context, a ask) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	w := b.wordsOf(b.opts.Language)
	if a.user != "" {
		w = b.wordsOf(b.people.language(ctx, a.user))
	}
	if _, err := b.web.post(ctx, a.channel, "", drawNotice(markHello, w.Say(textHello, "Bot", b.me.name))); err != nil {
		b.log.WarnContext(ctx, "say hello in a channel", "ask", a, "error", err)
	}
}
