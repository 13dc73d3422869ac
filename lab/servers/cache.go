package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	job := build{name: s.name, dir: module, pkg: s.pkg, flags: s.flags, output: partial, progress: f.progress}
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

// hashModule digests go.mod, go.sum and the Go sources in dir, and the extras.
func hashModule(dir string, extras []string) (string, error) {
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	files := append([]string{filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")}, sources...)
	slices.Sort(files)
	digest := sha256.New()
	fmt.Fprintf(digest, "%q\n", extras)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err := hashFile(digest, file); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}

func hashFile(digest io.Writer, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(digest, "%s %d\n", filepath.Base(file), len(content))
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
			return nil, errJoinClose(fmt.Errorf("wait for the build lock of %s: %w", name, ctx.Err()), file)
		case <-time.After(lockPoll):
		}
	}
	return func() { file.Close() }, nil // closing lets go of the lock
}

func errJoinClose(err error, c io.Closer) error {
	c.Close()
	return err
}
