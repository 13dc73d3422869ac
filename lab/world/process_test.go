package world

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell describes a part that is a shell script. It is ready when it has made
// the file whose name is $READY.
func shell(t *testing.T, script string) spec {
	t.Helper()
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	return spec{
		name: "script", path: "/bin/sh", args: []string{"-c", script}, env: map[string]string{"READY": ready},
		logFile: filepath.Join(dir, "log"),
		ready: func(context.Context) error {
			_, err := os.Stat(ready)
			return err
		},
	}
}

// supervised starts a process that is gone at the end of the test.
func supervised(t *testing.T, s spec) *process {
	t.Helper()
	p := &process{spec: s}
	t.Cleanup(func() { _ = p.kill() })
	if err := p.start(t.Context(), Override{}); err != nil {
		t.Fatal(err)
	}
	return p
}

const waits = `trap 'exit 0' TERM; : > "$READY"; while :; do sleep 0.05; done`

func TestProcessLives(t *testing.T) {
	p := supervised(t, shell(t, waits))
	if s := p.status(); s.State != stateRunning || s.PID == 0 {
		t.Errorf("after start: %+v", s)
	}
	if err := p.start(t.Context(), Override{}); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("second start: %v", err)
	}
	before := p.status().PID
	if err := p.restart(t.Context(), Override{}); err != nil {
		t.Fatal(err)
	}
	if s := p.status(); s.PID == before || s.State != stateRunning {
		t.Errorf("after restart: %+v, pid before %d", s, before)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if s := p.status(); s.State != stateStopped || s.PID != 0 {
		t.Errorf("after stop: %+v", s)
	}
	if err := p.pause(); err == nil || !strings.Contains(err.Error(), "start it first") {
		t.Errorf("pause of a stopped one: %v", err)
	}
}

func TestProcessDiesAtStart(t *testing.T) {
	p := &process{spec: shell(t, `echo "first words"; echo "cannot bind" >&2; exit 3`)}
	err := p.start(t.Context(), Override{})
	for _, want := range []string{"script exited: exit status 3", "first words", "cannot bind", p.spec.logFile} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if s := p.status(); s.State != "exited: exit status 3" {
		t.Errorf("status %+v", s)
	}
}

