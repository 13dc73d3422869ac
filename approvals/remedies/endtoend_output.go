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
	"sync"
	"time"

	"tandem/approvals"
	"tandem/diagnostics/redact"
)

// Bounds of what is told of the output of a run.
const (
	maxSaidLines = 200 // in all; the others are counted
	maxLineRunes = 300
	chunkLines   = 20 // that are told at once
	chunkEvery   = 2 * time.Second
)

// output is what a run writes: it is told in chunks, and the JUnit report in it
// is kept and not told.
type output struct {
	act    approvals.Act // nil: nothing is told
	chunk  []string
	said   int
	lines  int // that are not of the report
	inKey  bool
	report bytes.Buffer
}

// drain reads the output to its end. It returns when the reader has ended, which
// the caller makes end when ctx does.
func (o *output) drain(ctx context.Context, from io.Reader) error {
	lines := make(chan string)
	var ended error
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(lines)
		ended = scan(ctx, from, lines)
	})
	tick := time.NewTicker(chunkEvery)
	defer tick.Stop()
	for open := true; open; {
		var line string
		select {
		case line, open = <-lines:
			if open {
				o.take(ctx, line)
			}
		case <-tick.C:
			o.tell(ctx)
		}
	}
	reader.Wait()
	o.tell(ctx)
	return ended
}

// scan sends the lines. One that is longer than a report may be ends it.
func scan(ctx context.Context, from io.Reader, lines chan<- string) error {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, maxReport)
	for scanner.Scan() {
		select {
		case lines <- scanner.Text():
		case <-ctx.Done():
			return ctx.Err()
		}
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
	if o.said >= maxSaidLines {
		return
	}
	o.said++
	o.chunk = append(o.chunk, o.shown(line))
	if len(o.chunk) >= chunkLines {
		o.tell(ctx)
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

// tell says what was not said yet.
func (o *output) tell(ctx context.Context) {
	if len(o.chunk) > 0 && o.act != nil {
		text := strings.Join(o.chunk, "\n")
		say(ctx, o.act, both(text, text))
	}
	o.chunk = nil
}

// rest says how much was not told.
func (o *output) rest(ctx context.Context) {
	if more := o.lines - o.said; more > 0 && o.act != nil {
		say(ctx, o.act, both(plural(more, "more line")+" of output, which are not shown.", fmt.Sprintf("Mais %d linhas de saída, que não são mostradas.", more)))
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
