package remedies

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"tandem/approvals"
	"tandem/diagnostics/redact"
)

// Bounds of a report.
const (
	maxReport    = 4 << 20 // bytes
	maxDepth     = 32      // of elements
	maxTests     = 100_000
	maxNames     = 10  // failing tests that are named
	maxNameRunes = 120 // of each
)

// errReport is what is wrong with a report; its text is our own.
var errReport = errors.New("it is not a JUnit report")

// junit is what a report of tests says.
type junit struct {
	tests, failed, skipped int
	failing                []string // names, the first of them
	// more is how many tests, or failures, a suite says it has and does not show.
	more int
}

// readJUnit reads the first document of a report. It takes no definitions and no
// entities but those of XML itself, and a bounded number of everything.
func readJUnit(from io.Reader) (junit, error) {
	limited := &io.LimitedReader{R: from, N: maxReport + 1}
	r := junitReader{decoder: xml.NewDecoder(limited)}
	for {
		token, err := r.decoder.Token()
		if limited.N <= 0 {
			return junit{}, fmt.Errorf("%w: it is longer than %d bytes", errReport, maxReport)
		}
		if err != nil {
			return junit{}, fmt.Errorf("%w: it is cut off or not XML", errReport)
		}
		if err := r.take(token); err != nil {
			return junit{}, err
		}
		if len(r.open) == 0 && r.began {
			return r.found, nil
		}
	}
}

// junitReader is where the reading is.
type junitReader struct {
	decoder *xml.Decoder
	found   junit
	open    []junitElement
	began   bool
}

// junitElement is one that has begun: a suite with what it says it has, or a test
// with what became of it.
type junitElement struct {
	kind          string
	name          string
	tests, failed int // a suite's own figures, and below what was there before it
	was           junit
	bad, skipped  bool // of a test
}

func (r *junitReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		r.end()
	case xml.Directive:
		return fmt.Errorf("%w: it has definitions of its own", errReport)
	}
	return nil
}

func (r *junitReader) start(t xml.StartElement) error {
	kind := t.Name.Local
	if len(r.open) == 0 && kind != "testsuites" && kind != "testsuite" {
		return errReport
	}
	if len(r.open) >= maxDepth || r.found.tests >= maxTests {
		return fmt.Errorf("%w: it has too much in it", errReport)
	}
	r.began = true
	e := junitElement{kind: kind, name: attribute(t, "name"), was: r.found}
	switch kind {
	case "testsuites", "testsuite":
		e.tests, e.failed = figure(t, "tests"), figure(t, "failures")+figure(t, "errors")
	case "testcase":
		if class := attribute(t, "classname"); class != "" {
			e.name = class + "." + e.name
		}
		state := attribute(t, "status")
		e.skipped = state == "notrun" || state == "disabled" || state == "skipped"
	case "failure", "error", "skipped":
		r.mark(kind)
	}
	r.open = append(r.open, e)
	return nil
}

// mark says what became of the test that the element is in. A failure outside of
// any test is one of its own.
func (r *junitReader) mark(kind string) {
	for i := len(r.open) - 1; i >= 0; i-- {
		if test := &r.open[i]; test.kind == "testcase" {
			test.bad = test.bad || kind != "skipped"
			test.skipped = test.skipped || kind == "skipped"
			return
		}
	}
	if kind != "skipped" && len(r.open) > 0 {
		r.count(junitElement{name: r.open[len(r.open)-1].name, bad: true})
	}
}

// count counts a test that has ended.
func (r *junitReader) count(e junitElement) {
	r.found.tests++
	switch {
	case e.bad:
		r.found.failed++
		if len(r.found.failing) < maxNames {
			r.found.failing = append(r.found.failing, testName(e.name))
		}
	case e.skipped:
		r.found.skipped++
	}
}

func (r *junitReader) end() {
	e := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	switch e.kind {
	case "testcase":
		r.count(e)
	case "testsuites", "testsuite":
		missing := max(e.tests-(r.found.tests-e.was.tests), e.failed-(r.found.failed-e.was.failed))
		r.found.more = max(r.found.more, missing)
	}
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// figure is a number of a suite; what is none counts as none.
func figure(t xml.StartElement, name string) int {
	n, err := strconv.Atoi(attribute(t, name))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxTests)
}

// testName is the name of a test, fit to be shown.
func testName(name string) string { return plain(name, maxNameRunes) }

// plain is a foreign text on one line, without secrets, without what changes how
// others read it, and of bounded length.
func plain(text string, limit int) string {
	text = redact.String(strings.ToValidUTF8(text, "�"))
	runes := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)))
	if len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return string(runes)
}

// judge is nil when tests ran and all of them passed.
func (j junit) judge() error {
	switch {
	case j.failed > 0:
		names := strings.Join(j.failing, ", ")
		if more := j.failed - len(j.failing); more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		return &approvals.Trouble{Text: fmt.Sprintf("%d of %d tests failed: %s", j.failed, j.tests, names)}
	case j.more > 0:
		return &approvals.Trouble{Text: fmt.Sprintf("unknown: the report says that it has %d tests or failures more than it shows", j.more)}
	case j.tests == 0:
		return &approvals.Trouble{Text: "unknown: no test ran"}
	case j.skipped > 0:
		return &approvals.Trouble{Text: fmt.Sprintf("unknown: %d of %d tests were skipped", j.skipped, j.tests)}
	default:
		return nil
	}
}
