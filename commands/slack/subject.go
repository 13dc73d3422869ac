package slack

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/commands"
)

// recent is how long a channel's last diagnosis says what the channel is about.
const recent = time.Hour

// subject finds the service that a conversation is about: what its thread is
// about, what the configuration says of the channel, what the channel's name or
// topic names, or what was diagnosed there last. Because says in the reader's
// words how it knows. The error is a *commands.WhichServiceError.
func (b *Bot) subject(ctx context.Context, a ask, w commands.Words) (service, because string, err error) {
	known := b.opts.Diagnoser.Services()
	if service, ok := b.lastIn(a.channel, a.thread, 0); ok && a.thread != "" {
		return service, w.Say(textBecauseThread), nil
	}
	if service := b.opts.Channels[a.channel]; service != "" {
		return service, w.Say(textBecauseConfigured), nil
	}
	named := b.named(ctx, a, known)
	if len(named) == 1 {
		return named[0], w.Say(textBecauseNamed), nil
	}
	if service, ok := b.lastIn(a.channel, "", recent); ok {
		return service, w.Say(textBecauseLast), nil
	}
	return "", "", &commands.WhichServiceError{Known: known, Named: named}
}

// named are the services that the name of the ask's channel has in it, or else
// its topic. Without the right to read them there are none.
func (b *Bot) named(ctx context.Context, a ask, known []string) []string {
	if a.place() == commands.DirectMessages || a.channel == "" {
		return nil
	}
	label, err := b.labels.of(ctx, a.channel)
	if err != nil {
		b.log.InfoContext(ctx, "read what a channel is called", "ask", a, "error", err)
		return nil
	}
	if in := servicesIn(label.name, known); len(in) > 0 {
		return in
	}
	return servicesIn(label.topic, known)
}

// apart matches what stands between the words of a name.
var apart = regexp.MustCompile(`[^\pL\pN]+`)

// servicesIn are the services that a text names in whole words. A name that is
// a part of another one that is there, does not count.
func servicesIn(text string, known []string) []string {
	wrap := func(s string) string {
		return "-" + strings.Trim(apart.ReplaceAllString(strings.ToLower(s), "-"), "-") + "-"
	}
	text = wrap(text)
	in := slices.DeleteFunc(slices.Clone(known), func(s string) bool { return !strings.Contains(text, wrap(s)) })
	return slices.DeleteFunc(slices.Clone(in), func(s string) bool {
		return slices.ContainsFunc(in, func(longer string) bool {
			return len(longer) > len(s) && strings.Contains(wrap(longer), wrap(s))
		})
	})
}

// lastIn is the service of the latest card in a thread or, without a thread, in
// a channel, not older than age; zero: however old.
func (b *Bot) lastIn(channel, thread string, age time.Duration) (string, bool) {
	for _, id := range b.spots.runsIn(channel, thread) {
		run, ok := b.desk.Find(id)
		if ok && (age == 0 || b.opts.Now().Sub(run.Started) < age) {
			return run.Service, true
		}
	}
	return "", false
}

// runsIn are the runs whose cards stand in a thread, or are its first message,
// the latest first. Without a thread those in a channel.
func (s *spots) runsIn(channel, thread string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var runs []string
	for _, at := range slices.Backward(s.all) {
		if at.channel == channel && (thread == "" || at.thread == thread || at.at() == thread) {
			runs = append(runs, at.run)
		}
	}
	return runs
}
