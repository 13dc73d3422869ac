package remedies

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tandem/approvals"
)

const onePasses = `<testsuite><testcase name="a"/></testsuite>`

// program is a script as the end-to-end command.
func program(t *testing.T, script string) *Command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run tests")
	check(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	return &Command{Path: path, Args: []string{"--all", "$HOME; id"}, Dir: t.TempDir(), Env: map[string]string{"TARGET": "lab"}}
}

func runs(t *testing.T, c *Command) (*record, error) {
	t.Helper()
	d := Deps{Now: time.Now, EndToEnd: EndToEnd{Command: c}}
	remedy := endToEnd(d)
	if remedy.Repeatable {
		t.Error("a command that was run once can be run again")
	}
	p := must[approvals.Plan](t)(remedy.Plan(soon(t), approvals.Want{}))
	if unmet, ok := p.Unmet(); ok {
		t.Fatalf("unmet: %+v", unmet)
	}
	act := &record{}
	return act, remedy.Execute(soon(t), p, act)
}

func TestCommandIsJudged(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"passes":   {`echo '` + onePasses + `'`, ""},
		"fails":    {`echo '<testsuite><testcase name="a"><error/></testcase></testsuite>'; exit 1`, "1 of 1 tests failed: a"},
		"breaks":   {`echo '` + onePasses + `'; exit 7`, "unknown: no test failed, and yet the program ended with exit code 7"},
		"killed":   {`echo '` + onePasses + `'; kill -9 $$`, "unknown: no test failed, and yet the program was ended by a signal"},
		"silent":   {`true`, "unknown: no report of the tests: it is not a JUnit report: it is cut off or not XML"},
		"no shell": {`[ "$2" = '$HOME; id' ] && [ "$TARGET" = lab ] && [ -z "$HOME" ] && echo '` + onePasses + `'`, ""},
	} {
		act, err := runs(t, program(t, tt.script))
		var trouble *approvals.Trouble
		if err != nil && (!errors.As(err, &trouble) || trouble.Text != tt.want) || err == nil && tt.want != "" {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if len(act.Calls) != 1 {
			t.Errorf("%s: calls %q", name, act.Calls)
		}
	}
}

func TestCommandWritesAFile(t *testing.T) {
	report := filepath.Join(t.TempDir(), "junit.xml")
	c := program(t, `echo done; echo '`+onePasses+`' > `+report)
	c.JUnit = report
	if _, err := runs(t, c); err != nil {
		t.Errorf("a report of this run: %v", err)
	}
	check(t, os.WriteFile(c.Path, []byte("#!/bin/sh\ntrue\n"), 0o700))
	check(t, os.Chtimes(report, time.Time{}, time.Now().Add(-time.Hour)))
	if _, err := runs(t, c); err == nil || err.Error() != "unknown: the report is not of this run" {
		t.Errorf("a report of an earlier run: %v", err)
	}
}

func TestCommandEndsWithItsChildren(t *testing.T) {
	child := filepath.Join(t.TempDir(), "child")
	c := program(t, `sleep 600 & echo $! > `+child+`; wait`)
	c.Deadline = 200 * time.Millisecond
	if _, err := runs(t, c); err == nil || !strings.HasPrefix(err.Error(), "unknown: the run did not end within its deadline") {
		t.Errorf("a run without end: %v", err)
	}
	pid := must[int](t)(strconv.Atoi(strings.TrimSpace(string(must[[]byte](t)(os.ReadFile(child))))))
	await(t, func() error {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			return errors.New("what the command started runs on")
		}
		return nil
	})
	c.Deadline = time.Minute
	d := Deps{Now: time.Now, EndToEnd: EndToEnd{Command: c}}
	p := must[approvals.Plan](t)(endToEnd(d).Plan(soon(t), approvals.Want{}))
	ctx, cancel := context.WithCancel(soon(t))
	act := &record{before: func(string) { time.AfterFunc(100*time.Millisecond, cancel) }}
	if err := endToEnd(d).Execute(ctx, p, act); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was stopped: %v", err)
	}
	c.Args = nil
	if err := endToEnd(d).Execute(soon(t), p, &record{}); err == nil || !strings.HasPrefix(err.Error(), "nothing was run") {
		t.Errorf("another command than the approved one: %v", err)
	}
	c.Path += "-missing"
	if unmet, ok := must[approvals.Plan](t)(endToEnd(d).Plan(soon(t), approvals.Want{})).Unmet(); !ok {
		t.Errorf("a program that is not there: %+v", unmet)
	}
}

func TestOutputIsToldAndBounded(t *testing.T) {
	act := &record{}
	out := &output{act: act}
	var text strings.Builder
	text.WriteString("\x1b[31mred\x1b[0m <!channel>\n")
	text.WriteString("-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n")
	text.WriteString("mongodb://user:CANARY@host/db\nxoxb-1234567890-CANARY\n")
	text.WriteString(strings.Repeat("long ", 200) + "\n")
	for range 1000 {
		text.WriteString("line\n")
	}
	text.WriteString("<?xml version=\"1.0\"?>\n" + onePasses + "\nafter\n")
	check(t, out.drain(soon(t), strings.NewReader(text.String())))
	out.rest(soon(t))
	said := strings.Split(strings.Join(act.Said, "\n"), "\n")
	if len(said) != maxSaidLines+1 || said[maxSaidLines] != "807 more lines of output, which are not shown." {
		t.Errorf("%d lines, the last is %q", len(said), said[len(said)-1])
	}
	if strings.Contains(strings.Join(said, ""), "CANARY") || said[0] != "red <!channel>" || len(said[6]) > 2*maxLineRunes {
		t.Errorf("said %q", said[:8])
	}
	if slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, "<test") || line == "after" }) {
		t.Error("the report was told")
	}
	if report := must[junit](t)(readJUnit(&out.report)); report.tests != 1 {
		t.Errorf("the report has %d tests", report.tests)
	}
}

func TestOutputWithoutEndIsRefused(t *testing.T) {
	out := &output{}
	if err := out.drain(soon(t), strings.NewReader(strings.Repeat("x", maxReport+1))); err == nil {
		t.Error("a line without end is read")
	}
}
