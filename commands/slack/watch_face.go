package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
	"tandem/watches"
)

// eventWatch marks news of a watch, by which the bot finds them again after a
// crash between the post and its record.
const eventWatch = "tandem_watch"

const markAlert = "🚨"

// Tell implements watches.Face: a short message in the channel or in the thread of
// the incident, and below it the diagnosis. That only comes late, or not at all,
// when Slack does not take it: the news are told by then.
func (b *Bot) Tell(ctx context.Context, watch watches.Watch, n watches.News) (string, error) {
	w := b.wordsOf(cmp.Or(watch.Lang, b.opts.Language))
	t := &tiding{bot: b, watch: watch, news: n, words: w, bulletin: commands.NewBulletin(watch, n, w)}
	ts, err := t.post(ctx)
	if err != nil {
		return "", fmt.Errorf("tell news of a watch: %w", err)
	}
	thread := cmp.Or(n.Thread, ts)
	if err := t.below(ctx, thread); err != nil {
		b.log.WarnContext(ctx, "post the diagnosis of a watch", "watch", watch.ID, "channel", watch.Channel, "error", err)
	}
	return thread, nil
}

// tiding is one telling of news.
type tiding struct {
	bot      *Bot
	watch    watches.Watch
	news     watches.News
	words    commands.Words
	bulletin commands.Bulletin
}

// mark names a part of this telling, by which it is found again. A run that is
// done again after a crash has the same due time.
func (t *tiding) mark(part string) slackgo.SlackMetadata {
	name := fmt.Sprintf("%s/%d/%s", t.watch.ID, t.watch.Due.UnixMilli(), part)
	return slackgo.SlackMetadata{EventType: eventWatch, EventPayload: map[string]any{fieldRequest: name}}
}

// The parts of a telling.
const (
	partNews = "news"
	partCard = "card"
)

// post writes the news, unless a run that was cut off did.
func (t *tiding) post(ctx context.Context) (string, error) {
	if t.watch.Retaken {
		if ts, err := t.told(ctx, t.news.Thread, partNews); ts != "" || err != nil {
			return ts, err
		}
	}
	m := t.draw()
	m.metadata = t.mark(partNews)
	ts, err := t.bot.web.post(ctx, t.watch.Channel, t.news.Thread, m)
	if gone(err) || errorCode(err) == "thread_not_found" || errorCode(err) == "cannot_reply_to_message" { // somebody deleted the first message
		t.news.Thread = ""
		ts, err = t.bot.web.post(ctx, t.watch.Channel, "", m)
	}
	if err != nil && passing(err) { // Slack may have taken it
		found, lookErr := t.told(ctx, t.news.Thread, partNews)
		if found != "" {
			return found, nil
		}
		err = errors.Join(err, lookErr)
	}
	if err == nil {
		t.bot.web.pace(t.watch.Channel, t.bot.opts.Every)
	}
	return ts, err
}

// told is where a part of this telling stands already; empty when nowhere.
func (t *tiding) told(ctx context.Context, thread, part string) (string, error) {
	ts, name := "", fmt.Sprint(t.mark(part).EventPayload[fieldRequest])
	err := t.bot.own(ctx, t.watch.Channel, thread, t.watch.Due, eventWatch, name, func(m slackgo.Message) { ts = m.Timestamp })
	return ts, err
}

// draw is the news: the verdict, then what changed, then what is suppressed.
func (t *tiding) draw() message {
	bulletin, w := t.bulletin, t.words
	mark := symbol(bulletin.Status)
	if t.watch.Alert != nil && !t.news.Over && t.news.Kind != watches.Changed {
		mark = markAlert + " " + mark
	}
	chunks := []chunk{{safe: mark + " " + fit(bulletin.Title, shareHeadline, ellipsis, strong)}}
	if bulletin.Verdict != "" {
		chunks = append(chunks, chunk{safe: fit(bulletin.Verdict, shareHeadline, ellipsis, prose)})
	}
	if bulletin.Quote != "" {
		chunks = append(chunks, chunk{safe: "“" + fit(bulletin.Quote, shareCause, ellipsis, oneLine) + "”"})
	}
	for _, line := range bulletin.Changes {
		chunks = append(chunks, chunk{safe: symbol(line.Status) + " " + fit(title(line.Code, line.Text), shareCause, ellipsis, oneLine)})
	}
	for _, note := range bulletin.Notes {
		chunks = append(chunks, chunk{safe: fit(note, shareLine, ellipsis, oneLine)})
	}
	m := sections(bulletin.Title, chunks)
	if notes := t.drawNotes(w); notes != "" {
		m.blocks = append(m.blocks, footnotes(notes))
	}
	m.broadcast = t.news.Over && t.news.Thread != ""
	return m
}

// drawNotes is the small print: what is suppressed, who asked, and how to end it.
func (t *tiding) drawNotes(w commands.Words) string {
	var parts []string
	if t.bulletin.Hushed != "" {
		safe := fit(t.bulletin.Hushed, maxContext/2, ellipsis, prose)
		for _, owner := range t.bulletin.Owners {
			safe = calling(safe, owner)
		}
		parts = append(parts, "🔕 "+safe)
	}
	if t.news.Kind == watches.First && t.watch.Alert == nil {
		parts = append(parts, prose(w.Say(textAskedBy))+" "+actor(t.watch.By)+" · "+prose(t.bulletin.Unwatch))
	}
	return strings.Join(parts, "\n")
}

// below posts the diagnosis in the thread, and its evidence when that begins with
// a failure: later there is a button for it.
func (t *tiding) below(ctx context.Context, thread string) error {
	if !t.bulletin.Card {
		return nil
	}
	if t.watch.Retaken {
		if ts, err := t.told(ctx, thread, partCard); ts != "" || err != nil {
			return err
		}
	}
	b, report := t.bot, t.news.Report
	card := commands.NewCard(report, 0, t.words)
	run := cmp.Or(t.news.Run, b.newRef())
	b.desk.File(run, report)
	notes := cardNotes{run: run, kept: t.news.Run, again: "diagnose " + quoted(t.watch.Service)}
	if b.opts.Approvals != nil {
		notes.offers = b.opts.Approvals.Remedies()
	}
	var evidence []message
	if report.Verdict.Status == diagnostics.Fail && t.news.Thread == "" {
		evidence, _ = drawEvidence(card, t.words)
	}
	notes.depth = len(evidence) > 0
	whole := drawCard(card, notes, t.words)
	whole.metadata = t.mark(partCard)
	for _, m := range append([]message{whole}, evidence...) {
		if _, err := b.web.post(ctx, t.watch.Channel, thread, m); err != nil {
			return err
		}
		b.web.pace(t.watch.Channel, b.opts.Every)
	}
	return nil
}
