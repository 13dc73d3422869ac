package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
	lab "tandem/lab/slack"
)

// happening is something that happens to the world, and what is written of it.
type happening struct {
	says *regexp.Regexp
	does func(p *play, m []string) string
}

// happenings are all lines with * that a conversation can have.
func happenings() []happening {
	event := func(says string, does func(p *play, m []string)) happening {
		return happening{regexp.MustCompile("^" + says + "$"), func(p *play, m []string) string {
			does(p, m)
			p.rest()
			return ""
		}}
	}
	return []happening{
		event(`the secret has version (\d+) now`, func(p *play, m []string) {
			p.stage.set(func() { p.stage.version, _ = strconv.Atoi(m[1]) })
		}),
		event(`worker is well again`, func(p *play, _ []string) { p.talks.mend(true) }),
		event(`worker fails again`, func(p *play, _ []string) { p.talks.mend(false) }),
		event(`the service is well again`, func(p *play, _ []string) { p.stage.set(func() { p.stage.status = "pass" }) }),
		event(`the service fails again`, func(p *play, _ []string) { p.stage.set(func() { p.stage.status = "fail" }) }),
		event(`nothing mends the service`, func(p *play, _ []string) { p.stage.set(func() { p.stage.stubborn = true }) }),
		event(`nobody can look at the service`, func(p *play, _ []string) { p.stage.set(func() { p.stage.status = "unknown" }) }),
		event(`the watches that are due run`, func(p *play, _ []string) { p.stage.runWatches() }),
		event(`alert (\w+) (fires|is resolved) for (\S+)`, func(p *play, m []string) { p.stage.alert(m[1], m[2] != "fires", m[3]) }),
		event(`a run told, and died before it said so`, func(p *play, _ []string) { p.stage.dieTelling() }),
		event(`the bot cannot look`, func(p *play, _ []string) { p.stage.set(func() { p.stage.broken = true }) }),
		event(`the bot can look again`, func(p *play, _ []string) { p.stage.set(func() { p.stage.broken = false }) }),
		event(`vault breaks`, func(p *play, _ []string) { p.stage.set(func() { p.stage.broken = true }) }),
		event(`(\w+) passes?`, func(p *play, m []string) {
			d, err := time.ParseDuration(m[1])
			if err != nil {
				p.t.Fatal(err)
			}
			p.stage.set(func() { p.stage.skipped += d })
		}),
		event(`@(\w+) is ([\w., ]+) now`, func(p *play, m []string) {
			p.must(p.ChangeGroup(lab.GroupChange{Group: m[1], Users: strings.Split(m[2], ", ")}))
		}),
		event(`([\w.]+) is deactivated`, func(p *play, m []string) {
			yes := true
			p.must(p.ChangePerson(lab.PersonChange{User: m[1], Deleted: &yes}))
		}),
		event(`the next event is lost`, func(p *play, _ []string) {
			p.must(p.SetFaults(lab.Faults{Events: lab.EventFaults{Lose: 1}}))
		}),
		event(`the next event comes twice`, func(p *play, _ []string) {
			p.must(p.SetFaults(lab.Faults{Events: lab.EventFaults{Repeat: 1}}))
		}),
		event(`the next event comes under two ids`, func(p *play, _ []string) {
			p.must(p.SetFaults(lab.Faults{Events: lab.EventFaults{Duplicate: 1}}))
		}),
		event(`slack answers (\S+) with (\d+)(, \d+ times?)?`, func(p *play, m []string) {
			status, _ := strconv.Atoi(m[2])
			times, _ := strconv.Atoi(strings.Trim(m[3], ", times"))
			p.must(p.SetFaults(lab.Faults{Methods: []lab.MethodFault{{Method: m[1], Status: status, Times: times}}}))
		}),
		event(`slack is well again`, func(p *play, _ []string) { p.must(p.SetFaults(lab.Faults{})) }),
		event(`the connection breaks`, func(p *play, _ []string) {
			p.afterVigil(func() { p.must(p.Socket(lab.SocketAction{Action: "kill"})) })
		}),
		event(`the bot restarts`, func(p *play, _ []string) { p.restart() }),
		event(`a sweep looks`, func(p *play, _ []string) {
			if err := p.stage.service.Sweep(p.t.Context()); err != nil {
				p.t.Fatal(err)
			}
		}),
		event(`card (\d+) is deleted`, func(p *play, m []string) {
			card := p.card(m[1])
			if _, _, err := p.api().DeleteMessage(card.channel, card.TS); err != nil {
				p.t.Fatal(err)
			}
		}),
		event(`the cards are looked at`, func(p *play, _ []string) { p.bot.reconcile(p.t.Context()) }),
		event(`deploybot reacts :(\w+): @ card (\d+)`, func(p *play, m []string) {
			card := p.card(m[2])
			p.must(p.Event(lab.RawEvent{Event: map[string]any{
				"type": "reaction_added", "user": deploy, "reaction": m[1], "item_user": "U0TANDEM01",
				"item": map[string]any{"type": "message", "channel": card.channel, "ts": card.TS},
			}}))
		}),
		event(`([\w.]+) clicks \[(\w+)\] on what card (\d+) was`, func(p *play, m []string) {
			card := p.card(m[3])
			p.clickStale(p.userID(m[1]), m[2], card)
		}),
		event(`([\w.]+) edits message (\d+) @ (#\w+) into (.+)`, func(p *play, m []string) {
			channel, number := p.channelID(m[1], m[3]), m[2]
			n, _ := strconv.Atoi(number)
			p.must(p.Event(lab.RawEvent{Event: map[string]any{
				"type": "app_mention", "user": p.userID(m[1]), "channel": channel, "ts": p.roots(channel)[n-1].TS,
				"text": strings.ReplaceAll(m[4], "@tandem", "<@U0TANDEM01>"), "edited": map[string]any{"user": p.userID(m[1]), "ts": "1.1"},
			}}))
		}),
		event(`([\w.]+)'s click \[(\w+)\] comes from another message than card (\d+)`, func(p *play, m []string) {
			card := p.card(m[3])
			card.TS = "1700000000.000100"
			p.clickStale(p.userID(m[1]), m[2], card)
		}),
		{regexp.MustCompile(`^the audit$`), func(p *play, _ []string) string { return p.audit() }},
		{regexp.MustCompile(`^the world$`), func(p *play, _ []string) string {
			status, version := p.stage.get()
			return fmt.Sprintf("    worker: %s, version %d, carried out %d times\n", status, version, p.stage.ran)
		}},
	}
}

