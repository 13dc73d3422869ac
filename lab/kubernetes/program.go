package kubernetes

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// programGrace is how long a killed program's output is waited for.
const programGrace = 2 * time.Second

// notStarted is the exit code of a program that could not be started.
const notStarted = 128

// Program is what an image of the lab runs. A container's arguments come after
// its own; a container's command is refused, since it could be anything.
type Program struct {
	Path string
	Args []string
	Env  map[string]string
}

// program finds what a pod runs, or why a kubelet could not run it.
func (j *jobRunner) program(pod *corev1.Pod) (p Program, reason string) {
	if len(pod.Spec.Containers) != 1 {
		return Program{}, "CreateContainerConfigError"
	}
	container := pod.Spec.Containers[0]
	p, known := j.programs[container.Image]
	switch {
	case !known:
		return Program{}, "ErrImagePull"
	case len(container.Command) != 0:
		return Program{}, "CreateContainerError"
	}
	p.Args = append(slices.Clone(p.Args), container.Args...)
	env := map[string]string{}
	for key, value := range p.Env {
		env[key] = value
	}
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
	}
	p.Env = env
	return p, ""
}

// run runs the program with its output in the file, and returns its exit code.
// It is killed, with all it started, when ctx ends.
func (p Program) run(ctx context.Context, file string) int {
	output, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return notStarted
	}
	defer output.Close()
	// The kernel sends the death signal when the thread that started the child
	// ends, so this keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.WaitDelay = output, output, "/", programGrace
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
	for key, value := range p.Env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1) // a signal has no code
	}
	if err != nil {
		return notStarted
	}
	return 0
}
