package slack

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

const (
	homeFor     = time.Hour    // a Home tab is kept up to date so long after it was opened
	maxHomes    = 100          // of them at once, the latest: Slack takes about as many a minute
	maxRunning  = 10           // shown on a Home tab
	maxServices = maxHome - 20 // with a button each; the others by name
	maxNames    = 300          // of those
	shareNames  = 2800
)

// homes are the Home tabs that people may be looking at.
type homes struct {
	mu    sync.Mutex
	seen  []ask // the latest last, one a person
	busy  bool  // somebody is at work on them
	stale bool  // and has to look again
}

// look notes that a person opened their Home tab.
func (h *homes) look(a ask) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(a.user)
	h.seen = append(h.seen, a)
	if surplus := len(h.seen) - maxHomes; surplus > 0 {
		h.seen = slices.Delete(h.seen, 0, surplus)
	}
}

func (h *homes) forget(user string) {
	h.seen = slices.DeleteFunc(h.seen, func(a ask) bool { return a.user == user })
}

// watched returns whose tabs may be looked at.
func (h *homes) watched(now time.Time) []ask {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = slices.DeleteFunc(h.seen, func(a ask) bool { return now.Sub(a.at) > homeFor })
	return slices.Clone(h.seen)
}

// spoil says that what tabs show is old, and whether the caller is to mend it.
func (h *homes) spoil() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.seen) == 0 || h.busy {
		h.stale = h.busy
		return false
	}
	h.busy = true
	return true
}

// settle says whether tabs got old while they were mended.
func (h *homes) settle() (again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	again, h.stale = h.stale, false
	h.busy = again
	return again
}

// openHome shows a person the bot's Home tab, which they just opened.
func (b *Bot) openHome(ctx context.Context, a ask) {
	defer b.rescue(ctx, a)
	a.at = b.opts.Now()
	b.homes.look(a)
	who, err := b.people.find(ctx, a.user, a.team)
	if err != nil {
		w := b.wordsOf(b.people.langOf(who.Locale))
		b.publish(ctx, a, drawHomeNotice(w.Say(textRefusedUnknown)+"\n"+b.whyRefused(a, w, err)))
		return
	}
	b.publish(ctx, a, b.drawHome(ctx, a, who))
}

// renewHome draws a Home tab anew, unless it cannot be known for whom.
func (b *Bot) renewHome(ctx context.Context, a ask) {
	defer b.outliveBroken(ctx, a)
	if who, err := b.people.find(ctx, a.user, a.team); err == nil {
		b.publish(ctx, a, b.drawHome(ctx, a, who))
	}
}

func (b *Bot) publish(ctx context.Context, a ask, blocks []slackgo.Block) {
	if err := b.web.publish(ctx, a.user, blocks); err != nil {
		b.log.WarnContext(ctx, "show a Home tab", "ask", a, "error", err, "details", details(err))
	}
}

// refreshHomes brings Home tabs up to date that people may be looking at, soon
// and all in one go, however many runs begin and end meanwhile.
func (b *Bot) refreshHomes(ctx context.Context) {
	if !b.homes.spoil() {
		return
	}
	b.tasks.Go(func() {
		for again := true; again; again = b.homes.settle() {
			if err := b.web.wait(ctx, b.opts.Every); err != nil {
				continue
			}
			for _, a := range b.homes.watched(b.opts.Now()) {
				b.renewHome(ctx, a)
			}
		}
	})
}

func drawHomeNotice(text string) []slackgo.Block {
	return []slackgo.Block{header("Tandem"), section(prose(text))}
}

// drawHome is what the bot is good for, what it does now, and how the services
// are, as far as the reader may ask.
func (b *Bot) drawHome(ctx context.Context, a ask, who commands.Person) []slackgo.Block {
	w := b.wordsOf(b.people.langOf(who.Locale))
	if who.Standing != commands.Member {
		return drawHomeNotice(w.Say(textHomeRefused))
	}
	now := b.opts.Now()
	open := b.open(ctx, a, who)
	closed := func(run *commands.Inquiry) bool { return !slices.Contains(open, run.Service) }
	blocks := []slackgo.Block{
		header("Tandem"),
		section(prose(w.Say(textHomeHow, "Bot", b.me.name))),
		slackgo.NewActionBlock("home", button(actionRefresh, "refresh", w.Say(textButtonRefresh))),
	}
	blocks = append(blocks, drawRunning(slices.DeleteFunc(b.desk.Running(), closed), w)...)
	blocks = append(blocks, drawServices(b.standings(open, w), w)...)
	return append(blocks, footnotes(prose(w.Say(textHomeAsOf))+" "+onClock(now)))
}

