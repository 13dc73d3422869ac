package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// obeyGuide answers a command about logs in front of everybody, if the asker may
// read them, and says whether it was one.
func (b *Bot) obeyGuide(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) bool {
	switch command := command.(type) {
	case commands.Logs:
		b.showLogs(ctx, a, w, who, command)
	case commands.Trace:
		b.showTrace(ctx, a, w, who, command)
	default:
		return false
	}
	return true
}

func (b *Bot) showLogs(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Logs) {
	service, ok := b.readable(ctx, a, w, who, commands.CommandName(what), what.Service)
	if !ok {
		return
	}
	b.present(ctx, a, w, who, service, func(ctx context.Context) (commands.Digest, error) {
		found, err := b.opts.Guide.Logs(ctx, what.Ask(service))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.LogsDigest(found, w), nil
	})
}

// readable is the service that is meant, if the asker may ask a command about
// it. Who may not, or meant none, is told.
func (b *Bot) readable(ctx context.Context, a ask, w commands.Words, who commands.Person, command, service string) (string, bool) {
	known, err := commands.ResolveService(b.opts.Diagnoser, command, service)
	if err == nil {
		return known, b.allow(ctx, a, w, who, commands.Request{Command: command, Service: known})
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: command}) {
		return "", false
	}
	may, _ := b.sorted(ctx, a, who, command, b.opts.Diagnoser.Services())
	b.explain(ctx, a, w, &commands.UnknownServiceError{Name: service, Known: may, Command: command})
	return "", false
}

// sorted parts services into those that the asker may ask a command about here,
// and the others.
func (b *Bot) sorted(ctx context.Context, a ask, who commands.Person, command string, services []string) (may, others []string) {
	for _, service := range services {
		if b.decide(ctx, a, who, commands.Request{Command: command, Service: service}).Allowed {
			may = append(may, service)
		} else {
			others = append(others, service)
		}
	}
	return may, others
}

// showTrace follows an id through the logs that the asker may read. Who may read
// none is told who may.
func (b *Bot) showTrace(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Trace) {
	command := commands.CommandName(what)
	if !b.allow(ctx, a, w, who, commands.Request{Command: command}) {
		return
	}
	var services []string
	if b.opts.Guide != nil {
		services = b.opts.Guide.Traced()
	}
	may, hidden := b.sorted(ctx, a, who, command, services)
	if len(may) == 0 && len(hidden) > 0 && !b.allow(ctx, a, w, who, commands.Request{Command: command, Service: hidden[0]}) {
		return
	}
	b.present(ctx, a, w, who, what.ID, func(ctx context.Context) (commands.Digest, error) {
		found, err := b.opts.Guide.Trace(ctx, what.Ask(may))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.TraceDigest(found, hidden, w), nil
	})
}

// present reads something and shows it: a message in front of everybody, all of
// it as a file in its thread. First the message says that it is being read.
func (b *Bot) present(ctx context.Context, a ask, w commands.Words, who commands.Person, about string, read func(context.Context) (commands.Digest, error)) {
	if wait, ok := b.quota.Take(who.ID); !ok {
		b.tooOften(ctx, a, w, wait)
		return
	}
	shown := &board{bot: b, ask: a, words: w, run: &commands.Inquiry{ID: a.ref}}
	if err := shown.begin(ctx, drawNotice(markWorking, w.Say(textReading, "About", about))); err != nil {
		b.undelivered(ctx, a, w, err)
		return
	}
	b.metrics.firstWord(b.opts.Now().Sub(a.at))
	defer b.outliveReading(ctx, shown)
	digest, err := b.look(ctx, read)
	if err != nil {
		b.showUnread(ctx, shown, err)
		return
	}
	if !shown.show(ctx, drawDigest(digest, a, w)) {
		return
	}
	b.log.InfoContext(ctx, "read for a person", "ask", a, "status", digest.Status)
	shown.attach(ctx, digest)
}