// happens does a line with *.
func (p *play) happens(line string) string {
	p.t.Helper()
	for _, h := range happenings() {
		if m := h.says.FindStringSubmatch(line); m != nil {
			return h.does(p, m)
		}
	}
	p.t.Fatalf("what is * %s?", line)
	return ""
}

func (p *play) must(got lab.Outcome) {
	p.t.Helper()
	if got.Error != "" {
		p.t.Fatal(got.Error)
	}
}

// postedCard is the message that shows a request now.
type postedCard struct {
	lab.Message
	channel string
	request string
}

// allCards are the cards that are there, the oldest first.
func (p *play) allCards() []postedCard {
	var all []postedCard
	for _, c := range p.State("").Channels {
		for _, m := range c.Messages {
			if request := requestOf(m); request != "" {
				all = append(all, postedCard{m, c.ID, request})
			}
		}
	}
	return all
}

// requestOf is the request that a message is the card of.
func requestOf(m lab.Message) string {
	var mark struct {
		Type    string            `json:"event_type"`
		Payload map[string]string `json:"event_payload"`
	}
	if json.Unmarshal(m.Metadata, &mark) != nil || mark.Type != eventCard || m.User != "U0TANDEM01" {
		return ""
	}
	return mark.Payload[fieldRequest]
}

func (p *play) cardNumber(m lab.Message) int {
	id := requestOf(m)
	if len(id) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(id[len(id)-2:]) // ids of the stage end so
	return n
}

func (p *play) card(number string) postedCard {
	p.t.Helper()
	n, _ := strconv.Atoi(number)
	for _, c := range slices.Backward(p.allCards()) {
		if p.cardNumber(c.Message) == n {
			return c
		}
	}
	p.t.Fatalf("there is no card %s\n%s", number, p.transcript())
	return postedCard{}
}

// noteCard remembers how a card looks.
func (p *play) noteCard(m lab.Message) {
	if requestOf(m) != "" {
		p.cards[m.TS] = p.tidy(render(m))
	}
}

// changedCard is what of a card is other than before, by lines.
func (p *play) changedCard(m lab.Message) string {
	was, known := p.cards[m.TS]
	now := p.tidy(render(m))
	if !known || was == now || requestOf(m) == "" {
		return ""
	}
	before, after := strings.Split(was, "\n"), strings.Split(now, "\n")
	out := fmt.Sprintf("card %d:\n", p.cardNumber(m))
	for _, line := range before {
		if !slices.Contains(after, line) {
			out += "  - " + line + "\n"
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			out += "  + " + line + "\n"
		}
	}
	return out
}

