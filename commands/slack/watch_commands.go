package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/commands"
	"tandem/watches"
)

const (
	markWatch = "👁️"
	markHush  = "🔕"
)

// obeyWatches answers a command about watches, and says whether it was one. Who may
// diagnose a service may watch it.
func (b *Bot) obeyWatches(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command) bool {
	do := b.aboutWatches(a, w, who, command)
	if do == nil {
		return false
	}
	if b.opts.Watches == nil {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say("no_watches")))
		return true
	}
	do(ctx)
	return true
}

func (b *Bot) aboutWatches(a ask, w commands.Words, who commands.Person, command commands.Command) func(context.Context) {
	switch c := command.(type) {
	case commands.Watch:
		return func(ctx context.Context) { b.watch(ctx, a, w, who, c) }
	case commands.Unwatch:
		return func(ctx context.Context) { b.unwatch(ctx, a, w, who, c) }
	case commands.Watches:
		return func(ctx context.Context) { b.listWatches(ctx, a, w, who) }
	case commands.Suppress:
		return func(ctx context.Context) { b.suppress(ctx, a, w, who, c) }
	case commands.Unsuppress:
		return func(ctx context.Context) { b.unsuppress(ctx, a, w, who, c) }
	}
	return nil
}

// watchable is the service that is meant, if the asker may diagnose it here. Who
// may not, or meant none, is told.
func (b *Bot) watchable(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command, service string) (string, bool) {
	known, err := commands.ResolveService(b.opts.Diagnoser, commands.CommandName(command), service)
	if err != nil {
		b.explainService(ctx, a, w, who, err)
		return "", false
	}
	return known, b.allow(ctx, a, w, who, commands.Request{Command: "diagnose", Service: known})
}

func (b *Bot) watch(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Watch) {
	service, ok := b.watchable(ctx, a, w, who, what, what.Service)
	if !ok {
		return
	}
	channel, ok := b.watchedFrom(ctx, a, w, who, service, what.In)
	if !ok {
		return
	}
	every := cmp.Or(time.Duration(what.Every), watches.DefaultEvery)
	kept, err := b.opts.Watches.Watch(ctx, watches.Watch{Service: service, Channel: channel, Every: every, By: who.ID, Lang: w.Lang})
	if err != nil {
		b.unkept(ctx, a, w, err)
		return
	}
	b.proclaim(ctx, a, w, markWatch, w.Watching(kept, b.channelName(ctx, channel)))
}

// watchedFrom is the channel that is to be told, if the asker may diagnose there
// and somebody would read it.
func (b *Bot) watchedFrom(ctx context.Context, a ask, w commands.Words, who commands.Person, service, in string) (string, bool) {
	channel := a.channel
	if in != "" {
		id, ok := commands.ChannelOf(in)
		if !ok {
			b.whisper(ctx, a, drawNotice(markHelp, w.Say("watch_channel", "Channel", strings.TrimPrefix(in, "#"))))
			return "", false
		}
		channel = id
	}
	if channel != a.channel {
		there := ask{channel: channel}
		what := commands.Request{Command: "diagnose", Service: service}
		if d := b.decide(ctx, there, who, what); !d.Allowed {
			b.metrics.refused(refusedPolicy)
			b.whisper(ctx, a, b.drawRefusal(there, d, what, w))
			return "", false
		}
	}
	if strings.HasPrefix(channel, "D") {
		return channel, true
	}
	info, err := b.web.channel(ctx, channel)
	switch {
	case errorCode(err) == "channel_not_found", err == nil && !info.IsMember:
		b.whisper(ctx, a, drawNotice(markMissing, w.Say("watch_outside", "Bot", b.me.name)))
		return "", false
	case err != nil:
		b.log.WarnContext(ctx, "look at the channel of a watch", "ask", a, "error", err)
		b.whisper(ctx, a, drawNotice(markMissing, b.whyRefused(a, w, err)))
		return "", false
	}
	return channel, true
}

// channelName is what people call a channel, as far as Slack tells.
func (b *Bot) channelName(ctx context.Context, id string) string {
	if known, err := b.labels.of(ctx, id); err == nil && known.name != "" {
		return "#" + known.name
	}
	return id
}

func (b *Bot) unwatch(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Unwatch) {
	service, ok := b.watchable(ctx, a, w, who, what, what.Service)
	if !ok {
		return
	}
	channel := a.channel
	if what.In != "" {
		if channel, ok = commands.ChannelOf(what.In); !ok {
			b.whisper(ctx, a, drawNotice(markHelp, w.Say("watch_channel", "Channel", strings.TrimPrefix(what.In, "#"))))
			return
		}
	}
	ended, err := b.opts.Watches.Unwatch(ctx, service, channel, who.ID)
	if errors.Is(err, watches.ErrNone) {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say("not_watched", "Service", service)))
		return
	}
	if err != nil {
		b.unkept(ctx, a, w, err)
		return
	}
	var names []string
	for _, one := range ended {
		names = append(names, b.channelName(ctx, one.Channel))
	}
	b.proclaim(ctx, a, w, markWatch, w.Unwatched(service, names))
}

