package slack

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
)

const (
	deliverTimeout = 2 * time.Minute // of the card, and of all evidence
	lastWords      = 5 * time.Second // for what is said after a stop
	glanceTimeout  = 3 * time.Second // of an edit that is soon replaced
)

// board is the message of one diagnosis: first it shows how far that has come,
// in the end the verdict. Several boards may show the same run.
type board struct {
	bot    *Bot
	ask    ask
	words  commands.Words
	run    *commands.Inquiry
	joined bool // the run was somebody else's before
	spot   *spot
	shown  commands.Progress
}

// diagnose runs a diagnosis that everyone in the channel can follow, or shows
// the one that somebody asked for a moment ago: where its card is already, by a
// link to that.
func (b *Bot) diagnose(ctx context.Context, a ask, w commands.Words, what commands.Diagnose) {
	service, opts, err := commands.Resolve(b.opts.Diagnoser, what)
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	board := &board{bot: b, ask: a, words: w}
	board.run, board.joined = b.desk.Take(a.ref, commands.Question{
		Service: service, Since: opts.Since, Only: opts.Only, Fresh: what.Fresh, Who: a.user, Where: a.channel,
	})
	defer b.desk.Leave(board.run)
	if board.joined {
		b.metrics.joined()
	}
	if !board.place(ctx) {
		return
	}
	b.metrics.firstWord(b.opts.Now().Sub(a.at))
	board.attend(ctx)
	report, err := board.run.Result()
	if err != nil {
		board.fail(ctx, err)
		return
	}
	board.finish(ctx, commands.NewCard(report, opts.Since, w))
}

// attend begins the run, unless another card of it did, and follows it to its
// end.
func (p *board) attend(ctx context.Context) {
	if p.bot.desk.Start(ctx, p.run) {
		defer p.bot.metrics.began()()
	}
	p.bot.refreshHomes(ctx)
	p.follow(ctx)
	<-p.run.Done()
	p.bot.refreshHomes(ctx)
}

// place puts the card where it was asked for. It returns false when there is
// nothing more to do: the card is there already, or cannot be.
func (p *board) place(ctx context.Context) bool {
	for {
		at, mine := p.bot.spots.claim(p.run.ID, p.ask)
		p.spot = at
		if mine {
			return p.post(ctx)
		}
		ts := at.wait(ctx)
		if ts == "" { // the other could not write here; it is the same for this one, or has changed
			if ctx.Err() != nil {
				return false
			}
			continue
		}
		link, err := p.bot.web.permalink(ctx, at.channel, ts)
		if errorCode(err) == "message_not_found" {
			p.bot.spots.forget(at)
			continue
		}
		at.join(p.ask.asker())
		p.bot.whisper(ctx, p.ask, p.drawJoined(link))
		return false
	}
}

func (p *board) post(ctx context.Context) bool {
	err := p.occupy(ctx)
	if err != nil {
		p.bot.undelivered(ctx, p.ask, p.words, err)
	}
	return err == nil
}

// occupy posts the card on its spot, or gives that up, whatever happens: others
// wait for one or the other.
func (p *board) occupy(ctx context.Context) error {
	placed := false
	defer func() {
		if !placed {
			p.bot.spots.leave(p.spot)
		}
	}()
	p.shown = p.run.Progress()
	m := p.drawProgress(p.shown)
	m.metadata = slackgo.SlackMetadata{EventType: eventRun, EventPayload: map[string]any{fieldRequest: p.run.ID}}
	ts, err := p.bot.web.post(ctx, p.ask.channel, p.ask.thread, m)
	if err != nil && passing(err) {
		ts, err = p.taken(ctx, err)
	}
	if err == nil {
		placed = true
		p.bot.spots.place(p.spot, ts)
	}
	return err
}

// taken is where the card stands when Slack took it and did not say so:
// otherwise it would say that the diagnosis is under way for ever. The error
// remains when it is not there.
func (p *board) taken(ctx context.Context, err error) (string, error) {
	ts := ""
	lookErr := p.bot.own(ctx, p.ask.channel, p.ask.thread, p.ask.at, eventRun, p.run.ID, func(m slackgo.Message) { ts = m.Timestamp })
	if ts == "" {
		return "", errors.Join(err, lookErr)
	}
	return ts, nil
}

