package world

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// starterVariable makes the test binary play a `lab up` that is still starting.
const starterVariable = "WORLD_TEST_STARTS_IN"

// startForever claims the folder, and lets go of it when it is asked to end.
func startForever(dir string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	lock, err := folder(dir).claim()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("starting")
	<-asked
	lock.Close()
}

func TestEndOfAWorldThatStarts(t *testing.T) {
	dir := t.TempDir()
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), starterVariable+"="+dir)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "starting\n" {
		t.Fatalf("the owner says %q, %v", line, err)
	}
	if err := End(t.Context(), dir); err != nil {
		t.Error(err)
	}
	if folder(dir).running() {
		t.Error("the lab still holds its folder")
	}
	if err := owner.Wait(); err != nil {
		t.Errorf("the owner ended by %v, want in good order", err)
	}
	if err := End(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "no lab is running") {
		t.Errorf("a second end: %v", err)
	}
}

func TestEndSparesStrangers(t *testing.T) {
	f := folder(filepath.Join(t.TempDir(), "lab"))
	lock, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	stranger := supervised(t, shell(t, waits))
	for _, pid := range []string{strconv.Itoa(stranger.status().PID), "", "0", "-1"} {
		if err := os.WriteFile(f.lockFile(), []byte(pid+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := End(t.Context(), string(f)); err == nil || !strings.Contains(err.Error(), "try again") {
			t.Errorf("the lock says %q: %v, want a refusal", pid, err)
		}
	}
	if s := stranger.status(); s.State != stateRunning {
		t.Errorf("the stranger is %s", s.State)
	}
}
