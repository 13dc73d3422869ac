package commands

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
)

// Listing is what a list of requests shows.
type Listing struct {
	Which    string // as asked: PendingRequests, MyRequests, or empty for the open ones
	Requests []approvals.Request
	More     bool // than those
	Frozen   []approvals.Freeze
	Now      time.Time
	Link     func(approvals.Request) string // the address of a card, or ""; nil: there are none
}

// RequestsPage lists requests, a line each, below what is frozen.
func RequestsPage(l Listing, w Words) Page {
	var page Page
	if frozen := frozenList(l.Frozen, l.Now, w); len(frozen) > 0 {
		page = append(page, Heading("🧊 "+w.Say("frozen_title")), frozen, Paragraph(w.Say("frozen_next")))
	}
	page = append(page, Heading(w.listTitle(l.Which)))
	if len(l.Requests) == 0 {
		return append(page, Paragraph(w.Say("requests_none")))
	}
	var list List
	for _, r := range l.Requests {
		item := Item{Name: r.ID, By: r.Requester.ID, Text: w.requestLine(r, l.Now)}
		if l.Link != nil {
			item.Link = l.Link(r)
		}
		list = append(list, item)
	}
	page = append(page, list)
	if l.More {
		page = append(page, Paragraph(w.Say("requests_more", "N", len(l.Requests))))
	}
	return append(page, Paragraph(w.Say("requests_next")))
}

func (w Words) listTitle(which string) string {
	switch which {
	case PendingRequests:
		return w.Say("requests_pending")
	case MyRequests:
		return w.Say("requests_mine")
	default:
		return w.Say("requests_open")
	}
}

// requestLine is how a request stands, for what service, what it does, and until
// when it can be decided or since when it is over.
func (w Words) requestLine(r approvals.Request, now time.Time) string {
	parts := []string{StateMark(r.State) + " " + w.StateOf(r), oneLine(r.Plan.Service), oneLine(r.Plan.Does.In(w.Lang))}
	switch {
	case r.State == approvals.Pending:
		parts = append(parts, w.Say("votes_so_far", "Have", len(r.Approvals()), "Want", max(1, r.Terms.Quorum)),
			w.Say("expires_in", "In", span(r.Expires.Sub(now))))
	case r.State.Ended():
		parts = append(parts, w.Say("ago", "Ago", span(now.Sub(r.Ended))))
	}
	return strings.Join(parts, " · ")
}

// span is a time that people wait, to the minute when it is longer than one.
func span(d time.Duration) string {
	if d = max(d, 0); d >= time.Minute {
		return Short(d.Round(time.Minute))
	}
	return Short(d.Round(time.Second))
}

// StateMark shows the state of a request by shape.
func StateMark(s approvals.State) string {
	switch s {
	case approvals.Pending:
		return "✋"
	case approvals.Approved, approvals.Executing:
		return "⏳"
	case approvals.Verified, approvals.Reviewed:
		return "✅"
	case approvals.Unverified:
		return "⚠️"
	case approvals.Failed:
		return "❌"
	case approvals.Interrupted:
		return "❗"
	case approvals.Denied:
		return "🚫"
	case approvals.Expired:
		return "⌛"
	default:
		return "➖"
	}
}

func frozenList(frozen []approvals.Freeze, now time.Time, w Words) List {
	var list List
	for _, f := range frozen {
		var parts []string
		if !f.At.IsZero() {
			parts = append(parts, w.Say("ago", "Ago", span(now.Sub(f.At))))
		}
		if f.Reason != "" {
			parts = append(parts, quoteWords(f.Reason))
		}
		list = append(list, Item{Name: w.FrozenTarget(f.Target), By: f.By, Text: strings.Join(parts, " · ")})
	}
	return list
}

// FrozenTarget names what a freeze stops.
func (w Words) FrozenTarget(target string) string {
	if target == approvals.Everything {
		return w.Say("frozen_everything")
	}
	return oneLine(target)
}

// quoteWords are somebody's own words, which can pass for nobody else's.
func quoteWords(words string) string {
	return "“" + strings.NewReplacer("“", "'", "”", "'").Replace(oneLine(words)) + "”"
}

// RequestPage is one request whole: the plan, the votes, how it ended, and what
// the audit tells of it.
func RequestPage(r approvals.Request, trail []approvals.Entry, link string, w Words) Page {
	page := Page{
		Heading(StateMark(r.State) + " " + w.Say("request_title", "Request", r.ID) + ": " + w.StateOf(r)),
		Paragraph(oneLine(r.Plan.Does.In(w.Lang))),
		requestFacts(r, link, w),
	}
	for _, part := range PlanParts(r.Plan, w) {
		page = append(page, Heading(part.Heading), partOf(part))
	}
	page = append(page, Heading(w.Say("votes_so_far", "Have", len(r.Approvals()), "Want", max(1, r.Terms.Quorum))))
	if votes := votesOf(r, w); len(votes) > 0 {
		page = append(page, votes)
	}
	if proof := proofOf(r, w); len(proof) > 0 && !Proofless(r) {
		page = append(page, Heading(w.Say("request_proof")), proof)
	}
	if len(trail) == 0 {
		return page
	}
	list := make(List, 0, len(trail))
	for _, e := range trail {
		list = append(list, w.entryItem(e))
	}
	return append(page, Heading(w.Say("request_trail")), list, Paragraph(w.Say("request_audit", "Command", w.auditing(r.ID))))
}

