package remedies

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"tandem/approvals"
	"tandem/diagnostics/redact"
)

// Bounds of what is told of the output of a run.
const (
	maxSaidLines = 200 // in all; the others are counted
	maxLineRunes = 300
)

// output is what a run writes: its lines are told, and the JUnit report in it is
// kept and not told.
type output struct {
	act    approvals.Act // nil: nothing is told
	lines  int           // that are not of the report
	told   int           // how many of them were told by an earlier reading
	inKey  bool
	report bytes.Buffer
}

// drain reads the output to its end, which the caller makes come when ctx ends. A
// line that is longer than a report may be is an error.
func (o *output) drain(ctx context.Context, from io.Reader) error {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, maxReport)
	for scanner.Scan() {
		o.take(ctx, scanner.Text())
	}
	return scanner.Err()
}

// take keeps a line of the report, which goes on to the end of the output, and
// tells any other.
func (o *output) take(ctx context.Context, line string) {
	if o.report.Len() > 0 || startsReport(line) {
		if o.report.Len() <= maxReport {
			o.report.WriteString(line + "\n")
		}
		return
	}
	o.lines++
	if shown := o.shown(line); o.act != nil && o.lines > o.told && o.lines <= maxSaidLines {
		say(ctx, o.act, both(shown, shown))
	}
}

func startsReport(line string) bool {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
	return strings.HasPrefix(line, "<?xml") || strings.HasPrefix(line, "<testsuite")
}

// escapes are what terminals take for colours and the like.
var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[ -/]*[@-~]`)

// shown is a line fit to be shown. A private key has many lines: all are taken.
func (o *output) shown(line string) string {
	line = escapes.ReplaceAllString(line, "")
	begins, ends := strings.Contains(line, "-----BEGIN"), strings.Contains(line, "-----END")
	hidden := o.inKey
	o.inKey = (o.inKey || begins) && !ends
	if hidden {
		return redact.Mark
	}
	return plain(line, maxLineRunes)
}

// rest says how much was not told.
func (o *output) rest(ctx context.Context) {
	if more := o.lines - maxSaidLines; more > 0 && o.act != nil {
		say(ctx, o.act, both(plural(more, "more line")+" of output, which are not shown.", fmt.Sprintf("Linhas de saída que não são mostradas: %d.", more)))
	}
}

// judge reads the report and judges it. said is what the run said of itself, like
// an exit code, which a report without failures must not hide.
func judge(ctx context.Context, act approvals.Act, report io.Reader, bad string) error {
	found, err := readJUnit(report)
	if errors.Is(err, errReport) {
		text := "unknown: no report of the tests: " + err.Error()
		if bad != "" {
			text += "; " + bad
		}
		return &approvals.Trouble{Text: text, Err: err}
	}
	if err != nil {
		return err
	}
	if err := found.judge(); err != nil {
		return err
	}
	if bad != "" {
		return &approvals.Trouble{Text: "unknown: no test failed, and yet " + bad}
	}
	say(ctx, act, passed(found))
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
