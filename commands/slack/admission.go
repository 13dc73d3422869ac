package slack

import (
	"context"
	"sync"

	"tandem/commands"
)

// apologists is how many people are told at once that they are not answered.
const apologists = 8

// place is the right to be answered: of the person, and of the crew.
type place struct {
	*seat
	leave func()
}

// free gives the place back unused.
func (p *place) free() {
	p.leave()
	p.seat.free()
}

// run calls f when its turn comes soon, else late.
func (p *place) run(ctx context.Context, f, late func(context.Context)) {
	leave := sync.OnceFunc(p.leave)
	once := func(g func(context.Context)) func(context.Context) {
		return func(ctx context.Context) {
			defer leave()
			g(ctx)
		}
	}
	p.seat.run(ctx, once(f), once(late))
}

// refusedPlace is why somebody is not answered.
type refusedPlace struct {
	why   drop
	text  string // id of what the person reads
	quiet bool   // the person was told a moment ago
	ask   ask
}

// admit takes a place for an ask, or says why there is none.
func (b *Bot) admit(a ask) (*place, refusedPlace) {
	leave := func() {}
	if a.user != "" {
		var first bool
		if leave, first = b.flood.enter(a.team + " " + a.user); leave == nil {
			return nil, refusedPlace{why: dropFlood, text: textFlood, quiet: !first, ask: a}
		}
	}
	seat, ok := b.crew.reserve()
	if !ok {
		leave()
		return nil, refusedPlace{why: dropBusy, text: textBusy, ask: a}
	}
	return &place{seat: seat, leave: leave}, refusedPlace{}
}

// turnAway acknowledges a delivery for which there is no place. A command's
// person reads why in the acknowledgement, others in a message of their own, as
// far as there is time for it.
func (b *Bot) turnAway(ctx, jobs context.Context, d delivery, r refusedPlace, ack acknowledge) {
	b.metrics.dropped(r.why)
	if !r.quiet {
		b.log.WarnContext(commands.WithRequest(ctx, r.ask.ref), "turned an ask away", "ask", r.ask, "why", string(r.why))
	}
	var answer any
	if d.command != nil {
		answer = b.whyTurnedAway(r)
	}
	if !ack(answer) {
		b.seen.forget(d.marks()...) // Slack delivers an event again, when there may be a place
		return
	}
	if d.command != nil || r.quiet {
		return
	}
	if seat, ok := b.apologists.reserve(); ok {
		say := func(ctx context.Context) { b.apologise(ctx, r) }
		seat.run(commands.WithRequest(jobs, r.ask.ref), say, say)
	}
}

// whyTurnedAway is the answer inside an acknowledgement. It waits for nothing: the
// person's language is used when it happens to be known.
func (b *Bot) whyTurnedAway(r refusedPlace) any {
	return b.turnedAway[turnedAwayKey{b.people.known(r.ask.user), r.text}]
}

// apologise tells a person alone that they are not answered, where there is a
// place for that.
func (b *Bot) apologise(ctx context.Context, r refusedPlace) {
	b.tell(ctx, r.ask, markMissing, b.wordsOf(b.people.known(r.ask.user)).Say(r.text))
}

// tell says something to a person alone, where there is a place for that: who
// clicked on the Home tab has none.
func (b *Bot) tell(ctx context.Context, a ask, mark, text string) {
	if a.address != "" || a.user != "" && a.channel != "" {
		b.whisper(ctx, a, drawNotice(mark, text))
	}
}

// tooLate tells a person whose turn did not come in time.
func (b *Bot) tooLate(ctx context.Context, a ask) {
	b.metrics.dropped(dropBusy)
	b.log.WarnContext(ctx, "an ask waited in vain", "ask", a)
	b.apologise(ctx, refusedPlace{why: dropBusy, text: textBusy, ask: a})
}
