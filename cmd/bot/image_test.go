package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestStaticBinaryRunsAloneAsNobody builds the binary as the Dockerfile does
// and runs it where the image would: as an unprivileged user, in a root that
// has nothing else.
func TestStaticBinaryRunsAloneAsNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("changing the root takes root: run the tests as root, or under: unshare --map-root-user --map-auto")
	}
	root := emptyRoot(t)
	build := exec.CommandContext(t.Context(), "go", append(buildFlags(t), "-o", filepath.Join(root, "bot"), ".")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	const maxSize = 80 << 20
	if info, err := os.Stat(filepath.Join(root, "bot")); err != nil || info.Size() > maxSize {
		t.Errorf("the binary: %v, error %v; at most %d bytes are wanted", info, err, maxSize)
	}
	for command, want := range map[string]string{
		"version":              "tandem ",
		"checks":               "VLT-001",
		"checks VLT-001":       "vault.health",
		"help --lang pt-BR":    "bot diagnose SERVICE",
		"completion bash":      "complete -F _bot bot",
		"config check":         "no configuration",
		"diagnose worker":      "no configuration",
		"catalog lint /absent": "no such file or directory",
	} {
		if out := alone(t, root, strings.Fields(command)...); !strings.Contains(out, want) {
			t.Errorf("bot %s says %q, want %q in it", command, out, want)
		}
	}
}

// emptyRoot is a folder that an unprivileged user may enter and not write to.
func emptyRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "tandem-root-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// buildFlags are those of the Dockerfile.
func buildFlags(t *testing.T) []string {
	t.Helper()
	flags := []string{"build", "-trimpath", "-ldflags", "-s -w -X main.version="}
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CGO_ENABLED=0", `go build -trimpath -ldflags "-s -w -X main.version=$VERSION"`, "FROM scratch", "USER 65534:65534"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Dockerfile does not say %q, as this test does", want)
		}
	}
	return slices.Clip(flags)
}

// alone runs the bot as nobody, with root as its root and no environment.
func alone(t *testing.T, root string, args ...string) string {
	t.Helper()
	const nobody = 65534
	cmd := exec.CommandContext(t.Context(), "/bot", args...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     root,
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: false},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run bot %v: %v", args, err)
	}
	return string(out)
}
