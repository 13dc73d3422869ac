package slack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/i18n"
)

// By these the bot knows its own messages again, also after a crash between the
// post and its record.
const (
	eventRun  = "tandem_diagnosis"
	eventCard = "tandem_request"
	eventLine = "tandem_request_line"

	fieldRequest = "request"
	fieldUpTo    = "up_to"

	// clockSkew is how far the clocks of Slack and of the bot may be apart.
	clockSkew = 5 * time.Minute
)

func cardMark(request string) slackgo.SlackMetadata {
	return slackgo.SlackMetadata{EventType: eventCard, EventPayload: map[string]any{fieldRequest: request}}
}

func lineMark(request string, upTo int64) slackgo.SlackMetadata {
	return slackgo.SlackMetadata{EventType: eventLine, EventPayload: map[string]any{
		fieldRequest: request, fieldUpTo: strconv.FormatInt(upTo, 10),
	}}
}

// paper is the card of a request in its language.
func (b *Bot) paper(r approvals.Request) *ballotPaper {
	return newBallotPaper(r, b.opts.Approvals.Policy(), b.wordsOf(i18n.Lang(r.Lang)))
}

// Show implements approvals.Face.
func (b *Bot) Show(ctx context.Context, r approvals.Request, trail []approvals.Entry) (approvals.Card, error) {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	s := &showing{bot: b, paper: b.paper(r), card: r.Card}
	s.card.Channel = r.Place.Channel
	if err := s.place(ctx); err != nil {
		return r.Card, fmt.Errorf("show the card of request %s: %w", r.ID, err)
	}
	if s.card.TS != r.Card.TS { // votes on it count as soon as it is recorded
		return s.card, nil
	}
	if err := b.flushLines(ctx, r, s.thread()); err != nil {
		return r.Card, fmt.Errorf("tell the output of request %s: %w", r.ID, err)
	}
	if err := s.tell(ctx, trail); err != nil {
		return r.Card, fmt.Errorf("tell the thread of request %s: %w", r.ID, err)
	}
	return s.card, nil
}

// showing brings one card and its thread up to date.
type showing struct {
	bot   *Bot
	paper *ballotPaper
	card  approvals.Card
}

// thread is where the lines belong.
func (s *showing) thread() string { return cmp.Or(s.paper.request.Place.Thread, s.card.TS) }

// place brings the card up to date, or posts it when there is none any more: a
// plan that is too long for it goes before, as a file.
func (s *showing) place(ctx context.Context) error {
	if s.card.TS == "" {
		found, err := s.find(ctx)
		if err != nil {
			return err
		}
		s.card.TS = found
		s.bot.cards.forget(s.paper.request.ID) // it may be gone, which only an edit tells
	}
	if s.card.TS != "" {
		if err := s.edit(ctx); !gone(err) {
			return err
		}
		s.card.TS = ""
	}
	if err := s.file(ctx); err != nil {
		return err
	}
	m := s.paper.draw()
	ts, err := s.bot.web.post(ctx, s.card.Channel, s.paper.request.Place.Thread, m)
	if err != nil {
		return err
	}
	s.card.TS = ts
	s.bot.cards.note(s.paper.request.ID, ts, m)
	return nil
}

// gone says whether a message can be edited no more, so that another one has to
// stand for it.
func gone(err error) bool {
	switch errorCode(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed":
		return true
	}
	return false
}

func (s *showing) edit(ctx context.Context) error {
	m := s.paper.draw()
	if s.bot.cards.shows(s.paper.request.ID, s.card.TS, m) {
		return nil
	}
	err := s.bot.web.update(ctx, s.card.Channel, s.card.TS, m)
	if err == nil {
		s.bot.cards.note(s.paper.request.ID, s.card.TS, m)
	}
	return err
}

// find looks for a card that was posted and not recorded. It is empty when there
// is none, or the bot may not look.
func (s *showing) find(ctx context.Context) (string, error) {
	r := s.paper.request
	if ts := s.bot.cards.at(r.ID); ts != "" {
		return ts, nil
	}
	ts := ""
	err := s.bot.own(ctx, s.card.Channel, r.Place.Thread, r.Asked, eventCard, r.ID, func(m slackgo.Message) { ts = m.Timestamp })
	return ts, err
}

// file puts the plan where the card will stand when the card cannot hold it. The
// requester is told once when that fails: without the file there is no card.
func (s *showing) file(ctx context.Context) error {
	r, w := s.paper.request, s.paper.words
	if s.paper.sheet == nil {
		return nil
	}
	err := s.bot.web.upload(ctx, s.card.Channel, r.Place.Thread, *s.paper.sheet)
	if err == nil || !s.bot.cards.complains(r.ID) {
		return err
	}
	why := w.Say(textPlanUnfiled, "Request", r.ID) + "\n" + s.bot.whyRefused(ask{ref: r.ID}, w, err)
	told := s.bot.web.postEphemeral(ctx, s.card.Channel, r.Place.Thread, r.Requester.ID, drawNotice(markMissing, why))
	return errors.Join(err, told)
}

