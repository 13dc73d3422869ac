package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// progressEvery is how often a build says that it still goes on.
const progressEvery = 5 * time.Second

// failureLines is how much of the compiler's output an error repeats.
const failureLines = 12

// build is one run of go build.
type build struct {
	name     string
	source   string // what it is built from, and so how long that takes, for people
	dir      string // the nested module
	pkg      string
	flags    []string
	output   string
	progress Progress
}

// goBuild runs the build and reports how many packages it has compiled.
func goBuild(ctx context.Context, b build) error {
	args := append([]string{"build", "-v", "-mod=readonly", "-buildvcs=false", "-o", b.output}, b.flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, b.pkg)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	output, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("build %s: %w", b.name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("build %s: %w", b.name, err)
	}
	b.progress(b.name + ": building it from " + b.source)
	tail := watch(b.name, output, b.progress)
	if err := cmd.Wait(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("build %s in %s: %w\n%s", b.name, b.dir, err, strings.Join(tail, "\n")))
	}
	return nil
}

// watch reads go build -v until it ends: a line a downloaded module or compiled
// package. It returns the last lines that are neither, which are the errors.
func watch(name string, output io.Reader, progress Progress) []string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	tally := tally{name: name, started: time.Now()}
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case line, more := <-lines:
			if !more {
				return tally.errors
			}
			tally.add(line)
		case now := <-ticker.C:
			progress(tally.at(now))
		}
	}
}

// tally counts what a build has done.
type tally struct {
	name                 string
	started              time.Time
	downloaded, compiled int
	errors               []string
}

func (t *tally) add(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		t.downloaded++
	case isPackagePath(line):
		t.compiled++
	default:
		t.errors = append(t.errors, line)
		t.errors = t.errors[max(0, len(t.errors)-failureLines):]
	}
}

// isPackagePath tells go build -v's package lines from the compiler's messages.
func isPackagePath(line string) bool {
	return line != "" && !strings.ContainsAny(line, " :#\t")
}

func (t *tally) at(now time.Time) string {
	return fmt.Sprintf("%s: building, %s so far: %d modules downloaded, %d packages compiled",
		t.name, now.Sub(t.started).Round(time.Second), t.downloaded, t.compiled)
}