// drawJoined tells a person where the answer is already, or is soon.
func (p *board) drawJoined(link string) message {
	ago := commands.Short(p.bot.opts.Now().Sub(p.run.Started).Round(time.Second))
	id, whose := textJoined, p.spot.asker
	if whose == p.ask.asker() {
		id, whose = textJoinedOwn, ""
	}
	text := p.words.Say(id, "Ago", ago)
	m := message{text: fallback(text)}
	safe := prose(text)
	if whose != "" {
		safe = tag(whose) + " " + safe
	}
	if link != "" {
		safe += " " + hyperlink(link, p.words.Say(textJoinedCard))
	}
	m.blocks = append(m.blocks, section(safe))
	if p.run.Ended() {
		m.blocks = append(m.blocks,
			section(prose(p.words.Say(textJoinedEnded))),
			slackgo.NewActionBlock("joined", button(actionAgain, againText(p.run)+" --fresh", p.words.Say(textButtonFresh))))
	}
	return m
}

// againText asks the same again.
func againText(run *commands.Inquiry) string {
	text := "diagnose " + quoted(run.Service)
	if run.Since > 0 {
		text += " --since " + run.Since.String()
	}
	if len(run.Only) > 0 {
		text += " --check " + strings.Join(run.Only, ",")
	}
	return text
}

// quoted is a name as the grammar reads it as one word.
func quoted(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return strconv.Quote(name)
	}
	return name
}

// follow shows the progress from time to time until the run has ended. No edit
// of progress arrives after that.
func (p *board) follow(ctx context.Context) {
	defer p.bot.outliveBroken(ctx, p.ask)
	ticker := time.NewTicker(p.bot.opts.Every)
	defer ticker.Stop()
	for {
		select {
		case <-p.run.Done():
			return
		case <-ticker.C:
		}
		if latest := p.run.Progress(); latest != p.shown && p.glance(ctx, latest) {
			p.shown = latest
		}
	}
}

// glance shows progress once, unless there were too many edits of late. An edit
// that is under way is not abandoned when the diagnosis ends: Slack could apply
// it after the verdict.
func (p *board) glance(ctx context.Context, latest commands.Progress) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), glanceTimeout)
	defer cancel()
	done, err := p.bot.web.glance(ctx, p.ask.channel, p.spot.at(), p.drawProgress(latest))
	if err != nil {
		p.bot.log.DebugContext(ctx, "show progress", "ask", p.ask, "error", err)
	}
	return done
}

func (p *board) drawProgress(progress commands.Progress) message {
	m := drawNotice(markWorking, p.words.Progress(p.run.Service, progress))
	if progress.Total > 0 {
		m.blocks = append(m.blocks, section(bar(progress.Done, progress.Total)))
	}
	if found := p.run.Found(); len(found) > 0 {
		m.blocks = append(m.blocks, p.drawFound(found)...)
	}
	if notes := strings.TrimPrefix(drawNotes(p.notes(), p.words), " · "); notes != "" {
		m.blocks = append(m.blocks, footnotes(notes))
	}
	return m
}

// drawFound is what is known before the verdict: what causes what is not.
func (p *board) drawFound(found []commands.Progress) []slackgo.Block {
	titles := map[string]string{}
	for _, c := range p.bot.opts.Diagnoser.Checks() {
		titles[c.Code] = c.Title.In(p.words.Lang)
	}
	lines := make([]listLine, 0, len(found))
	for _, f := range found {
		lines = append(lines, listLine{f.Code, func() string {
			return symbol(f.Status) + " " + fit(title(f.Code, titles[f.Code]), shareLine, ellipsis, oneLine)
		}})
	}
	return drawList(p.words.Say(textSoFar), lines, p.words)
}

func (p *board) notes() cardNotes {
	notes := cardNotes{asker: p.ask.asker(), because: p.ask.because, joined: p.spot.others(), run: p.run.ID, kept: p.run.Kept(), again: againText(p.run)}
	if p.bot.opts.Approvals != nil {
		notes.offers = p.bot.opts.Approvals.Remedies()
	}
	if p.joined {
		ago := commands.Short(p.ask.at.Sub(p.run.Started).Round(time.Second))
		notes.origin = p.words.Say(textJoinedRun, "Ago", ago)
	}
	return notes
}

// bar is a part of a whole as a picture.
func bar(done, total int) string {
	const width = 20
	full := min(width, max(0, done*width/total))
	return strings.Repeat("▰", full) + strings.Repeat("▱", width-full)
}

// finish shows the verdict, then the evidence below it.
func (p *board) finish(ctx context.Context, card commands.Card) {
	var evidence []message
	complete := true
	if ctx.Err() == nil { // after a stop there is time for the verdict alone
		evidence, complete = drawEvidence(card, p.words)
	}
	notes := p.notes()
	notes.depth = len(evidence) > 0
	if !p.show(ctx, drawCard(card, notes, p.words)) {
		return
	}
	p.bot.metrics.verdict(card.Status, p.bot.opts.Now().Sub(p.ask.at))
	p.bot.log.InfoContext(ctx, "diagnosed", "ask", p.ask, "service", p.run.Service, "status", card.Status)
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	if err := p.postEvidence(ctx, evidence); err != nil {
		p.bot.log.WarnContext(ctx, "post evidence", "ask", p.ask, "error", err)
		return
	}
	if !complete {
		p.postFile(ctx, card)
	}
}

