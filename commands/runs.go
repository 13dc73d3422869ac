package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Runs keeps diagnoses, and finds them again. It is safe for use by several
// goroutines.
type Runs interface {
	// SaveRun keeps a run under the id that it returns.
	SaveRun(ctx context.Context, run diagnostics.Run) (id string, err error)
	// FindRun returns a run; the error is diagnostics.ErrNoRun when none of that
	// id is kept.
	FindRun(ctx context.Context, id string) (diagnostics.Run, error)
	// ListRuns lists the runs of a service, the latest first.
	ListRuns(ctx context.Context, service string, limit int) ([]diagnostics.RunInfo, error)
}

// ListRuns asks which diagnoses of a service are kept.
type ListRuns struct {
	Service string `arg:"" name:"service"`
}

// Diff asks what changed between two diagnoses of a service: from Run to the
// latest or, without Run, between the latest two.
type Diff struct {
	Service string `arg:"" name:"service"`
	Run     string `arg:"" optional:"" name:"run"` // as diagnostics.RunID reads it
}

// TerminalListRuns is ListRuns in a terminal.
type TerminalListRuns struct {
	ListRuns `embed:""`

	Output Format `short:"o" placeholder:"text" default:"text"`
}

// TerminalDiff is Diff in a terminal.
type TerminalDiff struct {
	Diff `embed:""`

	Output Format `short:"o" placeholder:"text" default:"text"`
}

func (ListRuns) command()         {}
func (Diff) command()             {}
func (TerminalListRuns) command() {}
func (TerminalDiff) command()     {}

// NoRunError says that there is no run to compare with, or none of that id.
type NoRunError struct {
	Service string
	ID      string               // empty: no id was named
	Only    *diagnostics.RunInfo // the one run there is; nil: there is none
}

func (e *NoRunError) Error() string {
	return fmt.Sprintf("no run %q of %s to compare with", e.ID, e.Service)
}

// Bounds of lists of runs.
const (
	listedRuns   = 25             // as people read them
	RunsAsked    = listedRuns + 1 // to see whether there are more
	listedCauses = 4              // of each
	searchedRuns = 10_000         // among which the latest of the whole service are looked for
)

// Compared is what changed from one run that is kept to a later one.
type Compared struct {
	diagnostics.Difference

	From, To diagnostics.RunInfo
}

// CompareRuns finds what a Diff asks for; the caller has resolved the service.
// Errors are a *NoRunError or those of the Runs.
func CompareRuns(ctx context.Context, runs Runs, service, id string) (Compared, error) {
	all, err := runs.ListRuns(ctx, service, searchedRuns)
	if err != nil {
		return Compared{}, err
	}
	whole := slices.DeleteFunc(slices.Clone(all), func(r diagnostics.RunInfo) bool { return !r.Whole })
	before, after, err := pair(service, id, all, whole)
	if err != nil {
		return Compared{}, err
	}
	from, err := runs.FindRun(ctx, before)
	if err != nil {
		return Compared{}, missing(err, service, before)
	}
	to, err := runs.FindRun(ctx, after)
	if err != nil {
		return Compared{}, missing(err, service, after)
	}
	return Compared{Difference: diagnostics.Compare(from.Report, to.Report), From: from.RunInfo, To: to.RunInfo}, nil
}

// pair chooses the runs to compare, of lists that begin with the latest. A run
// that is named may be of some checks only; the other never is.
func pair(service, id string, all, whole []diagnostics.RunInfo) (before, after string, err error) {
	if id == "" {
		if len(whole) < 2 {
			return "", "", noOther(service, id, whole)
		}
		return whole[1].ID, whole[0].ID, nil
	}
	id = diagnostics.RunID(id)
	if !slices.ContainsFunc(all, func(r diagnostics.RunInfo) bool { return r.ID == id }) {
		return "", "", &NoRunError{Service: service, ID: id}
	}
	if len(whole) == 0 || whole[0].ID == id {
		return "", "", noOther(service, id, whole)
	}
	if slices.IndexFunc(all, func(r diagnostics.RunInfo) bool { return r.ID == id }) <
		slices.IndexFunc(all, func(r diagnostics.RunInfo) bool { return r.ID == whole[0].ID }) {
		return whole[0].ID, id, nil // some checks, and later than the latest whole run
	}
	return id, whole[0].ID, nil
}

