package commands

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"tandem/diagnostics"
)

// Terminal draws answers as text.
type Terminal struct {
	Out    io.Writer
	Colour bool
}

// style is an escape sequence that a terminal shows as colour or weight.
type style string

const (
	bold    style = "\x1b[1m"
	dim     style = "\x1b[2m"
	red     style = "\x1b[31m"
	green   style = "\x1b[32m"
	yellow  style = "\x1b[33m"
	purple  style = "\x1b[35m"
	cyan    style = "\x1b[36m"
	plainly style = "\x1b[0m"
)

// mark is how a status looks: a symbol that says it without colour too.
type mark struct {
	symbol string
	style  style
}

func markOf(s diagnostics.Status) mark {
	switch s {
	case diagnostics.Pass:
		return mark{"✔", green}
	case diagnostics.Warn:
		return mark{"!", yellow}
	case diagnostics.Fail:
		return mark{"✖", red}
	case diagnostics.Skipped:
		return mark{"-", dim}
	default:
		return mark{"?", purple}
	}
}

// sheet collects the lines of an answer.
type sheet struct {
	strings.Builder

	colour bool
}

func (s *sheet) paint(st style, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return string(st) + text + string(plainly)
}

// line writes a text, all of its lines indented.
func (s *sheet) line(indent int, text string) {
	pad := strings.Repeat(" ", indent)
	for l := range strings.SplitSeq(text, "\n") {
		s.WriteString(strings.TrimRight(pad+l, " ") + "\n")
	}
}

func (s *sheet) heading(text string) {
	s.WriteString("\n" + s.paint(bold, text) + "\n")
}

func (s *sheet) status(st diagnostics.Status) string {
	m := markOf(st)
	return s.paint(m.style, m.symbol)
}

// Card draws a diagnosis: the verdict first, then causes, what follows from
// them, what could not be seen, and every check.
func (t Terminal) Card(c Card) error {
	s := &sheet{colour: t.Colour}
	m := markOf(c.Status)
	s.line(0, s.paint(m.style, m.symbol)+" "+s.paint(bold, c.Headline))
	s.causes(c)
	s.results(c.Words.Consequences, c.Consequences)
	s.results(c.Words.Warnings, c.Warnings)
	s.unseen(c)
	s.table(c)
	s.line(0, "\n"+s.paint(dim, c.Footer()))
	return t.write(s)
}

func (s *sheet) causes(c Card) {
	if len(c.Causes) == 0 {
		return
	}
	s.heading(c.Words.Causes)
	for _, cause := range c.Causes {
		s.line(2, s.status(c.Status)+" "+s.paint(bold, cause.Code)+" "+cause.Title)
		s.line(4, cause.Summary)
		if cause.Remedy != "" {
			s.line(4, s.paint(cyan, c.Words.Remedy+": ")+cause.Remedy)
		}
		s.evidence(cause.Evidence)
	}
}

func (s *sheet) evidence(evidence []diagnostics.EvidenceView) {
	for _, e := range evidence {
		s.line(4, s.paint(dim, "$ "+e.Invocation))
		if e.Observed != "" {
			s.line(6, s.paint(dim, e.Observed))
		}
	}
}

func (s *sheet) results(heading string, checks []CardCheck) {
	if len(checks) == 0 {
		return
	}
	s.heading(heading)
	for _, c := range checks {
		s.line(2, s.status(c.Status)+" "+s.paint(bold, c.Code)+" "+c.Title+s.because(c.Because))
		s.line(4, c.Summary)
	}
}

func (s *sheet) because(text string) string {
	if text == "" {
		return ""
	}
	return s.paint(dim, " ("+text+")")
}

func (s *sheet) unseen(c Card) {
	if len(c.Unseen) == 0 {
		return
	}
	s.heading(c.Words.Unseen)
	for _, b := range c.Unseen {
		s.line(2, s.status(diagnostics.Unknown)+" "+s.paint(bold, b.Code)+" "+b.Title+s.because(b.Because))
		s.line(4, b.Why)
		if b.Next != "" {
			s.line(4, s.paint(cyan, c.Words.NextStep+": ")+b.Next)
		}
	}
}

// table lists every check on one line.
func (s *sheet) table(c Card) {
	if len(c.Checks) == 0 {
		return
	}
	s.heading(c.Words.Checks)
	var codes, titles int
	for _, check := range c.Checks {
		codes = max(codes, utf8.RuneCountInString(check.Code))
		titles = max(titles, utf8.RuneCountInString(check.Title))
	}
	for _, check := range c.Checks {
		summary, _, _ := strings.Cut(check.Summary, "\n")
		s.line(2, fmt.Sprintf("%s %s  %s  %s", s.status(check.Status), pad(check.Code, codes), pad(check.Title, titles), summary))
	}
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// Page draws a page.
func (t Terminal) Page(p Page) error {
	s := &sheet{colour: t.Colour}
	for i, part := range p {
		switch part := part.(type) {
		case Heading:
			if i == 0 {
				s.line(0, s.paint(bold, string(part)))
				continue
			}
			s.heading(string(part))
		case Paragraph:
			s.line(0, gap(p, i)+string(part))
		case Code:
			s.line(2, s.paint(cyan, string(part)))
		case List:
			s.list(part)
		}
	}
	return t.write(s)
}

// gap sets a paragraph off from what comes before it, unless that is its
// heading.
func gap(p Page, i int) string {
	if i == 0 {
		return ""
	}
	if _, under := p[i-1].(Heading); under {
		return ""
	}
	return "\n"
}

// widest is the longest name that still has its text on the same line.
const widest = 34

func (s *sheet) list(list List) {
	width := 0
	for _, item := range list {
		if n := utf8.RuneCountInString(item.Name); n <= widest {
			width = max(width, n)
		}
	}
	for _, item := range list {
		name, text := s.paint(cyan, pad(item.Name, width)), item.line()
		if utf8.RuneCountInString(item.Name) > widest || strings.Contains(text, "\n") {
			s.line(2, name)
			s.line(6, text)
			continue
		}
		s.line(2, name+"  "+text)
	}
}

// line is all of an item behind its name.
func (i Item) line() string {
	parts := slices.DeleteFunc([]string{i.By, i.Text, i.Link}, func(part string) bool { return part == "" })
	return strings.Join(parts, " ")
}

func (t Terminal) write(s *sheet) error {
	if _, err := io.WriteString(t.Out, s.String()); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
