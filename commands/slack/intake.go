package slack

import (
	"context"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
)

// delivery is one thing that Slack delivered, by a websocket or over HTTP.
// Exactly one of the three payloads is set.
type delivery struct {
	command     *slackgo.SlashCommand
	interaction *slackgo.InteractionCallback
	event       *event
}

// acknowledge tells Slack that a delivery arrived, with an answer for the
// person who caused it, or nil. It says whether Slack could be told.
type acknowledge func(answer any) bool

// take is where both transports end: it acknowledges a delivery and gives it to
// the crew, without ever waiting for more than the acknowledgement. When the
// crew is full the acknowledgement itself says so.
func (b *Bot) take(ctx, jobs context.Context, d delivery, ack acknowledge) {
	job := b.route(d)
	if job.unknown {
		b.metrics.dropped(dropUnknown)
	}
	if job.run == nil { // nothing listens to it; unacknowledged it would come again
		ack(job.answer)
		return
	}
	seat, ok := b.crew.reserve()
	if !ok {
		b.log.WarnContext(ctx, "too many deliveries at once", "width", b.opts.Width)
		b.metrics.dropped(dropBusy)
		ack(b.busy(job.user))
		return
	}
	if !ack(job.answer) {
		b.metrics.dropped(dropUnacked)
		seat.free() // Slack tells the person that it failed: running it would belie that
		return
	}
	seat.run(func() { job.run(jobs) })
}

// job is what a delivery asks for.
type job struct {
	user    string // who asks, for an answer inside the acknowledgement
	answer  any    // goes into the acknowledgement
	run     func(context.Context)
	unknown bool // of a kind that the bot does not know
}

// route says what is to be done about a delivery.
func (b *Bot) route(d delivery) job {
	switch {
	case d.command != nil:
		return b.asking(slashAsk(*d.command, b.newRef()))
	case d.interaction != nil:
		return b.routeInteraction(*d.interaction)
	case d.event != nil:
		return b.routeEvent(d.event)
	}
	return job{}
}

func (b *Bot) asking(a ask) job {
	return job{user: a.user, run: func(ctx context.Context) { b.answer(commands.WithRequest(ctx, a.ref), a) }}
}

// busy is the answer inside an acknowledgement. It waits for nothing: the
// person's language is used when it happens to be known.
func (b *Bot) busy(user string) any {
	return map[string]any{
		"response_type": slackgo.ResponseTypeEphemeral,
		"text":          prose(b.wordsOf(b.people.known(user)).Say(textBusy)),
	}
}
