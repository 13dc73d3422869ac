package slack

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/i18n"
)

// maxOutput is how many lines of output one message of a thread has.
const maxOutput = 40

// output holds lines of running remedies back until there is room for a message
// of them. It is safe for use by several goroutines.
type output struct {
	mu    sync.Mutex
	lines map[string]*heldLines // by request
}

type heldLines struct {
	lines []string
	at    time.Time // of the last message
}

// add keeps a line, and returns those that are to be said now.
func (o *output) add(request, line string, now time.Time, every time.Duration) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := o.of(request)
	held.lines = append(held.lines, line)
	if now.Sub(held.at) < every && len(held.lines) < maxOutput {
		return nil
	}
	said := held.lines
	held.lines, held.at = nil, now
	return said
}

// of are the lines that are held of a request. The caller has the lock.
func (o *output) of(request string) *heldLines {
	if o.lines == nil {
		o.lines = map[string]*heldLines{}
	}
	if o.lines[request] == nil {
		o.lines[request] = &heldLines{}
	}
	return o.lines[request]
}

// putBack holds lines again that could not be said, before those that came since.
func (o *output) putBack(request string, lines []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := o.of(request)
	held.lines = append(slices.Clone(lines), held.lines...)
}

// take returns what is held, for good.
func (o *output) take(request string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := o.lines[request]
	delete(o.lines, request)
	if held == nil {
		return nil
	}
	return held.lines
}

// Say implements approvals.Face. What comes fast is said together: the rest of
// it before the thread tells what came next.
func (b *Bot) Say(ctx context.Context, r approvals.Request, line i18n.Text) error {
	said := b.output.add(r.ID, line.In(i18n.Lang(r.Lang)), b.opts.Now(), b.opts.Every)
	return b.sayLines(ctx, r, cmp.Or(r.Place.Thread, r.Card.TS), said)
}

func (b *Bot) flushLines(ctx context.Context, r approvals.Request, thread string) error {
	return b.sayLines(ctx, r, thread, b.output.take(r.ID))
}

func (b *Bot) sayLines(ctx context.Context, r approvals.Request, thread string, lines []string) error {
	if len(lines) == 0 || thread == "" {
		return nil
	}
	w := b.wordsOf(i18n.Lang(r.Lang))
	text := fit(strings.Join(lines, "\n"), sharePart, " "+w.Say(textCut), codeBlock)
	m := message{text: fallback(lines[len(lines)-1]), blocks: []slackgo.Block{section(text)}}
	_, err := b.web.post(ctx, r.Place.Channel, thread, m)
	if err != nil {
		b.output.putBack(r.ID, lines)
	}
	b.web.pace(r.Place.Channel, b.opts.Every)
	return err
}