func (p *board) postEvidence(ctx context.Context, evidence []message) error {
	for _, m := range evidence {
		if _, err := p.bot.web.post(ctx, p.ask.channel, p.thread(), m); err != nil {
			return err
		}
		p.bot.web.pace(p.ask.channel, p.bot.opts.Every)
	}
	return nil
}

// postFile puts all evidence below the card as a file. When Slack does not take
// that, the thread says so and what to do.
func (p *board) postFile(ctx context.Context, card commands.Card) {
	err := p.file(ctx, card)
	if err == nil {
		return
	}
	if _, err = p.bot.web.post(ctx, p.ask.channel, p.thread(), p.drawUnfiled(err)); err != nil {
		p.bot.log.WarnContext(ctx, "post evidence", "ask", p.ask, "error", err)
	}
}

// file uploads all evidence into the card's thread, unless that was done.
func (p *board) file(ctx context.Context, card commands.Card) error {
	if !p.spot.file() {
		return nil
	}
	err := p.bot.web.upload(ctx, p.ask.channel, p.thread(), evidenceFile(card, p.run.ID, p.words))
	if err != nil {
		p.spot.unfile()
		p.bot.log.WarnContext(ctx, "upload evidence", "ask", p.ask, "error", err)
	}
	return err
}

// drawUnfiled says why there is no file, and where the evidence is instead.
func (p *board) drawUnfiled(err error) message {
	text := p.words.Say(textEvidenceLeftOut, "Service", p.run.Service)
	return drawNotice(markMissing, text+"\n"+p.bot.whyRefused(p.ask, p.words, err))
}

// thread is where the evidence belongs.
func (p *board) thread() string { return cmp.Or(p.ask.thread, p.spot.at()) }

// fail says in the channel why there is no verdict.
func (p *board) fail(ctx context.Context, err error) {
	if errors.Is(context.Cause(ctx), errStopping) {
		p.show(ctx, drawNotice(markMissing, p.words.CutOff(p.run.Service)))
		return
	}
	if errors.Is(err, context.DeadlineExceeded) {
		p.bot.log.WarnContext(ctx, "a diagnosis took too long", "ask", p.ask, "service", p.run.Service, "error", err)
		limit := commands.Short(p.bot.opts.Timeout)
		p.show(ctx, drawNotice(markMissing, p.words.Say(textTooSlow, "Service", p.run.Service, "Limit", limit)))
		return
	}
	if text, known := p.words.Explain(err); known {
		p.show(ctx, drawNotice(markHelp, text))
		return
	}
	p.bot.logBroken(ctx, p.ask, err)
	p.show(ctx, drawNotice(markBroken, p.words.Internal(p.run.ID)))
}

// show replaces the message of the diagnosis, and says whether people can see
// it. It keeps trying as long as the answer is of use, and for a moment after a
// stop.
func (p *board) show(ctx context.Context, m message) bool {
	ctx, cancel := outlive(ctx)
	defer cancel()
	err := p.bot.web.update(ctx, p.ask.channel, p.spot.at(), m)
	if err != nil {
		p.bot.log.WarnContext(ctx, "show the end of a diagnosis", "ask", p.ask, "error", err, "details", details(err))
		err = p.showElsewhere(ctx, m, err)
	}
	if err != nil {
		p.bot.undelivered(ctx, p.ask, p.words, err)
	}
	return err == nil
}

// showElsewhere tries what is left when Slack does not take an edit: a message
// of its own when the first is gone, plain words when it dislikes the blocks.
func (p *board) showElsewhere(ctx context.Context, m message, err error) error {
	switch errorCode(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed":
		ts, err := p.bot.web.post(ctx, p.ask.channel, p.ask.thread, m)
		if err == nil {
			p.spot.moved(ts)
		}
		return err
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long":
		words := message{text: m.text, blocks: []slackgo.Block{section(m.text)}}
		return p.bot.web.update(ctx, p.ask.channel, p.spot.at(), words)
	}
	return err
}

// outlive returns a context that ends a few seconds after the given one.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancelCause(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		time.AfterFunc(lastWords, func() { end(context.Cause(ctx)) })
	})
	return longer, func() {
		forget()
		end(nil)
	}
}
