package commands

import (
	"cmp"
	"strings"
	"time"

	"tandem/watches"
)

// WatchList is what a list of watches shows.
type WatchList struct {
	Watches      []watches.Watch
	Suppressions []watches.Suppression
	Now          time.Time
	Channel      func(id string) string     // how readers call a channel
	Link         func(watches.Watch) string // the address of its thread, or ""; nil: there are none
}

// WatchesPage lists watches, then alerts, then what is suppressed.
func WatchesPage(l WatchList, w Words) Page {
	page := Page{Heading(w.Say("watches_title"))}
	var watched, alerts, hushed List
	for _, one := range l.Watches {
		item := Item{Name: w.watchedName(one), Text: w.watchLine(one, l)}
		if l.Link != nil {
			item.Link = l.Link(one)
		}
		if one.Alert != nil {
			alerts = append(alerts, item)
			continue
		}
		item.By = one.By
		watched = append(watched, item)
	}
	if page = append(page, watched); len(watched) == 0 {
		page[1] = Paragraph(w.Say("watches_none"))
	}
	if len(alerts) > 0 {
		page = append(page, Heading(w.Say("watches_alerts")), alerts)
	}
	for _, s := range l.Suppressions {
		hushed = append(hushed, Item{Name: s.Code, By: s.Owner, Text: w.Say("hush_line", "About", w.aboutService(s.Service),
			"Until", until(s.Until), "In", span(s.Until.Sub(l.Now)), "Reason", oneLine(s.Reason))})
	}
	if len(hushed) > 0 {
		page = append(page, Heading(w.Say("watches_hushed")), hushed)
	}
	return page
}

// watchedName is the service, or what an alert says instead of one.
func (w Words) watchedName(one watches.Watch) string {
	if one.Service == "" && one.Alert != nil {
		return cmp.Or(cut(oneLine(one.Alert.Service), maxNamed), "?")
	}
	return oneLine(one.Service)
}

// watchLine is how often and where a service is looked at, what that came to, and
// when the next look is.
func (w Words) watchLine(one watches.Watch, l WatchList) string {
	channel := l.Channel(one.Channel)
	var parts []string
	if one.Alert != nil {
		names := cut(oneLine(strings.Join(one.Alert.Names, ", ")), maxNamed)
		parts = append(parts, w.Say("alert_line", "Names", names, "Channel", channel, "Lasted", span(l.Now.Sub(one.Alert.Began))))
	} else {
		parts = append(parts, w.Say("watch_line", "Every", Short(one.Every), "Channel", channel))
	}
	m := one.Memory
	switch {
	case m.Ran.IsZero():
		parts = append(parts, w.Say("watch_never"))
	case one.Service == "": // an alert that names none
	case m.Missed > 0:
		parts = append(parts, w.Count("watch_missed", m.Missed))
	default:
		parts = append(parts, w.Say("watch_last", "Status", w.Status(m.Status), "Ago", span(l.Now.Sub(m.Ran))))
	}
	if m.Untold > 0 {
		parts = append(parts, w.Say("watch_untold"))
	}
	if !one.Due.IsZero() {
		parts = append(parts, w.nextLook(one, l.Now))
	}
	return strings.Join(parts, " · ")
}

func (w Words) nextLook(one watches.Watch, now time.Time) string {
	switch in := one.Due.Sub(now); {
	case one.Claimed.After(now):
		return w.Say("watch_now")
	case in > 0:
		return w.Say("watch_next", "In", span(in))
	default:
		return w.Say("watch_due")
	}
}

func (w Words) aboutService(service string) string {
	if service == "" {
		return w.Say("every_service")
	}
	return service
}

// Watching says what is watched from now on, and how to end it. Channel is how the
// reader calls it.
func (w Words) Watching(watch watches.Watch, channel string) string {
	return lines(
		w.Say("watching", "Service", watch.Service, "Every", Short(watch.Every), "Channel", channel,
			"Next", watch.After(watch.Due).UTC().Format("15:04:05")),
		w.Say("watching_end", "Service", watch.Service),
	)
}

// Unwatched says what is watched no more; channels are how the reader calls them.
func (w Words) Unwatched(service string, channels []string) string {
	return w.Count("unwatched", len(channels), "Service", service, "Channels", strings.Join(channels, ", "))
}

// Suppressed says what watches are quiet about from now on. Owner is how the
// reader calls that one.
func (w Words) Suppressed(s watches.Suppression, owner string) string {
	return lines(
		w.Say("suppressed", "Code", s.Code, "About", w.aboutService(s.Service), "Until", until(s.Until), "Reason", oneLine(s.Reason)),
		w.Say("suppressed_owner", "Owner", owner, "Code", s.Code),
	)
}