// auditing is the command that shows the audit of a request.
func (w Words) auditing(id string) string {
	if strings.HasPrefix(w.Prog, "/") {
		return w.Prog + " audit " + id
	}
	return w.Prog + " audit show " + id
}

func partOf(p PlanPart) Part {
	if p.Code {
		return Code(p.Text)
	}
	return Paragraph(p.Text)
}

// requestFacts are what stands above the plan.
func requestFacts(r approvals.Request, link string, w Words) List {
	list := List{
		{Name: w.Say("fact_asked"), By: r.Requester.ID, Text: saidAt(clock(r.Asked), r.Reason)},
		{Name: w.Say("fact_remedy"), Text: strings.Trim(r.Plan.Remedy+" · "+r.Check, " ·")},
		{Name: w.Say("fact_fingerprint"), Text: r.Fingerprint},
	}
	switch {
	case r.State.Ended():
		list = append(list, Item{Name: w.Say("fact_ended"), By: r.Ender, Text: w.endedAt(r)})
	default:
		list = append(list, Item{Name: w.Say("fact_expires"), Text: clock(r.Expires)})
	}
	for _, other := range []Item{
		{Name: w.Say("fact_replaces"), Text: r.Replaces},
		{Name: w.Say("fact_replaced_by"), Text: r.ReplacedBy},
		{Name: w.Say("fact_reviews"), Text: r.Reviews},
	} {
		if other.Text != "" {
			list = append(list, other)
		}
	}
	if r.BrokeGlass {
		list = append(list, Item{Name: w.Say("fact_glass"), Text: w.Say("fact_glass_text")})
	}
	if link != "" {
		list = append(list, Item{Name: w.Say("fact_card"), Link: link})
	}
	return list
}

// saidAt are somebody's words behind the time at which they were said.
func saidAt(at, said string) string {
	if said == "" {
		return at
	}
	return at + ": " + quoteWords(said)
}

// endedAt is when a request ended, and why.
func (w Words) endedAt(r approvals.Request) string {
	if r.Ending == "" || w.Verbatim(r) {
		return saidAt(clock(r.Ended), r.Ending)
	}
	return clock(r.Ended) + "\n" + w.Technically(r.Ending)
}

// clock is a time that means the same to every reader.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func votesOf(r approvals.Request, w Words) List {
	var list List
	for _, v := range r.Votes {
		name := w.Say("vote_approve")
		if v.Choice == approvals.Deny {
			name = w.Say("vote_deny")
		}
		list = append(list, Item{Name: name, By: v.ID, Text: saidAt(clock(v.At)+" · "+string(v.Via), v.Reason)})
	}
	return list
}

// proofOf are the checks before and after, side by side.
func proofOf(r approvals.Request, w Words) List {
	var list List
	for _, before := range r.Run.Before {
		after := "–"
		for _, o := range r.Run.After {
			if o.Code == before.Code {
				after = w.saw(o)
			}
		}
		list = append(list, Item{Name: before.Code, Text: w.saw(before) + " → " + after})
	}
	return list
}

func (w Words) saw(o approvals.Observation) string {
	return cmp.Or(strings.TrimSuffix(o.Status+": "+oneLine(o.Summary.In(w.Lang)), ": "), "–")
}

// TrailPage is what the audit tells of one request, to the letter, with the hash
// of each entry.
func TrailPage(id string, trail []approvals.Entry, w Words) Page {
	page := Page{Heading(w.Say("trail_title", "Request", id, "N", len(trail)))}
	if len(trail) == 0 {
		return append(page, Paragraph(w.Say("trail_none")))
	}
	list := make(List, 0, len(trail))
	verdict := w.Say("trail_intact")
	for _, e := range trail {
		item := w.entryItem(e)
		item.Text += "\n" + e.Hash
		list = append(list, item)
		if !e.Intact(e.Before) {
			verdict = w.Say("trail_changed", "Number", e.Number)
		}
	}
	last := trail[len(trail)-1]
	return append(page, list, Paragraph(verdict), Paragraph(w.Say("trail_head", "Number", last.Number)), Code(last.Hash))
}

// entryItem is one entry: when, what, and all its details under the names that
// the audit has for them.
func (w Words) entryItem(e approvals.Entry) Item {
	text := clock(e.At) + " " + w.Deed(e.Deed)
	if e.Via != "" {
		text += " (" + e.Via + ")"
	}
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		text += " " + name + "=" + bare(e.Detail[name])
	}
	if e.State != "" {
		text += " → " + w.State(e.State)
	}
	return Item{Name: strconv.FormatInt(e.Number, 10), By: e.Actor, Text: text}
}

// bare is a value as it is when it is one word, and quoted otherwise, so that no
// value can pass for another one's name.
func bare(value string) string {
	plainly := value != "" && !strings.ContainsFunc(value, func(r rune) bool {
		return r <= ' ' || r == '"' || r == '=' || r > '~'
	})
	if plainly {
		return value
	}
	return strconv.Quote(visible(value))
}
