package world

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// signalTree sends a signal to a process and all below it. PostgreSQL puts each
// of its own into a process group of its own, so the group is not enough.
func signalTree(pid int, signal syscall.Signal) error {
	errs := []error{syscall.Kill(pid, signal)}
	for _, child := range children(pid) {
		// One that ended meanwhile needs no signal.
		if err := signalTree(child, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// children lists the processes that pid's threads have started.
func children(pid int) []int {
	tasks, err := os.ReadDir(procFile(pid, "task"))
	if err != nil {
		return nil // it has ended
	}
	var pids []int
	for _, task := range tasks {
		content, _ := os.ReadFile(procFile(pid, "task/"+task.Name()+"/children"))
		for field := range strings.FieldsSeq(string(content)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// procFile names a file that the kernel keeps about a process.
func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
