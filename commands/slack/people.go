package slack

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
)

const (
	localeFor     = time.Hour       // a person's locale is asked again after this
	localeTimeout = 2 * time.Second // nobody waits longer to be answered in their language
	maxPeople     = 10_000          // known at once
)

// people knows in which language to answer whom.
type people struct {
	web     *web
	unknown diagnostics.Lang
	log     *slog.Logger
	now     func() time.Time

	mu     sync.Mutex
	byUser map[string]speaker
}

type speaker struct {
	lang  diagnostics.Lang
	until time.Time
}

func newPeople(web *web, unknown diagnostics.Lang, log *slog.Logger, now func() time.Time) *people {
	return &people{web: web, unknown: unknown, log: log, now: now, byUser: map[string]speaker{}}
}

// language returns a person's language, or the configured one when it cannot be
// known soon. That is remembered too, for a minute.
func (p *people) language(ctx context.Context, user string) diagnostics.Lang {
	if s, ok := p.recall(user); ok {
		return s.lang
	}
	ctx, cancel := context.WithTimeout(ctx, localeTimeout)
	defer cancel()
	locale, err := p.web.locale(ctx, user)
	if err != nil {
		p.log.WarnContext(ctx, "read a person's locale", "user", user, "error", err)
		p.remember(user, p.unknown, time.Minute)
		return p.unknown
	}
	lang, ok := commands.LangOf(locale)
	if !ok {
		lang = p.unknown
	}
	p.remember(user, lang, localeFor)
	return lang
}

// known returns a person's language without asking for it.
func (p *people) known(user string) diagnostics.Lang {
	if s, ok := p.recall(user); ok {
		return s.lang
	}
	return p.unknown
}

func (p *people) recall(user string) (speaker, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.byUser[user]
	return s, ok && p.now().Before(s.until)
}

func (p *people) remember(user string, lang diagnostics.Lang, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byUser) >= maxPeople {
		clear(p.byUser) // they are soon learned again
	}
	p.byUser[user] = speaker{lang: lang, until: p.now().Add(d)}
}