// tell writes into the thread what the trail has beyond what the thread tells.
func (s *showing) tell(ctx context.Context, trail []approvals.Entry) error {
	if len(trail) == 0 || trail[len(trail)-1].Number <= s.card.Shown {
		return nil
	}
	if err := s.recall(ctx, trail); err != nil {
		return err
	}
	for _, line := range s.paper.drawLines(after(trail, s.card.Shown)) {
		if _, err := s.bot.web.post(ctx, s.card.Channel, s.thread(), line.message); err != nil {
			return err
		}
		s.bot.web.pace(s.card.Channel, s.bot.opts.Every)
		s.card.Shown = line.upTo
	}
	s.card.Shown = trail[len(trail)-1].Number
	return nil
}

// recall finds out what the thread tells already: somebody may have died between
// a post and its record.
func (s *showing) recall(ctx context.Context, trail []approvals.Entry) error {
	id, since := s.paper.request.ID, after(trail, s.card.Shown)[0].At
	return s.bot.own(ctx, s.card.Channel, s.thread(), since, eventLine, id, func(m slackgo.Message) {
		upTo, err := strconv.ParseInt(fmt.Sprint(m.Metadata.EventPayload[fieldUpTo]), 10, 64)
		if err == nil {
			s.card.Shown = max(s.card.Shown, upTo)
		}
	})
}

func after(trail []approvals.Entry, number int64) []approvals.Entry {
	for i, e := range trail {
		if e.Number > number {
			return trail[i:]
		}
	}
	return nil
}

// own calls see for each message of the bot's about a request since a time, the
// oldest first. Without the right to look there are none.
func (b *Bot) own(ctx context.Context, channel, thread string, since time.Time, event, request string, see func(slackgo.Message)) error {
	messages, err := b.web.since(ctx, channel, thread, since.Add(-clockSkew))
	if code := errorCode(err); code == "missing_scope" || code == "thread_not_found" {
		b.log.DebugContext(ctx, "look for messages of the bot's own", "request", request, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	for i := range messages {
		m := messages[i]
		if thread == "" {
			m = messages[len(messages)-1-i] // Slack lists channels from the latest on
		}
		if m.User == b.me.user && m.Metadata.EventType == event && m.Metadata.EventPayload[fieldRequest] == request {
			see(m)
		}
	}
	return nil
}

// Votes implements approvals.Face.
func (b *Bot) Votes(ctx context.Context, r approvals.Request) (map[string][]approvals.Choice, error) {
	found, err := b.web.reactions(ctx, r.Card.Channel, r.Card.TS)
	if errorCode(err) == "message_not_found" {
		return nil, approvals.ErrNoCard
	}
	if err != nil {
		return nil, fmt.Errorf("read the reactions on the card of request %s: %w", r.ID, err)
	}
	votes := map[string][]approvals.Choice{}
	for _, reaction := range found {
		choice, ok := b.choiceOf(reaction.Name)
		if !ok {
			continue
		}
		for _, user := range reaction.Users {
			if user != b.me.user {
				votes[user] = append(votes[user], choice)
			}
		}
	}
	return votes, nil
}

// Refused implements approvals.Face.
func (b *Bot) Refused(ctx context.Context, r approvals.Request, account string, why *approvals.Refusal) {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	b.deny(ctx, ask{
		origin: byReaction, user: account, channel: r.Card.Channel, thread: r.Place.Thread, aside: r.Place.Thread, at: b.opts.Now(), ref: r.ID,
	}, why)
}

// choiceOf says what a reaction means, whatever the tone of its skin.
func (b *Bot) choiceOf(reaction string) (approvals.Choice, bool) {
	name, _, _ := strings.Cut(reaction, "::skin-tone-")
	return b.opts.Approvals.Policy().ChoiceOf(name)
}

// cards remembers how the cards of requests look, so that none is edited into
// what it is. It is safe for use by several goroutines.
type cards struct {
	mu      sync.Mutex
	drawn   map[string]drawnCard // by request
	missing map[string]bool      // requests whose requester was told that there is no card
}

// drawnCard is where a card is and what it says.
type drawnCard struct {
	ts  string
	sum [sha256.Size]byte
}

func sumOf(m message) [sha256.Size]byte {
	raw, err := json.Marshal(m.blocks)
	if err != nil {
		return [sha256.Size]byte{} // no card looks so
	}
	return sha256.Sum256(append(raw, m.text...))
}

func (c *cards) note(request, ts string, m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drawn == nil || len(c.drawn) >= maxSpots {
		c.drawn = map[string]drawnCard{} // they are drawn once more
	}
	c.drawn[request] = drawnCard{ts, sumOf(m)}
}

func (c *cards) shows(request, ts string, m message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.drawn[request]
	return ok && known == drawnCard{ts, sumOf(m)}
}

// complains says whether nobody was told yet that there is no card.
func (c *cards) complains(request string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.missing == nil || len(c.missing) >= maxSpots {
		c.missing = map[string]bool{}
	}
	first := !c.missing[request]
	c.missing[request] = true
	return first
}

// forget has the next drawing sent to Slack, whatever was sent before.
func (c *cards) forget(request string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.drawn, request)
}

// at is where this process posted a card.
func (c *cards) at(request string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drawn[request].ts
}