func TestProcessThatDoesNotExist(t *testing.T) {
	s := shell(t, "")
	s.path = "/does/not/exist"
	if err := (&process{spec: s}).start(t.Context(), Override{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that it does not exist", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := shell(t, `while :; do sleep 0.05; done`)
	s.ready = func(context.Context) error { cancel(); return errors.New("deaf") }
	p := &process{spec: s}
	t.Cleanup(func() { _ = p.kill() })
	err := p.start(ctx, Override{})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "deaf") {
		t.Errorf("error %v, want canceled and the last reason", err)
	}
}

func TestDeafProcessIsKilled(t *testing.T) {
	p := supervised(t, shell(t, `trap '' TERM; : > "$READY"; while :; do sleep 0.05; done`))
	r := p.current()
	r.stop(syscall.SIGTERM, 300*time.Millisecond)
	if r.alive() {
		t.Fatal("it still lives")
	}
	if exit := r.how(); !strings.Contains(exit, "killed") {
		t.Errorf("it ended by %q, want killed", exit)
	}
}

func TestPauseFreezesTheWholeTree(t *testing.T) {
	// The child leads a session, and so a group, of its own, as PostgreSQL's do. It
	// starts none itself: who is frozen while a child begins is not seen to be.
	p := supervised(t, shell(t, `setsid sh -c ': > "$READY"; exec sleep 600' & wait`))
	pid := p.status().PID
	below := children(pid)
	t.Cleanup(func() {
		for _, child := range below { // which would outlive its parent's end
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	})
	if len(below) != 1 {
		t.Fatalf("children of %d: %v, want one", pid, below)
	}
	if err := p.pause(); err != nil {
		t.Fatal(err)
	}
	awaitState(t, pid, "T")
	awaitState(t, below[0], "T")
	if s := p.status(); s.State != statePaused {
		t.Errorf("status %+v", s)
	}
	if err := p.resume(); err != nil {
		t.Fatal(err)
	}
	awaitState(t, below[0], "SR")
}

func TestPausedProcessCanBeStopped(t *testing.T) {
	p := supervised(t, shell(t, waits))
	if err := p.pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if r := p.current(); r.err != nil {
		t.Errorf("it ended by %v, want by itself", r.err)
	}
}

// awaitState waits until the kernel shows the process in one of the states.
func awaitState(t *testing.T, pid int, states string) {
	t.Helper()
	err := poll(t.Context(), func(context.Context) error {
		if state := kernelState(pid); !strings.Contains(states, state) {
			return errors.New("state " + state)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
}

// kernelState is the letter after the name in /proc/PID/stat.
func kernelState(pid int) string {
	content, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return "gone"
	}
	_, after, _ := strings.Cut(string(content), ") ")
	return after[:1]
}

func TestOverrideHoldsForOneStart(t *testing.T) {
	s := shell(t, `echo "mood=$MOOD"; : > "$READY"; while :; do sleep 0.05; done`)
	s.configFile = filepath.Join(t.TempDir(), "config.json")
	s.config = map[string]any{"keep": "this", "ttl": "1m"}
	p := supervised(t, s)
	override := Override{Env: map[string]string{"MOOD": "bad"}, Config: map[string]any{"ttl": "1s"}}
	if err := p.restart(t.Context(), override); err != nil {
		t.Fatal(err)
	}
	if log := tail(s.logFile); !strings.HasSuffix(log, "mood=bad") {
		t.Errorf("log %q, want the overridden mood", log)
	}
	if got := fileText(t, s.configFile); !strings.Contains(got, `"1s"`) || !strings.Contains(got, `"this"`) {
		t.Errorf("configuration %s", got)
	}
	if err := p.restart(t.Context(), Override{}); err != nil {
		t.Fatal(err)
	}
	if got := fileText(t, s.configFile); !strings.Contains(got, `"1m"`) {
		t.Errorf("configuration of the next start %s", got)
	}
	if log := tail(s.logFile); !strings.HasSuffix(log, "mood=") {
		t.Errorf("log %q, want no mood", log)
	}
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEnvironmentHidesTheLabsOwn(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "canary")
	t.Setenv("POD_NAMESPACE", "canary")
	env := strings.Join(environment(map[string]string{"A": "1"}), "\n")
	if strings.Contains(env, "canary") || !strings.Contains(env, "A=1") || !strings.Contains(env, "PATH=") {
		t.Errorf("environment:\n%s", env)
	}
}

func TestSupervisorRefusesAfterTheEnd(t *testing.T) {
	s := newSupervisor()
	if err := s.add(t.Context(), shell(t, waits)); err != nil {
		t.Fatal(err)
	}
	if err := s.down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, _ := s.statuses(t.Context()); len(list) != 1 || list[0].State != stateStopped {
		t.Errorf("statuses %+v", list)
	}
	if err := s.add(t.Context(), shell(t, waits)); err == nil {
		t.Error("a part was added to a world that has ended")
	}
	for _, action := range []string{actionStart, actionRestart} {
		if err := s.act(t.Context(), "script", action, Override{}); !errors.Is(err, errStopping) {
			t.Errorf("%s in a world that has ended: %v, want that it is stopping", action, err)
		}
	}
	if list, _ := s.statuses(t.Context()); list[0].State != stateStopped {
		t.Errorf("after the refusals: %+v", list)
	}
}

func TestSupervisorNamesWhatThereIs(t *testing.T) {
	s := newSupervisor()
	t.Cleanup(func() { _ = s.down(context.Background()) })
	if err := s.add(t.Context(), shell(t, waits)); err != nil {
		t.Fatal(err)
	}
	if err := s.act(t.Context(), "nobody", actionStop, Override{}); err == nil || !strings.Contains(err.Error(), "script") {
		t.Errorf("unknown part: %v", err)
	}
	if err := s.act(t.Context(), "script", "dance", Override{}); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("unknown action: %v", err)
	}
}
