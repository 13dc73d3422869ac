package slack

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/commands"
)

const (
	markRefused = "🚫"
	maxRules    = 8  // shown in a refusal
	maxNamed    = 12 // people, groups or channels of one rule
)

// mayAsk says whether the asker may ask something here, and the words to go on
// in. Whoever may not is told so, privately.
func (b *Bot) mayAsk(ctx context.Context, a ask, what commands.Request) (commands.Words, bool) {
	who, ok := b.welcome(ctx, a)
	w := b.wordsOf(b.people.langOf(who.Locale))
	return w, ok && b.allow(ctx, a, w, who, what)
}

// welcome finds out who asks and says whether that is a member of the
// workspace. Others are told privately that they are not answered. Automata are
// told nothing: they could answer.
func (b *Bot) welcome(ctx context.Context, a ask) (commands.Person, bool) {
	who, err := b.people.find(ctx, a.user, a.team)
	w := b.wordsOf(b.people.langOf(who.Locale))
	if err == nil && who.Standing == commands.Member {
		return who, true
	}
	b.log.WarnContext(ctx, "refused an ask", "ask", a, "standing", string(who.Standing))
	b.metrics.refused(refusalOf(who.Standing))
	switch who.Standing {
	case commands.Automaton:
	case commands.Guest:
		b.refuse(ctx, a, w.Say(textRefusedGuest))
	case commands.Deactivated:
		b.refuse(ctx, a, w.Say(textRefusedDeactivated))
	case commands.Stranger:
		b.refuse(ctx, a, w.Say(textRefusedStranger))
	default:
		b.refuse(ctx, a, w.Say(textRefusedUnknown)+"\n"+b.whyRefused(a, w, err))
	}
	return who, false
}

func refusalOf(standing commands.Standing) refusal {
	switch standing {
	case commands.Automaton:
		return refusedBot
	case commands.Guest:
		return refusedGuest
	case commands.Deactivated:
		return refusedDeleted
	case commands.Stranger:
		return refusedTeam
	default:
		return refusedUnknown
	}
}

func (b *Bot) refuse(ctx context.Context, a ask, text string) {
	b.whisper(ctx, a, drawNotice(markRefused, text))
}

// decide judges a request by the rules, in the place where it is made.
func (b *Bot) decide(ctx context.Context, a ask, who commands.Person, what commands.Request) commands.Decision {
	what.Channel = a.place()
	return commands.Decide(who, what, b.opts.Access, func(group string) (bool, error) {
		return b.groups.has(ctx, group, who.ID)
	})
}

// open are the services that somebody may diagnose in the place of the ask.
func (b *Bot) open(ctx context.Context, a ask, who commands.Person) []string {
	return slices.DeleteFunc(slices.Clone(b.opts.Diagnoser.Services()), func(service string) bool {
		return !b.decide(ctx, a, who, commands.Request{Command: "diagnose", Service: service}).Allowed
	})
}

// place is where the ask is made, as rules call it.
func (a ask) place() string {
	if a.origin == byDirect || a.origin == byHome || strings.HasPrefix(a.channel, "D") {
		return commands.DirectMessages
	}
	return a.channel
}

// allow says whether a member may ask something here, and tells who may not
// who can.
func (b *Bot) allow(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Request) bool {
	d := b.decide(ctx, a, who, what)
	if d.Allowed {
		return true
	}
	b.log.InfoContext(ctx, "refused an ask", "ask", a, "command", what.Command, "service", what.Service, "reason", string(d.Reason))
	b.metrics.refused(refusedPolicy)
	b.whisper(ctx, a, b.drawRefusal(a, d, what, w))
	return false
}

// tooOften tells somebody when to ask again.
func (b *Bot) tooOften(ctx context.Context, a ask, w commands.Words, wait time.Duration) {
	b.log.InfoContext(ctx, "refused an ask", "ask", a, "reason", string(commands.TooManyAsks))
	b.metrics.refused(refusedRate)
	wait = max(time.Second, wait.Round(time.Second))
	b.refuse(ctx, a, w.Say(textRefusedRate, "Limit", b.opts.Diagnoses, "Wait", commands.Short(wait)))
}

// drawRefusal says who may ask instead, and where.
func (b *Bot) drawRefusal(a ask, d commands.Decision, what commands.Request, w commands.Words) message {
	said := "`" + strings.TrimSpace(what.Command+" "+what.Service) + "`"
	text := w.Say(reasonText(d.Reason), "What", said)
	chunks := []chunk{{safe: markRefused + " " + prose(text)}}
	for _, rule := range drawRules(d, w) {
		chunks = append(chunks, chunk{safe: "• " + rule})
	}
	return sections(text, append(chunks, b.drawUnread(a, d, w)...))
}

// drawUnread says which groups could not be read, and what helps.
func (b *Bot) drawUnread(a ask, d commands.Decision, w commands.Words) []chunk {
	var chunks []chunk
	for _, unread := range d.Unread[:min(len(d.Unread), maxRules)] {
		why := w.Say(textGroupUnread) + " " + b.whyRefused(a, w, unread.Err)
		chunks = append(chunks, chunk{safe: markMissing + " " + groupMention(unread.Group) + " " + prose(why)})
	}
	return chunks
}

// sections is a message of chunks; text is what it says where blocks cannot be
// shown.
func sections(text string, chunks []chunk) message {
	m := message{text: fallback(text)}
	for _, packed := range pack(chunks) {
		m.blocks = append(m.blocks, section(packed))
	}
	return m
}

// drawRules says who may, and where, in a line a rule.
func drawRules(d commands.Decision, w commands.Words) []string {
	var lines []string
	for _, rule := range d.Who[:min(len(d.Who), maxRules)] {
		lines = append(lines, drawRule(rule, d.Reason, w))
	}
	return lines
}

func reasonText(r commands.Refusal) string {
	switch r {
	case commands.NotHere:
		return textRefusedPlace
	case commands.OthersMay:
		return textRefusedPeople
	default:
		return textRefusedNobody
	}
}

// drawRule says for whom a rule is, unless that is the reader, and where it
// holds. The configuration has ids only, of a shape that cannot format.
func drawRule(rule commands.Rule, why commands.Refusal, w commands.Words) string {
	where := w.Say(textAnywhere)
	if len(rule.Channels) > 0 {
		where = named(rule.Channels, func(id string) string {
			if id == commands.DirectMessages {
				return w.Say(textDirect)
			}
			return "<#" + id + ">"
		})
	}
	if why == commands.NotHere {
		return where
	}
	who := w.Say(textEveryone)
	if !rule.Everyone() {
		people := named(rule.People, func(id string) string { return "<@" + id + ">" })
		groups := named(rule.Groups, groupMention)
		who = strings.Trim(people+", "+groups, ", ")
	}
	return who + " · " + where
}

func groupMention(id string) string { return "<!subteam^" + id + ">" }

// named draws ids, of which too many are only counted.
func named(ids []string, draw func(string) string) string {
	var all []string
	for _, id := range ids[:min(len(ids), maxNamed)] {
		all = append(all, draw(id))
	}
	if hidden := len(ids) - maxNamed; hidden > 0 {
		all = append(all, "+"+strconv.Itoa(hidden))
	}
	return strings.Join(all, ", ")
}
