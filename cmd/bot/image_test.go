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

// nobody is the user and group of the image.
const nobody = 65534

// TestStaticBinaryRunsAloneAsNobody builds the binary as the Dockerfile does
// and runs it where the image would: as an unprivileged user, in a root that
// has nothing else.
func TestStaticBinaryRunsAloneAsNobody(t *testing.T) {
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
	if err := os.Chmod(root, 0o555); err != nil { // in a user namespace, nobody is who owns it
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"version":              "tandem ",
		"checks":               "VLT-001",
		"checks VLT-001":       "vault.health",
		"help --lang pt-BR":    "bot diagnose SERVIÇO",
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
	t.Cleanup(func() {
		if err := errors.Join(os.Chmod(root, 0o755), os.RemoveAll(root)); err != nil {
			t.Error(err)
		}
	})
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
	cmd := exec.CommandContext(t.Context(), "/bot", args...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = asNobody(os.Geteuid() == 0)
	cmd.SysProcAttr.Chroot = root
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out)
	}
	if err != nil && os.Geteuid() != 0 {
		t.Fatalf("run bot %v in a user namespace: %v: allow user namespaces (sysctl user.max_user_namespaces, "+
			"kernel.apparmor_restrict_unprivileged_userns), or run the tests as root", args, err)
	}
	if err != nil {
		t.Fatalf("run bot %v: %v", args, err)
	}
	return string(out)
}

// asNobody makes a process nobody's: by root's right, or in a user namespace of
// its own, where whoever runs the tests is called nobody and may change the
// root until the program starts.
func asNobody(root bool) *syscall.SysProcAttr {
	if root {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}},
	}
}
