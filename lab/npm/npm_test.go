package npm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const emptyLock = `{"name": "empty", "lockfileVersion": 3, "packages": {"": {"name": "empty"}}}`

func TestInstallKeepsWhatItInstalled(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	folder := t.TempDir()
	for name, text := range map[string]string{"package.json": `{"name": "empty", "private": true}`, "package-lock.json": emptyLock} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, err := Install(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(first, "package-lock.json")); err != nil {
		t.Error(err)
	}
	t.Setenv("npm_config_offline", "true")
	second, err := Install(t.Context(), folder)
	if err != nil || second != first {
		t.Errorf("the second time: %s, %v; want %s", second, err, first)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(first), "work-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInstallSaysWhatIsMissing(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := Install(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "package.json") {
		t.Errorf("without a lock file: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Install(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "make packages") {
		t.Errorf("without npm: %v", err)
	}
}
