package commands

import (
	"strconv"
	"strings"
	"time"

	"tandem/diagnostics/guide"
)

// extent is how much of something an answer shows.
type extent struct {
	rows, lines, width int
	absent             bool // what is not there is named, with how that is misread
}

// The extents of an answer's two lengths.
var (
	short = extent{rows: 12, lines: 5, width: 78} // that a card of a window of usual width does not wrap
	full  = extent{rows: 100, lines: 1000, width: 400, absent: true}
)

// LogsDigest says what the logs of a service say: the runbook's events over
// time, then the failures, then the latest lines.
func LogsDigest(l guide.Logs, w Words) Digest {
	d := Digest{Title: logsTitle(l, w), Name: "logs-" + l.Service, Status: l.Status()}
	head := Page{Heading(d.Title), Paragraph(logsHead(l, w))}
	page := func(x extent) Page {
		p := append(Page{}, head...)
		p = append(p, logsRows(l, x, w)...)
		p = append(p, logsLines(w.Say("logs_failures"), l.Failures, x, l.Window())...)
		p = append(p, logsLines(w.Say("logs_latest"), l.Latest, x, l.Window())...)
		if notes := logsNotes(l, x, w); len(notes) > 0 {
			p = append(p, bullets(notes))
		}
		return p
	}
	d.Short = page(short)
	d.Full = append(page(full), Heading(w.Say("check_diagnosis")), Code(l.Command))
	return d
}

func logsTitle(l guide.Logs, w Words) string {
	if l.Search.Narrows() {
		return w.Say("logs_title_search", "Service", l.Service, "Search", searched(l.Search))
	}
	return w.Say("logs_title", "Service", l.Service)
}

// logsHead says how much there is to read.
func logsHead(l guide.Logs, w Words) string {
	if l.Silent() {
		return w.Say("logs_silent", "Service", l.Service, "Since", Short(l.Window()))
	}
	text := w.Count("logs_volume", int(l.Lines), "Since", Short(l.Window()), "Newest", moment(l.Newest, l.Window()), "Source", l.Source)
	if l.Pods > 1 {
		text += " " + w.Count("logs_pods", l.Pods)
	}
	return text + " " + w.Say("logs_failed", "N", strconv.Itoa(len(l.Failures)))
}

// logsRows is the table of events over time.
func logsRows(l guide.Logs, x extent, w Words) Page {
	rows := [][]string{{" ", w.Say("logs_event"), w.Say("logs_count"), "", w.Say("logs_last")}}
	var absent []string
	for _, r := range l.Rows {
		if r.Count == 0 {
			absent = append(absent, r.Name)
			continue
		}
		rows = append(rows, []string{rowMark(r), name(r.Name), strconv.FormatInt(r.Count, 10), guide.Spark(r.Counts), moment(r.Last, l.Window())})
	}
	var page Page
	if len(rows) > 1 {
		page = Page{Heading(w.Say("logs_events")), Code(cut(columns(rows[:min(len(rows), x.rows+1)]), x.width))}
	} else {
		page = Page{Paragraph(w.Say("logs_nothing"))}
	}
	if more := len(rows) - x.rows - 1; more > 0 {
		page = append(page, Paragraph(w.Count("logs_more", more)))
	}
	if len(absent) > 0 && x.absent {
		page = append(page, Paragraph(w.Say("logs_absent", "Events", strings.Join(absent, ", "))))
	}
	return page
}

// rowMark says what it means that an event is there.
func rowMark(r guide.Row) string {
	switch r.Kind {
	case guide.Failure:
		return "✖"
	case guide.Warning:
		return "!"
	case guide.Sign:
		return "✔"
	default:
		return " "
	}
}

func name(event string) string {
	if event == "" {
		return "-"
	}
	return visible(event)
}

// logsLines are the newest of some lines.
func logsLines(heading string, lines []guide.Line, x extent, window time.Duration) Page {
	if len(lines) == 0 {
		return nil
	}
	var rows [][]string
	for _, l := range lines[:min(len(lines), x.lines)] {
		rows = append(rows, logLine(l, window))
	}
	return Page{Heading(heading), Code(cut(columns(rows), x.width))}
}

// logsNotes say what keeps a reader from concluding too much.
func logsNotes(l guide.Logs, x extent, w Words) []string {
	var notes []string
	if l.Truncated {
		notes = append(notes, w.Say("logs_truncated", "N", strconv.FormatInt(l.Found, 10), "From", moment(l.Counted, l.Window())))
	}
	if len(l.Unseen) > 0 {
		notes = append(notes, visible(w.Say("logs_unseen", "Pods", strings.Join(l.Unseen, "; "))))
	}
	if l.Bad > 0 {
		notes = append(notes, w.Count("logs_bad", int(l.Bad)))
	}
	for _, e := range l.Notes() {
		if x.absent || !e.NoteAbsent {
			notes = append(notes, strings.TrimSpace(e.Note.In(w.Lang)))
		}
	}
	return notes
}
