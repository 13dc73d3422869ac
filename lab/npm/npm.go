// Package npm installs the JavaScript packages of a lock file for a test, once
// for each lock file, into the user's cache: what a test runs of others is
// neither in the repository nor fetched twice.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Install returns a folder with package.json, package-lock.json and their
// node_modules, for the two files of the given folder. Two processes may call it
// at once. Nothing of a package is run.
func Install(ctx context.Context, folder string) (string, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", fmt.Errorf("install JavaScript packages: %w: make packages installs it, with Node.js", err)
	}
	target, err := target(folder)
	if err != nil {
		return "", fmt.Errorf("install JavaScript packages: %w", err)
	}
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}
	if err := fill(ctx, folder, target); err != nil {
		return "", fmt.Errorf("install the JavaScript packages of %s: %w", folder, err)
	}
	return target, nil
}

// target is where the packages of a lock file are kept.
func target(folder string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache: %w", err)
	}
	hash := sha256.New()
	for _, name := range files() {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("read what to install: %w", err)
		}
		hash.Write(data)
	}
	return filepath.Join(cache, "tandem", "npm", hex.EncodeToString(hash.Sum(nil))[:16]), nil
}

func files() []string { return []string{"package.json", "package-lock.json"} }

// fill installs beside the target and moves the whole there, so that nobody
// sees a half.
func fill(ctx context.Context, folder, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(target), "work-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	for _, name := range files() {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, name), data, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir, cmd.WaitDelay = work, 10*time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(work, target); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}
