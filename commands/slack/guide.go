package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/commands/picture"
	"tandem/diagnostics"
)

// obeyGuide answers a command about logs or metrics in front of everybody, if the asker may
// read them, and says whether it was one.
func (b *Bot) obeyGuide(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) bool {
	switch command := command.(type) {
	case commands.Logs:
		b.showLogs(ctx, a, w, who, command)
	case commands.Trace:
		b.showTrace(ctx, a, w, who, command)
	case commands.Metrics:
		b.showMetrics(ctx, a, w, who, command)
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
	b.presentGuide(ctx, a, w, who, service, func(ctx context.Context) (commands.Digest, error) {
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
	return b.readableAs(ctx, a, w, who, command, command, service)
}

// readableAs is readable for a command to which the rules of another one apply.
func (b *Bot) readableAs(ctx context.Context, a ask, w commands.Words, who commands.Person, command, rule, service string) (string, bool) {
	known, err := commands.ResolveService(b.opts.Diagnoser, command, service)
	if err == nil {
		return known, b.allow(ctx, a, w, who, commands.Request{Command: rule, Service: known})
	}
	if !b.allow(ctx, a, w, who, commands.Request{Command: rule}) {
		return "", false
	}
	may, _ := b.sorted(ctx, a, who, rule, b.opts.Diagnoser.Services())
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
	b.presentGuide(ctx, a, w, who, what.ID, func(ctx context.Context) (commands.Digest, error) {
		found, err := b.opts.Guide.Trace(ctx, what.Ask(may))
		if err != nil {
			return commands.Digest{}, err
		}
		return commands.TraceDigest(found, hidden, w), nil
	})
}

// showMetrics shows the metrics of a service, or those of a group of the services
// that the asker may look at. Who may look at none is told who may.
func (b *Bot) showMetrics(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Metrics) {
	command := commands.CommandName(what)
	var may, hidden []string
	if _, group := what.Group(); group {
		may, hidden = b.sorted(ctx, a, who, command, b.opts.Diagnoser.Services())
		if len(may) == 0 && len(hidden) > 0 && !b.allow(ctx, a, w, who, commands.Request{Command: command, Service: hidden[0]}) {
			return
		}
	} else {
		service, ok := b.readable(ctx, a, w, who, command, what.About)
		if !ok {
			return
		}
		may = []string{service}
	}
	b.presentGuide(ctx, a, w, who, what.About, func(ctx context.Context) (commands.Digest, error) {
		found, err := b.opts.Guide.Metrics(ctx, what.Ask(may))
		if err != nil {
			return commands.Digest{}, err
		}
		digest := commands.MetricsDigest(found, hidden, w)
		digest.Picture = func() ([]byte, error) {
			readings, caption := commands.MetricsPicture(found, w)
			return picture.Draw(readings, found.Since, found.Until, caption)
		}
		return digest, nil
	})
}

// presentGuide presents what the guide reads, if there is one.
func (b *Bot) presentGuide(ctx context.Context, a ask, w commands.Words, who commands.Person, about string, read func(context.Context) (commands.Digest, error)) {
	if b.opts.Guide == nil {
		read = func(context.Context) (commands.Digest, error) {
			return commands.Digest{}, &diagnostics.BlindError{Reason: diagnostics.ReasonNotConfigured}
		}
	}
	b.present(ctx, a, w, who, about, read)
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

// attach puts a picture of a digest and all of it into the thread. When Slack
// does not take a file the thread says so.
func (p *board) attach(ctx context.Context, d commands.Digest) {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	files, err := digestFiles(d, p.ask.ref, p.words)
	if err != nil {
		p.bot.logBroken(ctx, p.ask, err)
	}
	for _, f := range files {
		err := p.bot.web.upload(ctx, p.ask.channel, p.thread(), f)
		if err == nil {
			continue
		}
		p.bot.log.WarnContext(ctx, "upload what was read", "ask", p.ask, "error", err)
		m := drawNotice(markMissing, p.words.Say(textReadingUnfiled)+"\n"+p.bot.whyRefused(p.ask, p.words, err))
		if _, err = p.bot.web.post(ctx, p.ask.channel, p.thread(), m); err != nil {
			p.bot.log.WarnContext(ctx, "post below what was read", "ask", p.ask, "error", err)
		}
		return
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
	notes := drawNotes(cardNotes{asker: a.asker()}, w)
	if d.Full != nil {
		notes += " · " + prose(w.Say(textReadingBelow))
	}
	return message{text: fallback(d.Title), blocks: append(pages[0], footnotes(strings.TrimPrefix(notes, " · ")))}
}

// digestFiles are a picture of a digest, if there is one, and all of it as a
// terminal shows it, if that is more than the message has. Without the picture,
// because of the error, there is the other.
func digestFiles(d commands.Digest, ref string, w commands.Words) ([]file, error) {
	if d.Full == nil {
		return nil, nil
	}
	var text strings.Builder
	_ = commands.Terminal{Out: &text}.Page(d.Full) // a builder takes everything
	name := cmp.Or(fileName(d.Name), "tandem") + "-" + ref
	all := file{name: name + ".txt", title: plain(d.Title), kind: "text", text: atMost(printable(text.String()), maxFile, "\n\n"+w.Say(textCut)+"\n")}
	if d.Picture == nil {
		return []file{all}, nil
	}
	png, err := d.Picture()
	if err != nil || png == nil {
		return []file{all}, err
	}
	return []file{{name: name + ".png", title: plain(d.Title), image: png}, all}, nil
}
