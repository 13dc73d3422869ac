package slack

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

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
	bot   *Bot
	ask   ask
	words commands.Words
	run   *commands.Inquiry
	ts    string // of the message
}

// diagnose runs a diagnosis that everyone in the channel can follow, or shows
// the one that somebody asked for a moment ago.
func (b *Bot) diagnose(ctx context.Context, a ask, w commands.Words, what commands.Diagnose) {
	service, opts, err := commands.Resolve(b.opts.Diagnoser, what)
	if err != nil {
		b.explain(ctx, a, w, err)
		return
	}
	board := &board{bot: b, ask: a, words: w}
	board.ts, err = b.web.post(ctx, a.channel, a.thread, board.drawProgress(service, commands.Progress{}))
	if err != nil {
		b.undelivered(ctx, a, w, err)
		return
	}
	b.metrics.firstWord(b.opts.Now().Sub(a.at))
	var joined bool
	board.run, joined = b.desk.Take(ctx, a.ref, commands.Question{Service: service, Since: opts.Since, Only: opts.Only})
	ended := b.metrics.taken(joined)
	board.follow(ctx)
	<-board.run.Done()
	ended()
	report, err := board.run.Result()
	if err != nil {
		board.fail(ctx, err)
		return
	}
	board.finish(ctx, commands.NewCard(report, opts.Since, w))
}

// follow shows the progress from time to time until the run has ended. No edit
// of progress arrives after that.
func (p *board) follow(ctx context.Context) {
	defer p.rescue(ctx)
	ticker := time.NewTicker(p.bot.opts.Every)
	defer ticker.Stop()
	var shown commands.Progress
	for {
		select {
		case <-p.run.Done():
			return
		case <-ticker.C:
		}
		if latest := p.run.Progress(); latest != shown {
			p.glance(ctx, latest)
			shown = latest
		}
	}
}

func (p *board) rescue(ctx context.Context) {
	if broken := recover(); broken != nil {
		p.bot.logBroken(ctx, p.ask, &commands.PanicError{Value: broken, Stack: debug.Stack()})
	}
}

// glance shows progress once. An edit that is under way is not abandoned when
// the diagnosis ends: Slack could apply it after the verdict.
func (p *board) glance(ctx context.Context, latest commands.Progress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), glanceTimeout)
	defer cancel()
	if err := p.bot.web.glance(ctx, p.ask.channel, p.ts, p.drawProgress(p.run.Service, latest)); err != nil {
		p.bot.log.DebugContext(ctx, "show progress", "ask", p.ask, "error", err)
	}
}

func (p *board) drawProgress(service string, progress commands.Progress) message {
	text := p.words.Progress(service, progress)
	m := drawNotice(markWorking, text)
	if progress.Total > 0 {
		m.blocks = append(m.blocks, section(bar(progress.Done, progress.Total)))
	}
	if notes := strings.TrimPrefix(drawNotes(p.notes(), p.words), " · "); notes != "" {
		m.blocks = append(m.blocks, footnotes(notes))
	}
	return m
}

func (p *board) notes() cardNotes { return cardNotes{asker: p.ask.asker(), run: p.ask.ref} }

// bar is a part of a whole as a picture.
func bar(done, total int) string {
	const width = 20
	full := min(width, max(0, done*width/total))
	return strings.Repeat("▰", full) + strings.Repeat("▱", width-full)
}

// finish shows the verdict, then the evidence below it.
func (p *board) finish(ctx context.Context, card commands.Card) {
	var evidence []message
	if ctx.Err() == nil { // after a stop there is time for the verdict alone
		evidence = drawEvidence(card, p.words)
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
	for _, m := range evidence {
		if _, err := p.bot.web.post(ctx, p.ask.channel, cmp.Or(p.ask.thread, p.ts), m); err != nil {
			p.bot.log.WarnContext(ctx, "post evidence", "ask", p.ask, "error", err)
			return
		}
		p.bot.web.pace(p.ask.channel, p.bot.opts.Every)
	}
}

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
	p.show(ctx, drawNotice(markBroken, p.words.Internal(p.ask.ref)))
}

// show replaces the message of the diagnosis, and says whether people can see
// it. It keeps trying for a moment after a stop.
func (p *board) show(ctx context.Context, m message) bool {
	ctx, cancel := outlive(ctx)
	defer cancel()
	ctx, cancelTimeout := context.WithTimeout(ctx, deliverTimeout)
	defer cancelTimeout()
	err := p.bot.web.update(ctx, p.ask.channel, p.ts, m)
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
			p.ts = ts
		}
		return err
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long":
		words := message{text: m.text, blocks: []slackgo.Block{section(m.text)}}
		return p.bot.web.update(ctx, p.ask.channel, p.ts, words)
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
