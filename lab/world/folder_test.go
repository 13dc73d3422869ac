package world

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClaimIsExclusive(t *testing.T) {
	f := folder(t.TempDir())
	lock, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	if !f.running() {
		t.Error("a claimed folder does not count as running")
	}
	_, err = f.claim()
	want := "a lab is already running in " + string(f) + " (pid " + strconv.Itoa(os.Getpid()) + "); stop it with: go run ./lab down"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("second claim: %v, want %q", err, want)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if f.running() {
		t.Error("a folder let go counts as running")
	}
	again, err := f.claim()
	if err != nil {
		t.Fatalf("claim after the owner's end: %v", err)
	}
	again.Close()
}

func TestClaimRefusesSomebodyElsesFolder(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(precious, []byte("years"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder(dir).claim(); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("claim: %v, want a refusal with the next step", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestClearRemovesADeadWorldOnly(t *testing.T) {
	f := folder(t.TempDir())
	lock, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for _, path := range []string{f.stateFile(), f.readyFile(), f.faultsFile(), f.path("mine.txt")} {
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.clear(); err != nil {
		t.Fatal(err)
	}
	checkStays(t, map[string]bool{
		f.stateFile(): false, f.readyFile(): false, f.faultsFile(): false, f.path("mine.txt"): true,
	})
}

func TestTheEndLeavesLogsAndNoWayIn(t *testing.T) {
	f := folder(t.TempDir())
	if err := f.clear(); err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{
		f.stateFile(): false, f.readyFile(): false, f.envFile(): false, f.botConfigFile(): false,
		f.path("bot", "vault-token"): false, f.log("vault"): true,
	}
	for path := range files {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &builder{folder: f, supervisor: newSupervisor()}
	lock, err := os.Create(f.lockFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.tearDown(nil, lock); err != nil {
		t.Fatal(err)
	}
	checkStays(t, files)
}

// checkStays tells by path what must be there, and what must not.
func checkStays(t *testing.T, files map[string]bool) {
	t.Helper()
	for path, stays := range files {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %t", path, err, stays)
		}
	}
}

func TestAttachTellsWhatIsTheMatter(t *testing.T) {
	dir := t.TempDir()
	if _, err := Attach(dir); err == nil || !strings.HasSuffix(err.Error(), "go run ./lab up --dir "+dir) {
		t.Errorf("empty folder: %v", err)
	}
	f := folder(dir)
	if err := (State{Dir: dir}).write(f.stateFile()); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(dir); err == nil || !strings.Contains(err.Error(), "go run ./lab up") {
		t.Errorf("a dead world: %v", err)
	}
	if err := os.Remove(f.stateFile()); err != nil {
		t.Fatal(err)
	}
	lock, err := f.claim()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := Attach(dir); err == nil || !strings.Contains(err.Error(), "still starting") {
		t.Errorf("a world that starts: %v", err)
	}
}

func TestStateComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.json")
	want := State{
		Dir: "/x", PID: 7, Vault: VaultState{URL: "http://v", RootToken: "root"},
		Services: map[string]ServiceState{"worker": {AdminURL: "http://w"}},
	}
	if err := want.write(path); err != nil {
		t.Fatal(err)
	}
	got, err := readState(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600: it holds secrets", info.Mode(), err)
	}
}

func TestDeepFolderHasShortSockets(t *testing.T) {
	deep := folder(filepath.Join(t.TempDir(), strings.Repeat("deep/", 20)))
	dir, err := deep.socketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if len(dir) > socketRoom {
		t.Errorf("sockets go to %q, which is too long", dir)
	}
	if got, _ := folder("/x").socketDir(); got != "/x/run" {
		t.Errorf("sockets of a short folder go to %q", got)
	}
}
