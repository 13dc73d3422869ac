package commands

import (
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
	"tandem/watches"
)

// How much of what comes from outside is repeated, in characters.
const (
	maxChanges = 8 // lines
	maxNamed   = 200
	maxQuoted  = 300
)

// Bulletin is news of a watch as a person reads it, in one language.
type Bulletin struct {
	Status  diagnostics.Status
	Title   string
	Verdict string // in one sentence; empty: there is none
	Quote   string // what the alert says of itself, in words from outside
	Changes []BulletinLine
	Notes   []string // on the changes
	Hushed  string   // what is suppressed; Owners are in it as they are
	Owners  []string
	Every   string // empty: an alert
	Unwatch string // the command that ends it; empty: an alert
	Card    bool   // the whole diagnosis belongs below
}

// BulletinLine is what changed of one check.
type BulletinLine struct {
	Status diagnostics.Status
	Code   string
	Text   string
}

// NewBulletin says news in one language.
func NewBulletin(watch watches.Watch, n watches.News, w Words) Bulletin {
	view := visibleView(n.Report.In(w.Lang))
	b := Bulletin{Status: view.Verdict.Status}
	b.Card = view.Verdict.Status != "" && (view.Verdict.Status != diagnostics.Pass || watch.Alert != nil && n.Kind == watches.First)
	b.Title = w.newsTitle(watch, n)
	if watch.Alert == nil {
		b.Every, b.Unwatch = Short(watch.Every), w.Say("news_unwatch", "Service", watch.Service)
	} else if n.Kind == watches.First || n.Kind == watches.Lost {
		b.Quote = cut(oneLine(watch.Alert.Summary), maxQuoted)
	}
	if n.Kind == watches.Missed {
		b.Status = diagnostics.Unknown
		return b
	}
	if n.Kind == watches.Lost {
		b.Status, b.Verdict = diagnostics.Unknown, w.lostAlert(*watch.Alert)
		return b
	}
	if n.Kind != watches.Changed && view.Verdict.Status != diagnostics.Pass {
		b.Verdict = view.Verdict.Headline
	}
	w.changes(&b, n)
	w.hushes(&b, n.Hushed)
	return b
}

func (w Words) newsTitle(watch watches.Watch, n watches.News) string {
	status := n.Report.Verdict.Status
	names, lasted := "", span(n.Lasted)
	if watch.Alert != nil {
		names = cut(oneLine(strings.Join(watch.Alert.Names, ", ")), maxNamed)
	}
	target, label := oneLine(watch.Service), w.Status(status)
	switch {
	case n.Kind == watches.Lost:
		return w.Say("news_lost", "Names", names)
	case n.Kind == watches.Missed:
		return w.Say("news_missed", "Target", target)
	case n.Kind == watches.Back:
		return w.Say("news_back", "Target", target, "Label", label)
	case n.Kind == watches.Closed && status == "":
		return w.Say("news_resolved_blind", "Names", names, "Target", target, "Lasted", lasted)
	case n.Kind == watches.Closed:
		return w.Say("news_resolved", "Names", names, "Target", target, "Label", label, "Lasted", lasted)
	case n.Kind == watches.First && watch.Alert != nil:
		return w.Say("news_alert", "Names", names, "Target", target, "Label", label)
	case n.Kind == watches.First:
		return w.Say("news_first", "Target", target, "Label", label, "Every", Short(watch.Every))
	case n.Over && status == diagnostics.Pass:
		return w.Say("news_over", "Target", target, "Label", label, "Lasted", lasted)
	case n.Over:
		return w.Say("news_as_before", "Target", target, "Label", label, "Lasted", lasted)
	default:
		return w.Say("news_changed", "Target", target, "Label", label)
	}
}

// lostAlert says which label was looked for, and which services there are.
func (w Words) lostAlert(a watches.Alert) string {
	services := strings.Join(a.Known, ", ")
	if a.Service != "" {
		return w.Say("news_lost_named", "Service", cut(oneLine(a.Service), maxNamed), "Services", services)
	}
	return w.Say("news_lost_label", "Labels", strings.Join(a.Labels, ", "), "Services", services)
}

// changes are the causes that came and went, then other checks that nothing else
// explains. What follows from them is counted.
func (w Words) changes(b *Bulletin, n watches.News) {
	seen := map[string]bool{}
	follow, more := 0, 0
	add := func(l BulletinLine) {
		seen[l.Code] = true
		if len(b.Changes) == maxChanges {
			more++
			return
		}
		b.Changes = append(b.Changes, l)
	}
	for _, r := range n.Broken {
		add(BulletinLine{r.Status, r.Code, w.checkText(r.Title, w.Say("news_still", "Status", w.Status(r.Status)), r.Summary, r.Status)})
	}
	for _, c := range slices.Concat(n.Difference.Came, n.Difference.Went, n.Difference.Checks) {
		switch {
		case seen[c.Code]:
		case len(c.After.BecauseOf) > 0:
			seen[c.Code] = true
			follow++
		default:
			add(BulletinLine{c.After.Status, c.Code, w.checkText(c.Title, w.turned(c), c.After.Summary, c.After.Status)})
		}
	}
	if follow > 0 {
		b.Notes = append(b.Notes, w.Count("news_because", follow))
	}
	if more > 0 {
		b.Notes = append(b.Notes, w.Count("news_more", more))
	}
}

// turned is the answer of a check before and after.
func (w Words) turned(c diagnostics.Change) string {
	before, after := w.Say("news_new"), w.Say("news_gone")
	if c.Before.Status != "" {
		before = w.Status(c.Before.Status)
	}
	if c.After.Status != "" {
		after = w.Status(c.After.Status)
	}
	return w.Say("news_change", "Before", before, "After", after)
}

func (w Words) checkText(title diagnostics.Text, turned string, summary diagnostics.Text, status diagnostics.Status) string {
	text := oneLine(title.In(w.Lang)) + ": " + turned
	if said := oneLine(summary.In(w.Lang)); said != "" && status != diagnostics.Pass {
		text += " – " + said
	}
	return text
}

func (w Words) hushes(b *Bulletin, hushed []watches.Hush) {
	var list []string
	for _, h := range hushed {
		list = append(list, w.Say("news_hush", "Code", h.Code, "Status", w.Status(h.Status), "Owner", h.Owner, "Until", until(h.Until)))
		b.Owners = append(b.Owners, h.Owner)
	}
	if len(list) > 0 {
		b.Hushed = w.Count("news_hushed", len(list), "List", strings.Join(list, "; "))
	}
}

// until is a time as people plan with it, in UTC.
func until(t time.Time) string {
	return t.UTC().Format("2006-01-02 15:04")
}