// unkept says why the database did not take something.
func (b *Bot) unkept(ctx context.Context, a ask, w commands.Words, err error) {
	if errors.Is(err, watches.ErrTooMany) {
		b.whisper(ctx, a, drawNotice(markRefused, w.Say("watch_many", "N", watches.MaxWatches)))
		return
	}
	b.explain(ctx, a, w, err)
}

// listWatches lists what is watched of the services that the asker may diagnose
// here.
func (b *Bot) listWatches(ctx context.Context, a ask, w commands.Words, who commands.Person) {
	if !b.allow(ctx, a, w, who, commands.Request{Command: "diagnose"}) {
		return
	}
	all, err := b.opts.Watches.List(ctx)
	var hushed []watches.Suppression
	if err == nil {
		hushed, err = b.opts.Watches.Suppressions(ctx)
	}
	if err != nil {
		b.unkept(ctx, a, w, err)
		return
	}
	open := b.open(ctx, a, who)
	closed := func(service string) bool { return service != "" && !slices.Contains(open, service) }
	list := commands.WatchList{
		Watches:      slices.DeleteFunc(all, func(one watches.Watch) bool { return closed(one.Service) }),
		Suppressions: slices.DeleteFunc(hushed, func(s watches.Suppression) bool { return closed(s.Service) }),
		Now:          b.opts.Now(), Link: b.linkToIncident,
		Channel: func(id string) string { return b.channelName(ctx, id) },
	}
	b.sayPage(ctx, a, w, commands.WatchesPage(list, w), nil)
}

// linkToIncident is the address of the thread that a watch is in; empty when it
// is in none.
func (b *Bot) linkToIncident(one watches.Watch) string {
	if i := one.Memory.Incident; i != nil && i.Thread != "" {
		return b.linkToMessage(one.Channel, i.Thread)
	}
	return ""
}

// linkToMessage is the address of a message; empty when Slack did not say what
// its addresses are.
func (b *Bot) linkToMessage(channel, ts string) string {
	if b.me.url == "" {
		return ""
	}
	return strings.TrimRight(b.me.url, "/") + "/archives/" + channel + "/p" + strings.ReplaceAll(ts, ".", "")
}

// mayHush says whether the asker may diagnose what is to be suppressed: a service,
// or all of them. Who may not is told.
func (b *Bot) mayHush(ctx context.Context, a ask, w commands.Words, who commands.Person, command commands.Command, code, service string) (string, bool) {
	if _, err := commands.FindCheck(b.opts.Diagnoser, code); err != nil {
		if b.allow(ctx, a, w, who, commands.Request{Command: "diagnose"}) {
			b.explain(ctx, a, w, err)
		}
		return "", false
	}
	if service != "" {
		return b.watchable(ctx, a, w, who, command, service)
	}
	for _, each := range b.opts.Diagnoser.Services() {
		if !b.allow(ctx, a, w, who, commands.Request{Command: "diagnose", Service: each}) {
			return "", false
		}
	}
	return "", true
}

func (b *Bot) suppress(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Suppress) {
	service, ok := b.mayHush(ctx, a, w, who, what, what.Code, what.About)
	if !ok {
		return
	}
	if utf8.RuneCountInString(what.Reason) > watches.MaxReason {
		b.whisper(ctx, a, drawNotice(markHelp, w.Say("suppress_long", "N", watches.MaxReason)))
		return
	}
	owner := cmp.Or(what.Owner, who.ID)
	kept, err := b.opts.Watches.Suppress(ctx, watches.Suppression{
		Code: what.Code, Service: service, Owner: owner, By: who.ID, Reason: what.Reason, Until: b.opts.Now().Add(time.Duration(what.For)),
	})
	if err != nil {
		b.unkept(ctx, a, w, err)
		return
	}
	b.proclaimOf(ctx, a, w, markHush, w.Suppressed(kept, owner), owner)
}

func (b *Bot) unsuppress(ctx context.Context, a ask, w commands.Words, who commands.Person, what commands.Unsuppress) {
	service, ok := b.mayHush(ctx, a, w, who, what, what.Code, what.Service)
	if !ok {
		return
	}
	err := b.opts.Watches.Unsuppress(ctx, what.Code, service, who.ID)
	switch {
	case errors.Is(err, watches.ErrNone):
		b.whisper(ctx, a, drawNotice(markHelp, w.Say("not_suppressed", "Code", what.Code)))
	case err != nil:
		b.unkept(ctx, a, w, err)
	default:
		b.proclaim(ctx, a, w, "🔔", w.Say("unsuppressed", "Code", what.Code))
	}
}
