package servers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script writes an executable that prints a text.
func script(t *testing.T, path, prints string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+prints+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkout makes a module tandem with the nested module of one server.
func checkout(t *testing.T, s server) string {
	t.Helper()
	root := t.TempDir()
	for path, content := range map[string]string{
		"go.mod":                   "module tandem\n\ngo 1.26\n",
		s.module + "/go.mod":       "module nested\n\ngo 1.26\n",
		s.module + "/go.sum":       "",
		s.module + "/stubs/x/x.go": "package x\n",
		s.module + "/main.go":      "package main\n\nfunc main() { println(\"Vault v1.21.4\") }\n",
	} {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// testFinder sees only what the environment names, and counts its builds.
func testFinder(t *testing.T, env map[string]string) (finder, *int) {
	t.Helper()
	builds := new(int)
	var mu sync.Mutex
	return finder{
		servers: known(), getenv: func(name string) string { return env[name] },
		cacheDir: t.TempDir(), workDir: checkout(t, known()[Vault]), packages: filepath.Join(t.TempDir(), "*", "bin"),
		progress: func(string) {},
		build: func(_ context.Context, b build) error {
			mu.Lock()
			defer mu.Unlock()
			*builds++
			return os.WriteFile(b.output, []byte("binary"), 0o755)
		},
	}, builds
}

func TestFindPrefersTheVariable(t *testing.T) {
	path := script(t, filepath.Join(t.TempDir(), "odd-name"), "anything")
	f, builds := testFinder(t, map[string]string{"TANDEM_VAULT_BIN": path})
	got, err := f.find(t.Context(), f.servers[Vault])
	if err != nil || got != path || *builds != 0 {
		t.Fatalf("find = %q, %v after %d builds, want %q and none", got, err, *builds, path)
	}
}

func TestFindRefusesAWrongVariable(t *testing.T) {
	for name, path := range map[string]string{"missing": "/does/not/exist", "folder": t.TempDir()} {
		f, builds := testFinder(t, map[string]string{"TANDEM_VAULT_BIN": path})
		_, err := f.find(t.Context(), f.servers[Vault])
		if err == nil || !strings.Contains(err.Error(), "TANDEM_VAULT_BIN") || *builds != 0 {
			t.Errorf("%s: error %v after %d builds, want one that names the variable", name, err, *builds)
		}
	}
}

func TestFindOnPathOnlyWhatSuits(t *testing.T) {
	for name, c := range map[string]struct {
		server, prints string
		taken          bool
	}{
		"vault of the right minor":   {Vault, "Vault v1.21.2 (deadbeef), built 2025-11-01T00:00:00Z", true},
		"vault too new":              {Vault, "Vault v1.22.0 (deadbeef)", false},
		"vault too old":              {Vault, "Vault v1.2.1", false},
		"vault that is none":         {Vault, "hello", false},
		"prometheus of Debian":       {Prometheus, "prometheus, version 2.42.0+ds (branch: debian/sid)", true},
		"prometheus 3":               {Prometheus, "prometheus, version 3.1.0 (branch: HEAD)", true},
		"prometheus too old":         {Prometheus, "prometheus, version 2.41.9", false},
		"loki":                       {Loki, "loki, version 3.7.8 (branch: , revision: )", true},
		"loki too old":               {Loki, "loki, version 2.9.1", false},
		"kubernetes":                 {KubeAPIServer, "Kubernetes v1.37.2", true},
		"kubernetes too old":         {KubeAPIServer, "Kubernetes v1.29.9", false},
		"etcd of Debian":             {Etcd, "etcd Version: 3.4.23\nGit SHA: Not provided", true},
		"etcd 2":                     {Etcd, "etcd Version: 2.3.8", false},
		"prometheus without version": {Prometheus, "prometheus, version  (branch: , revision: unknown)", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := script(t, filepath.Join(dir, c.server), c.prints)
			f, _ := testFinder(t, map[string]string{"PATH": "/nowhere:" + dir})
			got, ok := f.onPath(t.Context(), f.servers[c.server])
			if ok != c.taken || ok && got != path {
				t.Errorf("onPath = %q, %t, want taken %t", got, ok, c.taken)
			}
		})
	}
}

func TestFindNamesThePackageOfWhatIsNotBuilt(t *testing.T) {
	f, builds := testFinder(t, nil)
	_, err := f.find(t.Context(), f.servers[Etcd])
	if err == nil || !strings.Contains(err.Error(), "apt-get install etcd-server") || *builds != 0 {
		t.Errorf("error %v after %d builds, want one that names the package", err, *builds)
	}
}

func TestNamesAreFound(t *testing.T) {
	for _, name := range Names() {
		if _, ok := known()[name]; !ok && name != Postgres {
			t.Errorf("%s is named and not known", name)
		}
	}
	if len(Names()) != len(known())+1 {
		t.Errorf("%v leave out one of the known", Names())
	}
}

func TestFindBuildsOnceForTheSameSources(t *testing.T) {
	f, builds := testFinder(t, nil)
	vault := f.servers[Vault]
	first, err := f.find(t.Context(), vault)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.find(t.Context(), vault)
	if err != nil || again != first || *builds != 1 {
		t.Fatalf("again: %q, %v after %d builds, want %q after 1", again, err, *builds, first)
	}
	for _, file := range []string{"go.mod", "go.sum", "main.go", "stubs/x/x.go"} {
		before, err := f.find(t.Context(), vault)
		if err != nil {
			t.Fatal(err)
		}
		touch(t, filepath.Join(f.workDir, vault.module, file))
		after, err := f.find(t.Context(), vault)
		if err != nil || after == before {
			t.Errorf("changed %s: %q, %v, want another path", file, after, err)
		}
	}
	if *builds != 5 {
		t.Errorf("%d builds, want 5", *builds)
	}
}

// touch changes a file's content without changing its meaning.
func touch(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
}

func TestHashFollowsFlagsButNotTests(t *testing.T) {
	root := checkout(t, known()[Vault])
	dir := filepath.Join(root, known()[Vault].module)
	base, err := hashModule(dir, []string{"go1.26"})
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := hashModule(dir, []string{"go1.27"}); other == base {
		t.Error("another Go version has the same hash")
	}
	if err := os.WriteFile(filepath.Join(dir, "x_test.go"), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if same, _ := hashModule(dir, []string{"go1.26"}); same != base {
		t.Error("a test file changes the hash")
	}
}

func TestTwoAtOnceBuildOnce(t *testing.T) {
	f, builds := testFinder(t, nil)
	var group sync.WaitGroup
	paths := make([]string, 4)
	for i := range paths {
		group.Go(func() {
			path, err := f.find(t.Context(), f.servers[Vault])
			if err != nil {
				t.Error(err)
			}
			paths[i] = path
		})
	}
	group.Wait()
	if *builds != 1 {
		t.Errorf("%d builds, want 1", *builds)
	}
	for _, path := range paths {
		if path != paths[0] {
			t.Errorf("paths differ: %q and %q", path, paths[0])
		}
	}
}

func TestLockEndsWithItsContext(t *testing.T) {
	f, _ := testFinder(t, nil)
	unlock, err := f.lock(t.Context(), Vault)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	f.progress = func(string) { cancel() } // it says that it waits
	if _, err := f.lock(ctx, Vault); !errors.Is(err, context.Canceled) {
		t.Errorf("second lock: %v, want canceled", err)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	f, _ := testFinder(t, nil)
	broken := errors.New("broken")
	f.build = func(_ context.Context, b build) error {
		return errors.Join(os.WriteFile(b.output, []byte("half"), 0o755), broken)
	}
	if _, err := f.find(t.Context(), f.servers[Vault]); !errors.Is(err, broken) {
		t.Fatalf("find: %v, want broken", err)
	}
	left, err := filepath.Glob(filepath.Join(f.cacheDir, "vault-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestRealBuild(t *testing.T) {
	f, _ := testFinder(t, nil)
	f.build = goBuild
	var lines []string
	f.progress = func(line string) { lines = append(lines, line) }
	path, err := f.find(t.Context(), f.servers[Vault])
	if err != nil {
		t.Fatal(err)
	}
	version, err := askVersion(t.Context(), path, []string{"version"})
	if err != nil || version != [3]int{1, 21, 4} {
		t.Errorf("built binary says %v, %v", version, err)
	}
	if len(lines) == 0 || !strings.Contains(lines[0], "pinned module") {
		t.Errorf("progress %q, want it to begin with what is built", lines)
	}
}

func TestOwnProgramsAreBuiltFromTheCheckout(t *testing.T) {
	f, _ := testFinder(t, nil)
	f.build = goBuild
	var lines []string
	f.progress = func(line string) { lines = append(lines, line) }
	output := filepath.Join(t.TempDir(), "bot")
	if err := f.buildOwn(t.Context(), build{name: "bot", pkg: "./cmd/bot", output: output}); err == nil {
		t.Error("a package that is not there was built")
	}
	if len(lines) == 0 || lines[0] != "bot: building it from this checkout" {
		t.Errorf("progress %q, want no word of a pinned module", lines)
	}
}

func TestRealBuildFailureNamesTheReason(t *testing.T) {
	f, _ := testFinder(t, nil)
	f.build = goBuild
	main := filepath.Join(f.workDir, f.servers[Vault].module, "main.go")
	if err := os.WriteFile(main, []byte("package main\n\nfunc main() { undefined_thing() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := f.find(t.Context(), f.servers[Vault])
	if err == nil || !strings.Contains(err.Error(), "undefined_thing") {
		t.Errorf("error %v, want the compiler's words", err)
	}
}

func TestProgressOfABuild(t *testing.T) {
	counted := tally{name: "vault", started: time.Unix(0, 0)}
	for _, line := range []string{
		"go: downloading github.com/x/y v1.0.0", "github.com/x/y", "encoding/json", "# github.com/x/z",
		"./z.go:1:2: undefined: q",
	} {
		counted.add(line)
	}
	want := "vault: building, 1m5s so far: 1 modules downloaded, 2 packages compiled"
	if got := counted.at(time.Unix(65, 0)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(counted.errors) != 2 {
		t.Errorf("errors %q, want the last two lines", counted.errors)
	}
}

func TestPostgres(t *testing.T) {
	packages := t.TempDir()
	for _, major := range []string{"9.6", "13", "15"} {
		for _, program := range []string{"initdb", "postgres"} {
			script(t, filepath.Join(packages, major, "bin", program), "")
		}
	}
	half := t.TempDir()
	script(t, filepath.Join(half, "postgres"), "")
	f, _ := testFinder(t, map[string]string{"PATH": half})
	f.packages = filepath.Join(packages, "*", "bin")
	got, err := f.postgres()
	if want := filepath.Join(packages, "15", "bin"); err != nil || got != want {
		t.Errorf("postgres = %q, %v, want the newest package %q", got, err, want)
	}
}

func TestPostgresAbsent(t *testing.T) {
	f, _ := testFinder(t, nil)
	if _, err := f.postgres(); err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("error %v, want the next step", err)
	}
	f, _ = testFinder(t, map[string]string{"TANDEM_POSTGRES_BIN_DIR": t.TempDir()})
	if _, err := f.postgres(); err == nil || !strings.Contains(err.Error(), "TANDEM_POSTGRES_BIN_DIR") {
		t.Errorf("error %v, want the variable's name", err)
	}
}

func TestModuleRoot(t *testing.T) {
	root := checkout(t, known()[Vault])
	inside := filepath.Join(root, known()[Vault].module)
	got, err := moduleRoot(inside)
	if err != nil || got != root {
		t.Errorf("from the nested module: %q, %v, want %q", got, err, root)
	}
	if _, err := moduleRoot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "checkout") {
		t.Errorf("outside: %v, want the next step", err)
	}
}

func TestFindUnknown(t *testing.T) {
	if _, err := Find(t.Context(), "consul", nil); err == nil || !strings.Contains(err.Error(), "vault") {
		t.Errorf("error %v, want the names that are known", err)
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("Vault v1.21.4")
	f.Add("prometheus, version 2.42.0+ds")
	f.Fuzz(func(t *testing.T, text string) {
		version, err := parseVersion(text)
		for _, part := range version {
			if part < 0 || part > 999999 {
				t.Errorf("parseVersion(%q) = %v, %v", text, version, err)
			}
		}
	})
}