// didAtCard is a click or a reaction on a card, or a reaction on a message.
func (p *play) didAtCard(user, channel, ts string, d deed) lab.Outcome {
	p.t.Helper()
	if d.where == "card" {
		card := p.card(strconv.Itoa(d.number))
		channel, ts = card.channel, card.TS
		if d.how == "clicks" {
			return p.Click(lab.Click{User: user, Channel: channel, TS: ts, ActionID: actionIn(p.t.Fatalf, card.Message, d.label)})
		}
	}
	return p.React(lab.Reacting{User: user, Channel: channel, TS: ts, Reaction: strings.Trim(d.label, ":"), Remove: d.how == "unreacts"})
}

// whispered is a click in the newest answer that only this person sees.
func (p *play) whispered(user, label string) lab.Click {
	p.t.Helper()
	var newest lab.Message
	channel := ""
	for _, c := range p.State(user).Channels {
		for _, m := range c.Messages {
			if m.VisibleTo == user && m.TS > newest.TS && strings.Contains(render(m), "["+label+"]") {
				newest, channel = m, c.ID
			}
		}
	}
	return lab.Click{User: user, Channel: channel, TS: newest.TS, ActionID: actionIn(p.t.Fatalf, newest, label)}
}

// actionIn is the id of the button of a message that says so.
func actionIn(fatal func(string, ...any), m lab.Message, label string) string {
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range append(elements, b["accessory"]) {
			if element, _ := e.(map[string]any); plainOf(element) == "["+label+"]" {
				return fmt.Sprint(element["action_id"])
			}
		}
	}
	fatal("there is no button %q in\n%s", label, render(m))
	return ""
}

// clickStale is a click that was on its way when the card lost its buttons.
func (p *play) clickStale(user, label string, card postedCard) {
	p.t.Helper()
	id := map[string]string{"Approve": actionApprove, "Deny": actionDeny, "Cancel": actionCancel}[label]
	from := &interaction{Type: "block_actions", Actions: []action{{ActionID: id, Value: card.request}}}
	from.User.ID, from.Team.ID, from.Channel.ID = user, "T0NEURALHV", card.channel
	from.Container.MessageTS, from.Container.ThreadTS, from.Message.TS = card.TS, card.ThreadTS, card.TS
	ctx := p.t.Context()
	p.bot.take(ctx, ctx, delivery{interaction: from}, func(any) bool { return true })
}

// afterVigil does something upon which the bot reads the votes on the cards.
func (p *play) afterVigil(do func()) {
	p.t.Helper()
	read := func() int { return strings.Count(p.logs.String(), "read the votes on the cards") }
	before := read()
	do()
	p.eventually("the votes are read", func() bool { return read() > before })
}

// restart ends the bot and has another process go on with the same database.
// What only the queue knew is lost.
func (p *play) restart() {
	p.t.Helper()
	if err := p.stop(); err != nil {
		p.t.Fatal(err)
	}
	p.stage.store.lose()
	p.stage.service = p.stage.newService()
	opts := p.bot.opts
	opts.Approvals = p.stage.service
	bot, err := New(opts)
	if err != nil {
		p.t.Fatal(err)
	}
	p.afterVigil(func() {
		p.bot = bot
		p.run()
		p.eventually("the bot is connected", func() bool { return bot.Ready() == nil && p.State("").Connections == 2 })
	})
}

// audit is what the audit has that was not told yet, and whether it is sealed.
func (p *play) audit() string {
	p.t.Helper()
	trail, err := p.stage.store.Trail(context.Background(), approvals.TrailFilter{})
	if err != nil {
		p.t.Fatal(err)
	}
	out, before := "", approvals.Genesis
	for i, e := range trail {
		if !e.Intact(before) {
			p.t.Errorf("entry %d is not as it was sealed", e.Number)
		}
		before = e.Hash
		if i >= p.told {
			out += "    " + p.entry(e) + "\n"
		}
	}
	p.told = len(trail)
	return out
}

func (p *play) entry(e approvals.Entry) string {
	parts := []string{string(e.Deed), p.name(e.Actor)}
	if e.Via != "" {
		parts = append(parts, "by "+e.Via)
	}
	for _, key := range []string{
		approvals.KeyWhat, approvals.KeyWhy, approvals.KeyDetail, approvals.KeyChoice, approvals.KeyCheck, approvals.KeyRemedy, approvals.KeyTarget,
		approvals.KeyApprovals, approvals.KeyApprovers, approvals.KeyWaits, approvals.KeyReason, approvals.KeyResult, approvals.KeyGlass,
	} {
		if v := e.Detail[key]; v != "" {
			parts = append(parts, key+"="+strconv.Quote(v))
		}
	}
	if e.Request != "" {
		parts = append(parts, "of "+e.Request)
	}
	if e.State != "" {
		parts = append(parts, "→ "+string(e.State))
	}
	return strings.Join(parts, " ")
}