// look reads within the time that a diagnosis may take.
func (b *Bot) look(ctx context.Context, read func(context.Context) (commands.Digest, error)) (commands.Digest, error) {
	if b.opts.Guide == nil {
		return commands.Digest{}, &diagnostics.BlindError{Reason: diagnostics.ReasonNotConfigured}
	}
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	return read(ctx)
}

// outliveReading says in the message that the bot broke, instead of leaving it
// as if something was still being read, and breaks on.
func (b *Bot) outliveReading(ctx context.Context, shown *board) {
	if broken := recover(); broken != nil {
		shown.show(ctx, drawNotice(markBroken, shown.words.Internal(shown.ask.ref)))
		panic(broken)
	}
}

// showUnread says why there is nothing to show.
func (b *Bot) showUnread(ctx context.Context, shown *board, err error) {
	w := shown.words
	blind, unseen := errors.AsType[*diagnostics.BlindError](err)
	switch {
	case errors.Is(context.Cause(ctx), errStopping):
		shown.show(ctx, drawNotice(markMissing, w.Say(textReadingCut)))
	case unseen:
		shown.show(ctx, drawPage(commands.BlindPage(blind, w), w)[0])
	case errors.Is(err, context.DeadlineExceeded):
		shown.show(ctx, drawNotice(markMissing, w.Reason(diagnostics.ReasonTimeout)))
	default:
		b.logBroken(ctx, shown.ask, err)
		shown.show(ctx, drawNotice(markBroken, w.Internal(shown.ask.ref)))
	}
}

// begin posts the first message of an answer, by which it is found again.
func (p *board) begin(ctx context.Context, m message) error {
	m.metadata = slackgo.SlackMetadata{EventType: eventRun, EventPayload: map[string]any{fieldRequest: p.run.ID}}
	ts, err := p.bot.web.post(ctx, p.ask.channel, p.ask.thread, m)
	if err != nil && passing(err) {
		ts, err = p.taken(ctx, err)
	}
	if err == nil {
		p.spot = p.bot.spots.known(p.run.ID, p.ask, ts)
	}
	return err
}

// attach puts all of a digest into the thread. When Slack does not take the file
// the thread says so.
func (p *board) attach(ctx context.Context, d commands.Digest) {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	err := p.bot.web.upload(ctx, p.ask.channel, p.thread(), digestFile(d, p.ask.ref, p.words))
	if err == nil {
		return
	}
	p.bot.log.WarnContext(ctx, "upload what was read", "ask", p.ask, "error", err)
	m := drawNotice(markMissing, p.words.Say(textReadingUnfiled)+"\n"+p.bot.whyRefused(p.ask, p.words, err))
	if _, err = p.bot.web.post(ctx, p.ask.channel, p.thread(), m); err != nil {
		p.bot.log.WarnContext(ctx, "post below what was read", "ask", p.ask, "error", err)
	}
}

// drawDigest is the short form of a digest, with its status before it.
func drawDigest(d commands.Digest, a ask, w commands.Words) message {
	chunks := drawParts(d.Short, w)
	chunks[0].safe = symbol(d.Status) + " " + chunks[0].safe
	var blocks []slackgo.Block
	for _, text := range pack(chunks) {
		blocks = append(blocks, section(text))
	}
	pages, _ := paginate(slices.Values(blocks), 1) // what does not fit is in the file
	notes := strings.TrimPrefix(drawNotes(cardNotes{asker: a.asker()}, w)+" · "+prose(w.Say(textReadingBelow)), " · ")
	return message{text: fallback(d.Title), blocks: append(pages[0], footnotes(notes))}
}

// digestFile is all of a digest, as a terminal shows it.
func digestFile(d commands.Digest, ref string, w commands.Words) file {
	var text strings.Builder
	_ = commands.Terminal{Out: &text}.Page(d.Full) // a builder takes everything
	return file{
		name: cmp.Or(fileName(d.Name), "tandem") + "-" + ref + ".txt", title: plain(d.Title), kind: "text",
		text: atMost(printable(text.String()), maxFile, "\n\n"+w.Say(textCut)+"\n"),
	}
}
