package commands

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// shortReadings is how many numbers a message shows.
const shortReadings = 18

// MetricsDigest says what the metrics say: a row for each number, with the
// judgement beside it. Hidden are the services that the reader may not look at.
func MetricsDigest(m guide.Metrics, hidden []string, w Words) Digest {
	d := Digest{Title: w.Say("metrics_title", "About", visible(m.About)), Name: "metrics-" + m.About, Status: m.Status()}
	foot := Page{}
	if len(hidden) > 0 {
		foot = append(foot, Paragraph(w.Say("metrics_hidden", "Services", strings.Join(hidden, ", "))))
	}
	if len(m.Readings) == 0 {
		d.Short = append(Page{Heading(d.Title), Paragraph(w.Say("metrics_none", "About", visible(m.About)))}, foot...)
		d.Full = d.Short
		return d
	}
	head := Page{Heading(d.Title), Paragraph(w.Count("metrics_head", len(m.Readings), "Since", Short(m.Until.Sub(m.Since))))}
	shown := worstFirst(m.Readings)[:min(len(m.Readings), shortReadings)]
	d.Short = slices.Concat(head, metricsPart(m, inOrder(m.Readings, shown), true, w), foot)
	if rest := len(m.Readings) - len(shown); rest > 0 {
		d.Short = append(d.Short, Paragraph(w.Count("metrics_rest", rest)))
	}
	d.Full = slices.Concat(head, metricsPart(m, m.Readings, false, w), foot, metricsQueries(m, w))
	return d
}

// MetricsPicture are the numbers that a picture shows, the worst first, and what
// stands over each.
func MetricsPicture(m guide.Metrics, w Words) (readings []guide.Reading, caption func(guide.Reading) string) {
	return worstFirst(m.Readings), func(r guide.Reading) string {
		return fmt.Sprintf("%s %s\n%s: %s (%s)", visible(r.Service), r.Metric, w.Say("metrics_now"), amount(r.Now, r.Unit), w.Status(r.Status))
	}
}

// metricsPart is the table of some numbers, and what is to be said of them: in
// short only of those that are not well.
func metricsPart(m guide.Metrics, readings []guide.Reading, short bool, w Words) Page {
	head, row := []string{" ", "", w.Say("metrics_metric"), w.Say("metrics_now"), w.Say("metrics_worst"), w.Say("metrics_limit"), w.Say("metrics_judgement"), ""}, metricRow
	if short {
		head, row = shortMetricRow(m, w)
	}
	rows := [][]string{head}
	var notes []string
	said := map[string]bool{}
	for _, r := range readings {
		rows = append(rows, row(r, m, w))
		note := metricNote(r, m, w)
		well := r.Status == diagnostics.Pass || r.Status == diagnostics.Skipped
		if said[note] || short && well {
			continue
		}
		said[note] = true
		notes = append(notes, note)
	}
	page := Page{Code(columns(rows))}
	if len(notes) > 0 {
		page = append(page, bullets(notes))
	}
	return page
}

func metricRow(r guide.Reading, m guide.Metrics, w Words) []string {
	return []string{
		markOf(r.Status).symbol, r.Service, metricName(r.Metric), amount(r.Now, r.Unit), amount(r.Worst, r.Unit), limit(r), w.Status(r.Status),
		r.Line(m.Since, m.Until),
	}
}

// shortMetricRow makes rows that a card does not wrap: of several services
// without the line, of one without its name. The mark is the judgement; notes say
// what is not well, and the file in the thread has all.
func shortMetricRow(m guide.Metrics, w Words) (head []string, row func(guide.Reading, guide.Metrics, Words) []string) {
	several := slices.ContainsFunc(m.Readings, func(r guide.Reading) bool { return r.Service != m.Readings[0].Service })
	if several {
		return []string{" ", "", w.Say("metrics_metric"), w.Say("metrics_now")}, func(r guide.Reading, _ guide.Metrics, _ Words) []string {
			return []string{markOf(r.Status).symbol, r.Service, metricName(r.Metric), amount(r.Now, r.Unit)}
		}
	}
	return []string{" ", w.Say("metrics_metric"), w.Say("metrics_now"), ""}, func(r guide.Reading, m guide.Metrics, _ Words) []string {
		return []string{markOf(r.Status).symbol, metricName(r.Metric), amount(r.Now, r.Unit), r.Line(m.Since, m.Until)}
	}
}

// metricName is the name without what every counter's ends in, which takes room.
func metricName(name string) string { return strings.TrimSuffix(name, "_total") }

// metricNote says what a number is, why it is not known, and how it is misread.
func metricNote(r guide.Reading, m guide.Metrics, w Words) string {
	note := r.Metric + ": " + r.What.In(w.Lang)
	switch {
	case r.Blind != nil:
		note = r.Metric + ": " + w.Say("metrics_blind", "Why", w.Blind(r.Blind))
	case r.Status == diagnostics.Unknown && m.Deaf(r.Service) && r.Group != guide.Gate:
		return r.Service + ": " + w.Say("metrics_gated")
	case r.Status == diagnostics.Unknown:
		note += " (" + w.Say("metrics_unknown") + ")"
	case r.Status == diagnostics.Skipped:
		note += " (" + r.Empty.In(w.Lang) + ")"
	}
	if r.Trap.EN != "" {
		note += "; " + r.Trap.In(w.Lang)
	}
	return visible(note) + "."
}

// limit is from where on a number is a warning, and from where on a failure.
func limit(r guide.Reading) string {
	var parts []string
	for _, at := range []float64{r.Limits.Warn, r.Limits.Fail} {
		sign := "≥"
		switch {
		case math.IsNaN(at):
			continue
		case r.Limits.Below:
			sign = "<"
		case at == 0:
			sign = ">"
		}
		parts = append(parts, sign+" "+amount(at, r.Unit))
	}
	return strings.Join(parts, ", ")
}

// amount writes a number as people do.
func amount(v float64, unit guide.Unit) string {
	if math.IsNaN(v) {
		return "-"
	}
	switch unit {
	case guide.Share:
		return short3(100*v) + " %"
	case guide.Seconds:
		return Short(time.Duration(v * float64(time.Second)))
	case guide.PerSecond:
		return short3(v) + "/s"
	default:
		return short3(v)
	}
}

// short3 writes a number with three digits that mean something.
func short3(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return fmt.Sprintf("%.3g", v)
}

// worstFirst sorts readings by how bad they are.
func worstFirst(readings []guide.Reading) []guide.Reading {
	order := []diagnostics.Status{diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown, diagnostics.Pass, diagnostics.Skipped}
	sorted := slices.Clone(readings)
	slices.SortStableFunc(sorted, func(a, b guide.Reading) int {
		return cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status))
	})
	return sorted
}

// inOrder are the chosen of all readings, in the order of all.
func inOrder(all, chosen []guide.Reading) []guide.Reading {
	return slices.DeleteFunc(slices.Clone(all), func(r guide.Reading) bool {
		return !slices.ContainsFunc(chosen, func(c guide.Reading) bool { return c.Service == r.Service && c.Metric == r.Metric })
	})
}

// metricsQueries are the questions, each once.
func metricsQueries(m guide.Metrics, w Words) Page {
	page := Page{Heading(w.Say("check_diagnosis"))}
	for _, r := range m.Readings {
		page = append(page, Code(r.Query))
	}
	return page
}

func groupNames() []string {
	var names []string
	for _, g := range guide.Groups() {
		names = append(names, string(g))
	}
	return names
}
