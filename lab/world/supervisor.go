package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The actions on a part.
const (
	actionStart    = "start"
	actionStop     = "stop"
	actionKill     = "kill"
	actionRestart  = "restart"
	actionPause    = "pause"
	actionContinue = "continue"
)

// controller is what a World needs of the process that owns the parts: the
// supervisor itself, or a connection to it from another process.
type controller interface {
	// act runs one action on one part and returns when it is done.
	act(ctx context.Context, name, action string, override Override) error
	// statuses lists the parts in the order of their start.
	statuses(ctx context.Context) ([]ProcessStatus, error)
	// down ends the world and returns when all parts are gone.
	down(ctx context.Context) error
}

// errStopping is the answer to a start in a world that ends.
var errStopping = errors.New("the lab is stopping")

// supervisor owns the processes of a world.
type supervisor struct {
	mu     sync.Mutex
	parts  []*process
	closed bool

	// life ends with the world, and with it every start under way.
	life context.Context
	end  context.CancelCauseFunc
}

func newSupervisor() *supervisor {
	life, end := context.WithCancelCause(context.Background())
	return &supervisor{life: life, end: end}
}

// bound returns a context that ends with the world and with ctx. It is made of
// the world's, which so ends it at once: a start that comes after the parts were
// stopped must not leave one that runs.
func (s *supervisor) bound(ctx context.Context) (context.Context, func()) {
	bound, cancel := context.WithCancelCause(s.life)
	release := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return bound, func() { release(); cancel(nil) }
}

// add starts a part and keeps it.
func (s *supervisor) add(ctx context.Context, part spec) error {
	p := &process{spec: part}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errStopping
	}
	s.parts = append(s.parts, p)
	s.mu.Unlock()
	ctx, release := s.bound(ctx)
	defer release()
	return p.start(ctx, Override{})
}

func (s *supervisor) all() []*process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.parts)
}

func (s *supervisor) find(name string) (*process, error) {
	var names []string
	for _, p := range s.all() {
		if p.spec.name == name {
			return p, nil
		}
		names = append(names, p.spec.name)
	}
	return nil, fmt.Errorf("no part is called %q: there are %s", name, strings.Join(names, ", "))
}

func (s *supervisor) act(ctx context.Context, name, action string, override Override) error {
	p, err := s.find(name)
	if err != nil {
		return err
	}
	ctx, release := s.bound(ctx)
	defer release()
	switch action {
	case actionStart:
		return p.start(ctx, override)
	case actionRestart:
		return p.restart(ctx, override)
	case actionStop:
		return p.stop()
	case actionKill:
		return p.kill()
	case actionPause:
		return p.pause()
	case actionContinue:
		return p.resume()
	default:
		return fmt.Errorf("unknown action %q: there are start, stop, kill, restart, pause and continue", action)
	}
}

func (s *supervisor) statuses(context.Context) ([]ProcessStatus, error) {
	var list []ProcessStatus
	for _, p := range s.all() {
		list = append(list, p.status())
	}
	return list, nil
}

// down stops the services before what they depend on: the last started first,
// and all that started together at once would race their own farewells.
func (s *supervisor) down(context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errStopping)
	services, servers := split(s.all())
	return errors.Join(stopAll(services), stopAll(servers))
}

// split separates the services, which say goodbye to the servers.
func split(parts []*process) (services, servers []*process) {
	for _, p := range parts {
		if isService(p.spec.name) {
			services = append(services, p)
		} else {
			servers = append(servers, p)
		}
	}
	return services, servers
}

func stopAll(parts []*process) error {
	errs := make([]error, len(parts))
	var stopping sync.WaitGroup
	for i, p := range parts {
		stopping.Go(func() { errs[i] = p.stop() })
	}
	stopping.Wait()
	return errors.Join(errs...)
}