// noOther says that there is one run at most.
func noOther(service, id string, whole []diagnostics.RunInfo) error {
	e := &NoRunError{Service: service, ID: id}
	if len(whole) > 0 {
		e.Only = &whole[0]
	}
	return e
}

// missing makes a run that went meanwhile one that is not there.
func missing(err error, service, id string) error {
	if errors.Is(err, diagnostics.ErrNoRun) {
		return &NoRunError{Service: service, ID: id}
	}
	return err
}

// View is the difference in one language, with the ids of the runs.
func (c Compared) View(lang diagnostics.Lang) diagnostics.DifferenceView {
	view := c.In(lang)
	view.Before.Run, view.After.Run = c.From.ID, c.To.ID
	return view
}

// Title is the change in one line.
func (c Compared) Title(now time.Time, w Words) string {
	title := visible(c.Headline().In(w.Lang))
	if c.Empty() {
		return w.Say("diff_since", "Headline", title, "Since", clockOf(c.From.At, now))
	}
	return title
}

// fewCauses is how many causes surely fit into one message.
const fewCauses = 8

// DiffDigest says what changed: the change first, then what came and went, then
// the checks that have another answer. What only one of the runs looked at, and
// all summaries, are in Full.
func DiffDigest(c Compared, now time.Time, w Words) Digest {
	title := c.Title(now, w)
	short := append(Page{Heading(title), Paragraph(w.Say("diff_runs",
		"From", c.From.ID, "FromAt", clockOf(c.From.At, now), "To", c.To.ID, "ToAt", clockOf(c.To.At, now)))}, c.causes(w)...)
	full := slices.Clone(short)
	others := slices.DeleteFunc(slices.Clone(c.Checks), func(ch diagnostics.Change) bool { return c.isCause(ch.Code) })
	if len(others) > 0 {
		heading := Heading(w.Say("diff_checks"))
		short = append(short, heading, w.changeList(others, false))
		full = append(full, heading, w.changeList(others, true))
	}
	if len(c.Alone) > 0 {
		full = append(full, Heading(w.Say("diff_alone")), w.changeList(c.Alone, false))
	}
	notes := c.notes(w)
	d := Digest{Title: title, Name: "diff-" + c.Target, Status: c.To.Status, Short: append(short, notes...)}
	if len(others)+len(c.Alone) > 0 || len(c.Came)+len(c.Went) > fewCauses {
		d.Full = append(full, notes...)
	}
	return d
}

func (c Compared) isCause(code string) bool {
	is := func(ch diagnostics.Change) bool { return ch.Code == code }
	return slices.ContainsFunc(c.Came, is) || slices.ContainsFunc(c.Went, is)
}

// causes are what came and what went, each with what was seen.
func (c Compared) causes(w Words) Page {
	var page Page
	if len(c.Came) > 0 {
		page = append(page, Heading(w.Say("diff_came")), w.changeList(c.Came, true))
	}
	if len(c.Went) > 0 {
		page = append(page, Heading(w.Say("diff_went")), w.changeList(c.Went, true))
	}
	return page
}

// changeList is a line a check, and below it what was seen, where that is worth it.
func (w Words) changeList(changes []diagnostics.Change, summaries bool) List {
	list := make(List, 0, len(changes))
	for _, c := range changes {
		text := w.side(c.Before) + " → " + w.side(c.After) + " · " + oneLine(c.Title.In(w.Lang))
		if why := w.BecauseOf(c.After.BecauseOf); why != "" {
			text += " (" + why + ")"
		}
		if seen := oneLine(c.After.Summary.In(w.Lang)); summaries && seen != "" {
			text += "\n" + seen
		}
		list = append(list, Item{Name: c.Code, Text: text})
	}
	return list
}

func (w Words) side(s diagnostics.Side) string {
	if s.Status == "" {
		return w.Say("diff_not_asked")
	}
	return w.Status(s.Status)
}

// notes are what is counted only, and the next step.
func (c Compared) notes(w Words) Page {
	var notes []string
	if c.Moved > 0 {
		notes = append(notes, w.Count("diff_moved", c.Moved))
	}
	if c.Unjudged > 0 {
		notes = append(notes, w.Count("diff_unjudged", c.Unjudged))
	}
	if n := len(c.Alone); n > 0 {
		notes = append(notes, w.Count("diff_alone_count", n))
	}
	var page Page
	if len(notes) > 0 {
		page = append(page, Paragraph(strings.Join(notes, " ")))
	}
	if len(c.Came) > 0 {
		page = append(page, Paragraph(w.Say("fix_explain", "Code", c.Came[0].Code)))
	}
	return page
}

