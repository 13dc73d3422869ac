package world

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Tails of logs that errors repeat.
const (
	tailLines = 15
	tailBytes = 16 << 10
)

// run is one life of a process.
type run struct {
	process *os.Process
	done    chan struct{} // closed when the process is gone
	err     error         // why it went; read after done
}

// launch starts the spec in a process group of its own, so that Ctrl-C reaches
// the lab alone, and ties its life to this process.
func launch(s spec) (*run, error) {
	logs, err := os.OpenFile(s.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", s.name, err)
	}
	defer logs.Close() // the child has its own copy
	cmd := exec.Command(s.path, s.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(s.env), logs, logs
	cmd.Dir = "/" // the part of another user may not be able to enter ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: s.credential}
	r := &run{done: make(chan struct{})}
	started := make(chan error)
	go r.live(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return r, nil
}

// live starts the command and waits for it. The kernel sends the death signal
// when the thread that started the child ends, so this keeps its thread.
func (r *run) live(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(r.done)
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	r.process = cmd.Process
	started <- nil
	r.err = cmd.Wait()
}

func (r *run) alive() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// stop asks with the signal, and kills after the grace.
func (r *run) stop(signal syscall.Signal, grace time.Duration) {
	if signal == 0 {
		signal = syscall.SIGTERM
	}
	// An error means that it is gone already, which is what is wanted.
	_ = r.process.Signal(signal)
	_ = signalTree(r.process.Pid, syscall.SIGCONT) // a paused one could not hear
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		r.kill()
	}
}

func (r *run) kill() {
	_ = r.process.Kill()
	<-r.done
}

// how says how the process ended.
func (r *run) how() string {
	if r.err == nil {
		return "exited"
	}
	return "exited: " + r.err.Error()
}

// environment is what a part gets: not the lab's own, which may name a workload
// identity or a Vault that is none of its business.
func environment(extra map[string]string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "TZ", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range extra {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// tail returns the last lines of a log, for an error.
func tail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "(no log)"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tailBytes {
		// Where this fails the tail begins at the start of the file.
		_, _ = file.Seek(-tailBytes, io.SeekEnd)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return "(unreadable log)"
	}
	lines := strings.Split(string(bytes.TrimSpace(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
