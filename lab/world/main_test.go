package world

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// ownerVariable makes the test binary play `lab up`: it starts one part, tells
// its pid, and stays until it is killed.
const ownerVariable = "WORLD_TEST_OWNER_OF"

func TestMain(m *testing.M) {
	if log := os.Getenv(ownerVariable); log != "" {
		own(log)
		return
	}
	if dir := os.Getenv(starterVariable); dir != "" {
		startForever(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func own(log string) {
	supervisor := newSupervisor()
	part := spec{name: "sleeper", path: "/bin/sh", args: []string{"-c", "trap '' TERM HUP INT; while :; do sleep 0.05; done"}, logFile: log}
	if err := supervisor.add(context.Background(), part); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(supervisor.all()[0].status().PID)
	select {}
}

func TestNoPartOutlivesAKilledOwner(t *testing.T) {
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"="+t.TempDir()+"/log")
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	var line string
	if _, err := fmt.Fscanln(out, &line); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := owner.Wait(); err == nil {
		t.Error("the owner was not killed")
	}
	// Its new parent may be slow to bury it: a zombie (Z) is dead enough.
	eventually(t, "the part dies with its owner", func(context.Context) error {
		if state := kernelState(pid); !strings.Contains("gone Z X", state) {
			return fmt.Errorf("process %d is in state %s", pid, state)
		}
		return nil
	})
}
