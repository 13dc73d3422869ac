package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a build that waits for another one looks again.
const lockPoll = 200 * time.Millisecond

// built returns the cached binary of the server, building it if need be.
func (f finder) built(ctx context.Context, s server) (string, error) {
	root, err := moduleRoot(f.workDir)
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w", s.name, err)
	}
	module := filepath.Join(root, s.module)
	path, err := f.cachePath(ctx, s, module)
	if err != nil {
		return "", err
	}
	if _, err := executable("cache", path); err == nil {
		return path, nil
	}
	unlock, err := f.lock(ctx, s.name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := executable("cache", path); err == nil {
		return path, nil // another process built it while this one waited
	}
	return path, f.buildInto(ctx, s, module, path)
}

// buildInto builds beside path and renames, so that path is whole or absent.
func (f finder) buildInto(ctx context.Context, s server, module, path string) error {
	partial := path + ".partial"
	defer os.Remove(partial)
	job := build{
		name: s.name, source: "its pinned module; the first time takes minutes",
		dir: module, pkg: s.pkg, flags: s.flags, output: partial, progress: f.progress,
	}
	if err := f.build(ctx, job); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("keep the built %s: %w", s.name, err)
	}
	return nil
}

// cachePath names the binary by all that decides its content.
func (f finder) cachePath(ctx context.Context, s server, module string) (string, error) {
	toolchain, err := goVersion(ctx, module)
	if err != nil {
		return "", err
	}
	sum, err := hashModule(module, append([]string{toolchain, s.pkg}, s.flags...))
	if err != nil {
		return "", fmt.Errorf("hash the sources of %s: %w", s.name, err)
	}
	return filepath.Join(f.cacheDir, s.name+"-"+sum), nil
}

// hashModule digests all in dir that decides what is built, and the extras.
func hashModule(dir string, extras []string) (string, error) {
	digest := sha256.New()
	fmt.Fprintf(digest, "%q\n", extras)
	// The walk is in lexical order, so the same files give the same digest.
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isSource(entry.Name()) {
			return err
		}
		return hashFile(digest, dir, path)
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}

// isSource tells what a build reads from what it does not.
func isSource(name string) bool {
	return name == "go.mod" || name == "go.sum" ||
		strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

func hashFile(digest io.Writer, dir, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(digest, "%q %d\n", strings.TrimPrefix(file, dir), len(content))
	_, err = digest.Write(content)
	return err
}

// goVersion asks the Go command for the version that would build dir.
func goVersion(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its version (the lab builds its servers with Go: https://go.dev/doc/install): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// lock makes this process the only one that builds name; it waits for its turn.
func (f finder) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(f.cacheDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(f.cacheDir, name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the build lock of %s: %w", name, err)
	}
	for told := false; unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil; told = true {
		if !told {
			f.progress(name + ": waiting for another process that builds it")
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("wait for the build lock of %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
	return func() { file.Close() }, nil // closing lets go of the lock
}
