package slack

import (
	"context"
	"runtime/debug"

	"tandem/commands"
)

// delivery is one thing that Slack delivered, by a websocket or over HTTP.
// Exactly one of the three payloads is set.
type delivery struct {
	command     *slash
	interaction *interaction
	event       *event
}

// kind names a delivery to operators.
func (d delivery) kind() deliveryKind {
	switch {
	case d.command != nil:
		return deliveredCommand
	case d.interaction != nil:
		return deliveredInteraction
	default:
		return deliveredEvent
	}
}

// acknowledge tells Slack that a delivery arrived, with an answer for the
// person who caused it, or nil. It says whether Slack could be told.
type acknowledge func(answer any) bool

// take is where both transports end: it acknowledges a delivery and gives it to
// the crew, without ever waiting for more than the acknowledgement. What came
// before is acknowledged and left alone. Who asks too much, and whoever asks
// when the crew is full, reads so in the acknowledgement where it can hold that.
func (b *Bot) take(ctx, jobs context.Context, d delivery, ack acknowledge) {
	ack = b.measured(d, ack)
	marks := d.marks()
	if !b.seen.first(marks...) {
		b.metrics.dropped(dropDuplicate)
		ack(nil)
		return
	}
	job := b.routed(ctx, d)
	if job.drop != "" {
		b.metrics.dropped(job.drop)
	}
	if job.run == nil { // nothing listens to it; unacknowledged it would come again
		ack(job.answer)
		return
	}
	place, refused := b.admit(job.ask)
	if place == nil {
		b.turnAway(ctx, jobs, d, refused, ack)
		return
	}
	if !ack(job.answer) {
		b.metrics.dropped(dropUnacked)
		b.seen.forget(marks...) // Slack delivers an event again
		place.free()            // it tells the person that a command failed: running it would belie that
		return
	}
	place.run(commands.WithRequest(jobs, job.ask.ref), b.guarded(job), func(ctx context.Context) { b.tooLate(ctx, job.ask) })
}

// measured counts the acknowledgement, and how long it took.
func (b *Bot) measured(d delivery, ack acknowledge) acknowledge {
	start := b.opts.Now()
	return func(answer any) bool {
		ok := ack(answer)
		b.metrics.acked(d.kind(), ok, b.opts.Now().Sub(start))
		return ok
	}
}

// job is what a delivery asks for.
type job struct {
	ask    ask
	answer any // goes into the acknowledgement
	run    func(context.Context)
	drop   drop // why nothing is done, when that is to be counted
}

// guarded is what a job does, and what is said when it breaks.
func (b *Bot) guarded(j job) func(context.Context) {
	return func(ctx context.Context) {
		defer func() {
			if broken := recover(); broken != nil {
				b.logBroken(ctx, j.ask, &commands.PanicError{Value: broken, Stack: debug.Stack()})
				b.tell(ctx, j.ask, markBroken, b.wordsOf(b.people.known(j.ask.user)).Internal(j.ask.ref))
			}
		}()
		j.run(ctx)
	}
}

// routed routes a delivery, one that breaks the routing as well.
func (b *Bot) routed(ctx context.Context, d delivery) (j job) {
	defer func() {
		if broken := recover(); broken != nil {
			b.logBroken(ctx, ask{ref: b.newRef()}, &commands.PanicError{Value: broken, Stack: debug.Stack()})
			j = job{}
		}
	}()
	return b.route(d)
}

// route says what is to be done about a delivery.
func (b *Bot) route(d delivery) job {
	switch {
	case d.command != nil:
		return b.asking(slashAsk(d.command, b.opts.Now(), b.newRef()))
	case d.interaction != nil:
		return b.routeInteraction(d.interaction)
	case d.event != nil:
		return b.routeEvent(d.event)
	}
	return job{}
}

func (b *Bot) asking(a ask) job {
	return job{ask: a, run: func(ctx context.Context) { b.answer(ctx, a) }}
}