// RunsPage lists runs of a service that are kept, the latest first.
func RunsPage(service string, runs []diagnostics.RunInfo, now time.Time, w Words) Page {
	if len(runs) == 0 {
		return Page{Paragraph(w.noRun(&NoRunError{Service: service}))}
	}
	list := make(List, 0, listedRuns)
	for _, r := range runs[:min(len(runs), listedRuns)] {
		list = append(list, Item{Name: r.ID, By: r.Who, Text: w.runLine(r, now)})
	}
	page := Page{Heading(w.Say("runs_title", "Service", service)), list}
	if len(runs) > listedRuns {
		page = append(page, Paragraph(w.Say("runs_more", "N", listedRuns)))
	}
	return append(page, Paragraph(w.Say("runs_next", "Service", service)))
}

// runLine is when a run was, what it found, and who asked.
func (w Words) runLine(r diagnostics.RunInfo, now time.Time) string {
	found := w.Status(r.Status)
	if len(r.Causes) > 0 {
		found += ": " + oneLine(strings.Join(r.Causes[:min(len(r.Causes), listedCauses)], ", "))
	}
	if hidden := len(r.Causes) - listedCauses; hidden > 0 {
		found += fmt.Sprintf(", +%d", hidden)
	}
	parts := []string{clockOf(r.At, now), found, w.source(r.Source)}
	if !r.Whole {
		parts = append(parts, w.Say("runs_part"))
	}
	return strings.Join(parts, " · ")
}

func (w Words) source(s diagnostics.Source) string {
	switch s {
	case diagnostics.FromSlack:
		return "Slack"
	case diagnostics.FromWatch:
		return w.Say("source_watch")
	case diagnostics.FromAlert:
		return w.Say("source_alert")
	default:
		return w.Say("source_terminal")
	}
}

// clockOf is a time that means the same to every reader, without the day when
// that is today's.
func clockOf(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04 UTC")
	}
	return at.Format("2006-01-02 15:04 UTC")
}

// RunView is a run of a list. Its JSON and YAML form is a stable contract, like a
// View's.
type RunView struct {
	Run     string             `json:"run" yaml:"run"`
	Service string             `json:"service" yaml:"service"`
	At      time.Time          `json:"at" yaml:"at"`
	Status  diagnostics.Status `json:"status" yaml:"status"`
	Causes  []string           `json:"causes" yaml:"causes"`
	Source  diagnostics.Source `json:"source" yaml:"source"`
	Who     string             `json:"who,omitempty" yaml:"who,omitempty"`
	SinceMS int64              `json:"since_ms" yaml:"since_ms"`
	Whole   bool               `json:"whole" yaml:"whole"`
}

// RunViews are all runs of a list.
func RunViews(runs []diagnostics.RunInfo) []RunView {
	views := make([]RunView, 0, len(runs))
	for _, r := range runs {
		views = append(views, RunView{
			Run: r.ID, Service: r.Service, At: r.At, Status: r.Status, Causes: append([]string{}, r.Causes...),
			Source: r.Source, Who: r.Who, SinceMS: r.Since.Milliseconds(), Whole: r.Whole,
		})
	}
	return views
}

// noRun says that there is nothing to compare with, and how to get it.
func (w Words) noRun(e *NoRunError) string {
	next := w.Say("run_keep", "Service", e.Service)
	if !strings.HasPrefix(w.Prog, "/") {
		next = w.Say("run_keep_terminal", "Service", e.Service)
	}
	switch {
	case e.Only != nil && e.ID != "":
		return lines(w.Say("run_is_latest", "Service", e.Service, "Run", e.ID), next)
	case e.Only != nil:
		return lines(w.Say("run_alone", "Service", e.Service, "Run", e.Only.ID, "At", clock(e.Only.At)), next)
	case e.ID != "":
		return lines(w.Say("no_such_run", "Service", e.Service, "Run", e.ID), w.Say("see_runs", "Service", e.Service))
	}
	return lines(w.Say("no_runs", "Service", e.Service), next)
}
