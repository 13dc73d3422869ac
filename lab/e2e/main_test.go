package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// ttl is short, so that tokens and credentials expire while a test waits.
const ttl = 20 * time.Second

// settle is how long the effects of a change may take: a renewal that is not
// due yet, the window of the checks, and a busy machine.
const settle = 4 * ttl

var (
	lab *world.World // one for all tests; each leaves it healthy
	bot string       // the program under test
)

func TestMain(m *testing.M) {
	code, err := runWithLab(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runWithLab(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "tandem-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bot = filepath.Join(dir, "bin", "bot")
	if out, err := exec.Command("go", "build", "-o", bot, "tandem/cmd/bot").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the bot: %w\n%s", err, out)
	}
	lab, err = world.Start(context.Background(), world.Options{
		Dir: filepath.Join(dir, "lab"), TTL: ttl, FreePorts: true, Bot: bot,
		Progress: func(line string) { fmt.Println("lab:", line) },
	})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	return m.Run(), nil
}

// outcome is what a run of the bot printed, and its exit status.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the bot with the lab's configuration.
func run(t *testing.T, args ...string) outcome {
	t.Helper()
	return runWith(t, lab.State().Bot.ConfigFile, args...)
}

func runWith(t *testing.T, config string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, bot, append(args, "--config", config)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run bot %s: %v", strings.Join(args, " "), err)
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// diagnose runs `bot diagnose SERVICE` and reads its JSON.
func diagnose(t *testing.T, service string, args ...string) (int, diagnostics.View) {
	t.Helper()
	return diagnoseWith(t, lab.State().Bot.ConfigFile, service, args...)
}

func diagnoseWith(t *testing.T, config, service string, args ...string) (int, diagnostics.View) {
	t.Helper()
	out := runWith(t, config, append([]string{"diagnose", service, "--output", "json"}, args...)...)
	var view diagnostics.View
	if err := json.Unmarshal([]byte(out.stdout), &view); err != nil {
		t.Fatalf("exit %d, no report: %v\n%s%s", out.code, err, out.stdout, out.stderr)
	}
	return out.code, view
}

// eventually tries until it holds or the time is over, and then tells the last
// complaint.
func eventually(t *testing.T, within time.Duration, try func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(err)
		}
	}
}

// awaitHealthy returns when no service has a warning, a failure or anything
// unseen.
func awaitHealthy(t *testing.T) {
	t.Helper()
	for service := range lab.State().Services {
		eventually(t, settle, func() error {
			code, view := diagnose(t, service)
			if code == 0 && view.Verdict.Status == diagnostics.Pass {
				return nil
			}
			return fmt.Errorf("%s is not healthy (exit %d): %s", service, code, notPassing(view))
		})
	}
}

// notPassing lists the checks that did not pass, for a complaint.
func notPassing(view diagnostics.View) string {
	lines := []string{view.Verdict.Headline}
	for _, c := range view.Checks {
		if c.Status != diagnostics.Pass {
			lines = append(lines, fmt.Sprintf("  %s %s because of %v: %s", c.Code, c.Status, c.BecauseOf, c.Summary))
		}
	}
	return strings.Join(lines, "\n")
}

func causes(view diagnostics.View) []string {
	codes := []string{}
	for _, c := range view.Verdict.Causes {
		codes = append(codes, c.Code)
	}
	return codes
}

func check(t *testing.T, view diagnostics.View, code string) diagnostics.ResultView {
	t.Helper()
	for _, c := range view.Checks {
		if c.Code == code {
			return c
		}
	}
	t.Fatalf("no check %s in the report", code)
	return diagnostics.ResultView{}
}
