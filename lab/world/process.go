package world

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// How long a part may take.
const (
	stopGrace    = 5 * time.Second
	startTimeout = 90 * time.Second
	readyPoll    = 50 * time.Millisecond
)

// The states of a part that is not running by itself.
const (
	stateRunning = "running"
	statePaused  = "paused"
	stateStopped = "stopped"
	stateKilled  = "killed"
)

// process is one part through all its lives. Its methods may be called from
// several goroutines; actions run one at a time.
type process struct {
	spec spec

	action sync.Mutex // held through a whole action

	mu    sync.Mutex // guards what follows
	run   *run       // nil before the first start
	asked string     // the state somebody asked for
}

// start launches the part and returns when it is ready.
func (p *process) start(ctx context.Context, override Override) error {
	p.action.Lock()
	defer p.action.Unlock()
	return p.startLocked(ctx, override)
}

func (p *process) startLocked(ctx context.Context, override Override) error {
	if r := p.current(); r != nil && r.alive() {
		return fmt.Errorf("%s is running already (pid %d)", p.spec.name, r.process.Pid)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("start %s: %w", p.spec.name, context.Cause(ctx))
	}
	effective, err := p.spec.with(override)
	if err != nil {
		return err
	}
	if err := effective.writeConfig(); err != nil {
		return err
	}
	r, err := launch(effective)
	if err != nil {
		return err
	}
	p.set(r, stateRunning)
	if err := p.awaitReady(ctx, r); err != nil {
		return err
	}
	if p.spec.after == nil {
		return nil
	}
	return p.spec.after(ctx)
}

// awaitReady polls until the part serves, dies, or takes too long.
func (p *process) awaitReady(ctx context.Context, r *run) error {
	if p.spec.ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := errors.New("not asked yet")
	for {
		select {
		case <-r.done:
			return fmt.Errorf("%s %s; its log (%s) ends:\n%s", p.spec.name, r.how(), p.spec.logFile, tail(p.spec.logFile))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%w): %w; its log (%s) ends:\n%s",
				p.spec.name, ctx.Err(), err, p.spec.logFile, tail(p.spec.logFile))
		case <-time.After(readyPoll):
		}
		if err = p.spec.ready(ctx); err == nil {
			return nil
		}
	}
}

// stop ends the part; one that does not run is stopped already.
func (p *process) stop() error {
	p.action.Lock()
	defer p.action.Unlock()
	p.end(stateStopped, func(r *run) { r.stop(p.spec.stopSignal, stopGrace) })
	return nil
}

// kill ends the part at once, without asking.
func (p *process) kill() error {
	p.action.Lock()
	defer p.action.Unlock()
	p.end(stateKilled, (*run).kill)
	return nil
}

func (p *process) end(state string, how func(*run)) {
	r := p.current()
	if r == nil || !r.alive() {
		return
	}
	p.set(r, state)
	how(r)
}

// restart stops the part if it runs, and starts it.
func (p *process) restart(ctx context.Context, override Override) error {
	p.action.Lock()
	defer p.action.Unlock()
	p.end(stateStopped, func(r *run) { r.stop(p.spec.stopSignal, stopGrace) })
	return p.startLocked(ctx, override)
}

// pause freezes the part: its connections stay open and nothing answers.
func (p *process) pause() error { return p.freeze(syscall.SIGSTOP, statePaused) }

// resume lets a paused part go on.
func (p *process) resume() error { return p.freeze(syscall.SIGCONT, stateRunning) }

func (p *process) freeze(signal syscall.Signal, state string) error {
	p.action.Lock()
	defer p.action.Unlock()
	r := p.current()
	if r == nil || !r.alive() {
		return fmt.Errorf("%s does not run; start it first", p.spec.name)
	}
	if err := signalTree(r.process.Pid, signal); err != nil {
		return fmt.Errorf("signal %s: %w", p.spec.name, err)
	}
	p.set(r, state)
	return nil
}

func (p *process) current() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

func (p *process) set(r *run, state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run, p.asked = r, state
}

// ProcessStatus is one part as it is now.
type ProcessStatus struct {
	Name    string `json:"name"`
	PID     int    `json:"pid,omitempty"` // 0 when it does not run
	Address string `json:"address"`
	// State is running, paused, stopped, killed, or how it ended by itself.
	State string `json:"state"`
	Log   string `json:"log"`
}

func (p *process) status() ProcessStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := ProcessStatus{Name: p.spec.name, Address: p.spec.address, Log: p.spec.logFile, State: "not started"}
	switch {
	case p.run == nil:
	case p.run.alive():
		s.PID, s.State = p.run.process.Pid, p.asked
	case p.asked == stateStopped || p.asked == stateKilled:
		s.State = p.asked
	default:
		s.State = p.run.how()
	}
	return s
}
