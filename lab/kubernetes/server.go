package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"tandem/lab/servers"
)

// How long the API server may take to start, and how often it is asked.
const (
	startTime  = 90 * time.Second
	startRetry = 50 * time.Millisecond
)

// Server is an API server with an etcd of its own, outside of any lab: tests are
// run against it. Close ends it.
type Server struct {
	URL   string
	Files Files

	processes []*process
}

// process is one that runs until it is killed.
type process struct {
	cmd   *exec.Cmd
	ended sync.WaitGroup
}

// StartServer starts both with their data and logs in a folder, and returns when
// the API server is ready. On a machine that has never built it, that takes
// minutes: progress is told.
func StartServer(ctx context.Context, dir string, progress servers.Progress) (*Server, error) {
	files, err := MakeFiles(filepath.Join(dir, "pki"))
	if err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(ctx, 3)
	if err != nil {
		return nil, err
	}
	etcd := "http://" + addresses[0]
	s := &Server{URL: "https://" + addresses[2], Files: files}
	err = errors.Join(
		s.start(ctx, dir, servers.Etcd, progress, EtcdArgs(etcd, "http://"+addresses[1], filepath.Join(dir, "etcd"))),
		s.start(ctx, dir, servers.KubeAPIServer, progress, ServerArgs(addresses[2], etcd, files)),
	)
	if err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close kills both, which have nothing to save.
func (s *Server) Close() {
	for _, p := range s.processes {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		p.ended.Wait()
	}
}

func (s *Server) start(ctx context.Context, dir, name string, progress servers.Progress, args []string) error {
	path, err := servers.Find(ctx, name, progress)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.Command(path, args...) //nolint:gosec // of the lab's own making
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &process{cmd: cmd}
	started := make(chan error)
	// The kernel sends the death signal when the thread that started the child
	// ends, so this keeps its thread.
	p.ended.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	})
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	s.processes = append(s.processes, p)
	return nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := ServerReady(ctx, Admin(s.URL, s.Files))
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause(ctx, startRetry)
	}
}

// freeAddresses are addresses on loopback that nobody listens on.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	var all []string
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", podAddress+":0")
		if err != nil {
			return nil, fmt.Errorf("look for a free port: %w", err)
		}
		defer listener.Close() // together, so that no two are the same
		all = append(all, listener.Addr().String())
	}
	return all, nil
}
