package commands

import (
	"strconv"
	"strings"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// shortSteps is how many steps of a flow a message shows.
const shortSteps = 15

// TraceDigest says how a request or a plan went from service to service. Hidden
// are the services whose logs the reader may not read.
func TraceDigest(t guide.Trace, hidden []string, w Words) Digest {
	d := Digest{Title: w.Say("trace_title", "ID", visible(t.ID)), Name: "trace-" + t.ID, Status: traceStatus(t, hidden)}
	head := Page{Heading(d.Title), Paragraph(traceHead(t, w))}
	foot := Page{Heading(w.Say("trace_heard")), heardList(t, hidden, w)}
	if len(t.Related) > 0 {
		foot = append(foot, Paragraph(w.Say("trace_related", "IDs", visible(strings.Join(t.Related, ", ")), "First", visible(t.Related[0]))))
	}
	page := func(steps, width int) Page {
		p := append(Page{}, head...)
		if len(t.Steps) > 0 {
			p = append(p, Code(cut(traceTable(t, steps, w), width)))
		}
		return append(p, foot...)
	}
	d.Short, d.Full = page(shortSteps, short.width), page(len(t.Steps), full.width)
	d.Full = append(d.Full, Heading(w.Say("check_diagnosis")))
	for _, h := range t.Heard {
		if h.Blind == nil {
			d.Full = append(d.Full, Code(h.Command))
		}
	}
	return d
}

// traceStatus is that of the flow: without the logs of hidden services it is not
// known to be well.
func traceStatus(t guide.Trace, hidden []string) diagnostics.Status {
	status := t.Status()
	if status == diagnostics.Pass && len(hidden) > 0 {
		return diagnostics.Unknown
	}
	return status
}

func traceHead(t guide.Trace, w Words) string {
	if len(t.Steps) == 0 {
		return w.Say("trace_nothing", "Since", Short(t.Until.Sub(t.Since)))
	}
	first, last := t.Steps[0], t.Steps[len(t.Steps)-1]
	text := w.Count("trace_steps", len(t.Steps), "Took", Short(last.At.Sub(first.At)), "Day", first.At.Format("2006-01-02"))
	if failed, ok := t.FirstFailure(); ok {
		return text + "\n" + w.Say("trace_failed", "At", step(failed.At), "Service", failed.Service, "Event", name(failed.Event), "Text", oneRow(failed.Line))
	}
	return text + "\n" + w.Say("trace_no_failure", "Service", last.Service, "Event", name(last.Event))
}

// step is the time of a step, to the millisecond.
func step(at time.Time) string { return at.UTC().Format("15:04:05.000") }

// traceTable has a row for each step, and one for each gap. When not all steps
// fit, the first failure does.
func traceTable(t guide.Trace, most int, w Words) string {
	var rows [][]string
	from := window(t, most)
	if from > 0 {
		rows = append(rows, []string{" ", "…", "", w.Count("trace_more", from)})
	}
	for i, s := range t.Steps[from:min(len(t.Steps), from+most)] {
		if s.Gap && i > 0 {
			rows = append(rows, []string{"┊", "+" + Short(s.After), "", w.Say("trace_gap")})
		}
		mark := " "
		switch {
		case s.First:
			mark = "▶"
		case s.Failed():
			mark = "✖"
		}
		rows = append(rows, []string{mark, step(s.At), s.Service, name(s.Event), oneRow(s.Line)})
	}
	if rest := len(t.Steps) - from - most; rest > 0 {
		rows = append(rows, []string{" ", "…", "", w.Count("trace_more", rest)})
	}
	return columns(rows)
}

// window is where the steps that are shown begin, so that the first failure is
// among them with what led to it.
func window(t guide.Trace, most int) int {
	for i, s := range t.Steps {
		if s.First && i >= most {
			return i - most/2
		}
	}
	return 0
}

// heardList says what the log of each service had.
func heardList(t guide.Trace, hidden []string, w Words) List {
	var list List
	for _, h := range t.Heard {
		list = append(list, Item{Name: h.Service, Text: heard(h, w)})
	}
	for _, service := range hidden {
		list = append(list, Item{Name: service, Text: w.Say("trace_hidden")})
	}
	return list
}

func heard(h guide.Heard, w Words) string {
	switch {
	case h.Blind != nil:
		return "? " + w.Say("trace_blind", "Why", w.Blind(h.Blind))
	case len(h.Unseen) > 0:
		return "? " + visible(w.Say("trace_unseen", "N", strconv.Itoa(h.Steps), "Pods", strings.Join(h.Unseen, "; ")))
	case h.Steps > 0 && h.Truncated:
		return w.Say("trace_truncated", "N", strconv.Itoa(h.Steps))
	case h.Steps > 0:
		return w.Count("trace_lines", h.Steps)
	case h.Lines > 0:
		return w.Count("trace_absent", int(h.Lines))
	default:
		return "? " + w.Say("trace_silent")
	}
}
