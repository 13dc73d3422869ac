package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// End ends the world that another process runs in dir, also one that is still
// starting, and returns when it is gone. The empty dir is the default one.
func End(ctx context.Context, dir string) error {
	w, err := Attach(dir)
	if err == nil {
		return w.Down(ctx)
	}
	if !errors.Is(err, errBetween) {
		return err
	}
	options, err := Options{Dir: dir}.complete()
	if err != nil {
		return err
	}
	return folder(options.Dir).interrupt(ctx)
}

// interrupt ends a lab that does not listen yet, as Ctrl-C would.
func (f folder) interrupt(ctx context.Context) error {
	pid, err := strconv.Atoi(f.owner())
	if err != nil || !f.heldBy(pid) {
		return fmt.Errorf("the lab in %s is %w, and its lock does not say which process it is: try again",
			shown(string(f)), errBetween)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("interrupt the lab in %s (pid %d): %w", shown(string(f)), pid, err)
	}
	return f.awaitEnd(ctx)
}

// awaitEnd returns when the owner has let go of the folder.
func (f folder) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	return poll(ctx, func(context.Context) error {
		if f.running() {
			return fmt.Errorf("the lab (pid %s) has not ended yet", f.owner())
		}
		return nil
	})
}

// heldBy says whether the process has the lock file open. A lab that has taken
// the lock and not yet signed it has an earlier owner's number in it, which may
// be anybody's by now.
func (f folder) heldBy(pid int) bool {
	lock, err := os.Stat(f.lockFile())
	if err != nil {
		return false
	}
	open, _ := filepath.Glob(procFile(pid, "fd/*")) // the pattern is well formed
	for _, path := range open {
		if file, err := os.Stat(path); err == nil && os.SameFile(lock, file) {
			return true
		}
	}
	return false
}
