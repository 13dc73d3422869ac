package remedies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"tandem/approvals"
)

// endGrace is how long the output of a command that was ended is waited for.
const endGrace = 5 * time.Second

// Command is a program with its arguments; no shell reads it. It has the rights
// of the bot's process, and of its environment nothing but what is named here.
type Command struct {
	Path     string
	Args     []string
	Dir      string
	Env      map[string]string
	JUnit    string        // the file that it writes; empty: the report is in its output
	Deadline time.Duration // zero: 10 minutes
}

// line is the command as people would type it. Of the environment only the names
// are shown.
func (c Command) line() string {
	return shell(append([]string{c.Path}, c.Args...)...)
}

func (d Deps) planCommand(_ context.Context, want approvals.Want) (approvals.Plan, error) {
	c := d.EndToEnd.Command
	p := endToEndPlan(want, "command:"+c.Path)
	info, err := os.Stat(c.Path)
	there := err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
	observed := "it can be run"
	if !there {
		observed = "it is not there, or cannot be run"
	}
	names := sortedKeys(c.Env)
	p.Does = both("Run the end-to-end tests on the bot's own machine, for at most "+deadline(c.Deadline).String()+".",
		"Rodar os testes ponta a ponta na máquina do próprio bot, por no máximo "+deadline(c.Deadline).String()+".")
	p.Calls = []approvals.Call{{System: "command", What: c.line(), ByHand: c.line()}}
	p.Why = []approvals.Evidence{d.seen("ls -l "+shell(c.Path), observed)}
	p.Basis = []approvals.Fact{
		{Name: "directory", Value: c.Dir},
		{Name: "environment", Value: strings.Join(names, ", ")},
		{Name: "report", Value: c.JUnit},
		{Name: "deadline", Value: deadline(c.Deadline).String()},
	}
	p.Preconditions = []approvals.Precondition{{Text: both("The program is there.", "O programa existe."), Holds: there, Observed: observed}}
	return p, nil
}

// runCommand runs it as one call: that it began and how it ended is recorded.
func (d Deps) runCommand(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	c := d.EndToEnd.Command
	if !slices.Contains(p.Calls, approvals.Call{System: "command", What: c.line(), ByHand: c.line()}) {
		return &approvals.Trouble{Text: "nothing was run: the configured command is not the one that was approved any more"}
	}
	began := d.Now()
	out := &output{act: act}
	bad := ""
	err := act.Call(ctx, p.Calls[0].What, "the bot's own process", func(ctx context.Context) (result string, err error) {
		bad, err = c.run(ctx, out)
		if bad != "" {
			return bad, err
		}
		return "it ended well", err
	})
	out.rest(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if c.JUnit == "" {
		return judge(ctx, act, &out.report, bad)
	}
	return c.judgeFile(ctx, act, began, bad)
}

// run runs the program with its output told on the way, and says what was bad
// about its end. An error means that it was not run to its end.
func (c Command) run(ctx context.Context, out *output) (bad string, err error) {
	limited, cancel := context.WithTimeout(ctx, deadline(c.Deadline))
	defer cancel()
	from, to := io.Pipe()
	cmd := exec.CommandContext(limited, c.Path, c.Args...) //nolint:gosec // the configuration names it, and no person's text is in it
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = c.Dir, to, to, endGrace
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	for _, name := range sortedKeys(c.Env) {
		cmd.Env = append(cmd.Env, name+"="+c.Env[name])
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all it started ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		return "", &approvals.Trouble{Text: "nothing was run: the program could not be started", Err: err}
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
		_ = to.Close()                                      // it never fails
		ended <- err
	}()
	told := out.drain(context.WithoutCancel(ctx), from)
	_ = from.CloseWithError(io.ErrClosedPipe) // a program that writes on is not waited for
	end := <-ended
	switch {
	case ctx.Err() != nil:
		return "", &approvals.Trouble{Text: "the run was stopped before its end", Err: ctx.Err()}
	case limited.Err() != nil:
		return "", &approvals.Trouble{Text: "unknown: the run did not end within its deadline and was stopped", Err: limited.Err()}
	}
	return badEnd(end, told), nil
}

// badEnd says what was bad about the end of a program; empty: nothing.
func badEnd(err, told error) string {
	var exit *exec.ExitError
	switch {
	case told != nil:
		return "a line of the output is too long to be read"
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return fmt.Sprintf("the program ended with exit code %d", exit.ExitCode())
	case errors.Is(err, exec.ErrWaitDelay):
		return "the program left others behind that keep its output open"
	case err != nil:
		return "the program was ended by a signal"
	default:
		return ""
	}
}

// judgeFile judges the report in the file, if this run wrote it.
func (c Command) judgeFile(ctx context.Context, act approvals.Act, began time.Time, bad string) error {
	file, err := os.OpenFile(c.JUnit, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would block
	if err != nil {
		return judge(ctx, act, bytes.NewReader(nil), bad)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.ModTime().Before(began.Truncate(time.Second)) {
		return &approvals.Trouble{Text: "unknown: the report is not of this run"}
	}
	return judge(ctx, act, file, bad)
}