// drawRunning lists the runs under way.
func drawRunning(running []*commands.Inquiry, w commands.Words) []slackgo.Block {
	if len(running) == 0 {
		return nil
	}
	lines := []string{strong(w.Say(textHomeRunning))}
	for _, run := range running[:min(len(running), maxRunning)] {
		lines = append(lines, drawRun(run, w))
	}
	if hidden := len(running) - maxRunning; hidden > 0 {
		lines = append(lines, "+"+strconv.Itoa(hidden))
	}
	return []slackgo.Block{slackgo.NewDividerBlock(), section(strings.Join(lines, "\n"))}
}

func drawRun(run *commands.Inquiry, w commands.Words) string {
	text := markWorking + " " + fit(run.Service, shareLine/2, ellipsis, strong)
	if p := run.Progress(); p.Total > 0 {
		text += " · " + strconv.Itoa(p.Done) + "/" + strconv.Itoa(p.Total)
	}
	return text + " · " + prose(w.Say(textRun, "Run", run.ID)) + " · " + onClock(run.Started)
}

// standing is how a service was when it was last diagnosed.
type standing struct {
	service string
	last    *commands.Inquiry // nil: it was not
	status  diagnostics.Status
	text    string // the headline
	allowed bool   // the reader may diagnose it
}

// standings are all services, those that need somebody first.
func (b *Bot) standings(open []string, w commands.Words) []standing {
	var all []standing
	for _, service := range b.opts.Diagnoser.Services() {
		s := standing{service: service, allowed: slices.Contains(open, service)}
		if last, ok := b.desk.Last(service); ok && s.allowed {
			if report, err := last.Result(); err == nil {
				s.last, s.status, s.text = last, report.Verdict.Status, report.Verdict.Headline.In(w.Lang)
			}
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b standing) int { return cmp.Compare(a.urgency(), b.urgency()) })
	return all
}

func (s standing) urgency() int {
	switch {
	case s.last == nil:
		return 4
	case s.status == diagnostics.Fail:
		return 0
	case s.status == diagnostics.Unknown:
		return 1
	case s.status == diagnostics.Warn:
		return 2
	default:
		return 3
	}
}

func (s standing) mark() string {
	if s.last == nil {
		return "▫️"
	}
	return symbol(s.status)
}

// drawServices is a line and a button for each service, as far as a Home tab
// has room; the others by name.
func drawServices(services []standing, w commands.Words) []slackgo.Block {
	blocks := []slackgo.Block{slackgo.NewDividerBlock(), section(strong(w.Say(textHomeServices)))}
	shown := services[:min(len(services), maxServices)]
	for i, s := range shown {
		blocks = append(blocks, drawService(s, actionDirect+"/"+strconv.Itoa(i), w))
	}
	return append(blocks, drawNames(services[len(shown):], w)...)
}

// drawNames is services that have no line of their own.
func drawNames(services []standing, w commands.Words) []slackgo.Block {
	if len(services) == 0 {
		return nil
	}
	var names []string
	for _, s := range services[:min(len(services), maxNames)] {
		names = append(names, s.mark()+" "+s.service)
	}
	if hidden := len(services) - len(names); hidden > 0 {
		names = append(names, "+"+strconv.Itoa(hidden))
	}
	var blocks []slackgo.Block
	for part := range slices.Chunk(names, maxNames/6) {
		blocks = append(blocks, section(fit(strings.Join(part, " · "), shareNames, ellipsis, oneLine)))
	}
	return append(blocks, footnotes(prose(w.Say(textHomeMore))))
}

func drawService(s standing, action string, w commands.Words) slackgo.Block {
	text := s.mark() + " " + fit(s.service, shareLine/2, ellipsis, strong)
	if s.last != nil {
		text += " · " + onClock(s.last.Started) + "\n" + fit(s.text, shareLine, ellipsis, oneLine)
	} else if s.allowed {
		text += "\n" + prose(w.Say(textHomeNever))
	}
	value := "diagnose " + quoted(s.service)
	if !s.allowed || size(value) > maxValue {
		return section(text)
	}
	return slackgo.NewSectionBlock(mrkdwn(text), nil, slackgo.NewAccessory(button(action, value, w.Say(textButtonDiagnose))))
}

// onClock is a time as the reader's own clock shows it.
func onClock(t time.Time) string {
	return "<!date^" + strconv.FormatInt(t.Unix(), 10) + "^{date_short_pretty} {time}|" + t.UTC().Format("2006-01-02 15:04 UTC") + ">"
}
