// Package world runs the lab: a whole small world of real servers and services
// on one machine, in which what the runbook describes can be broken for real.
//
// Start brings a world up inside this process, which then owns every part of
// it: no part outlives it, however it dies. Attach gives another process the
// same handle on a world that runs. A world starts fresh each time; within its
// life a part that is stopped and started again keeps its state.
//
// All that a world writes is in one folder (Options.Dir):
//
//	world.json   where everything is, with the lab's secrets; for its owner only
//	ready        written last, removed first
//	tandem.yaml  a configuration for the bot
//	env          the same addresses as shell exports
//	faults.json  what was broken on purpose
//	logs/        one file a part, and the services' events as *.jsonl
//	config/      what each part was started with
//	bot/         the bot's tokens and passwords, one a file
//	kubernetes/  the cluster's keys, and the lab's own way into it
//	run/, data/  sockets and storage
//
// At its end ready, world.json, tandem.yaml, env, bot/ and kubernetes/ are
// removed: they hold tokens and keys, and name ports that another program may
// take. The rest stays for reading until the next start.
package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// World is a handle on a lab that runs. Its methods may be called from several
// goroutines.
type World struct {
	state      State
	controller controller
	closing    func() error // nil when attached
	asked      <-chan struct{}
}

// Start brings a world up and returns when every part answers. Its first run
// on a machine builds servers, for minutes. The caller must Close it.
func Start(ctx context.Context, options Options) (*World, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	options.Progress = serialised(options.Progress)
	home := folder(options.Dir)
	lock, err := home.claim()
	if err != nil {
		return nil, err
	}
	b := &builder{options: options, folder: home, supervisor: newSupervisor()}
	w, err := b.start(ctx, lock)
	if err != nil {
		return nil, errors.Join(err, b.tearDown(nil, lock))
	}
	return w, nil
}

// start builds the world and opens its control socket.
func (b *builder) start(ctx context.Context, lock *os.File) (*World, error) {
	if err := b.folder.clear(); err != nil {
		return nil, err
	}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	control, err := serveControl(b.state.ControlSock, b.supervisor)
	if err != nil {
		return nil, err
	}
	closing := sync.OnceValue(func() error { return b.tearDown(control, lock) })
	if err := b.announce(); err != nil {
		return nil, errors.Join(err, closing())
	}
	return &World{state: b.state, controller: b.supervisor, closing: closing, asked: control.asked}, nil
}

// announce writes the files that say that all is up, ready last.
func (b *builder) announce() error {
	if err := b.state.write(b.folder.stateFile()); err != nil {
		return err
	}
	return writeFile(b.folder.readyFile(), []byte(time.Now().UTC().Format(time.RFC3339)+"\n"))
}

// tearDown undoes what start did, whatever part of it was done.
func (b *builder) tearDown(control *control, lock *os.File) error {
	errs := []error{b.folder.forget()}
	b.cluster.close()
	errs = append(errs, b.supervisor.down(context.Background()), b.folder.disarm())
	if control != nil {
		errs = append(errs, control.close())
	}
	for _, dir := range b.temporary {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(append(errs, lock.Close())...)
}

// Attach gives a handle on the world that another process runs in dir; the
// empty dir is the default one. Close on it does nothing.
func Attach(dir string) (*World, error) {
	options, err := Options{Dir: dir}.complete()
	if err != nil {
		return nil, err
	}
	home := folder(options.Dir)
	if !home.running() {
		return nil, fmt.Errorf("look for a lab in %s: %w: start one with: go run ./lab up%s",
			shown(options.Dir), errNoLab, DirFlag(options.Dir))
	}
	state, err := readState(home.stateFile())
	if errors.Is(err, errNoLab) {
		return nil, fmt.Errorf("the lab in %s (pid %s) is %w: try again when %s is there",
			shown(options.Dir), home.owner(), errBetween, home.readyFile())
	}
	if err != nil {
		return nil, err
	}
	return &World{state: state, controller: remote{socket: state.ControlSock, home: home}}, nil
}

// State says where everything is.
func (w *World) State() State { return w.state }

// Asked is closed when somebody asked the world to end (`lab down`). The owner
// should Close it then. It is nil, which never ends, on an attached world.
func (w *World) Asked() <-chan struct{} { return w.asked }

// Close ends a world that Start began: every part is gone when it returns.
func (w *World) Close() error {
	if w.closing == nil {
		return nil
	}
	return w.closing()
}

// Down ends the world from anywhere, and returns when it is gone.
func (w *World) Down(ctx context.Context) error {
	if w.closing != nil {
		return w.closing()
	}
	return w.controller.down(ctx)
}

// Processes lists the parts as they are now, in the order of their start.
func (w *World) Processes(ctx context.Context) ([]ProcessStatus, error) {
	return w.controller.statuses(ctx)
}

// StartProcess starts a part that does not run, and returns when it is ready.
// A Vault that starts is unsealed too.
func (w *World) StartProcess(ctx context.Context, name string, overrides ...Override) error {
	return w.act(ctx, name, actionStart, overrides)
}

// Stop ends a part in good order.
func (w *World) Stop(ctx context.Context, name string) error {
	return w.act(ctx, name, actionStop, nil)
}

// Kill ends a part at once, as a crash would.
func (w *World) Kill(ctx context.Context, name string) error {
	return w.act(ctx, name, actionKill, nil)
}

// Restart stops a part and starts it again, and returns when it is ready.
// Overrides hold for this one start.
func (w *World) Restart(ctx context.Context, name string, overrides ...Override) error {
	return w.act(ctx, name, actionRestart, overrides)
}

// Pause freezes a part: its port accepts connections and nothing answers.
func (w *World) Pause(ctx context.Context, name string) error {
	return w.act(ctx, name, actionPause, nil)
}

// Continue lets a paused part go on.
func (w *World) Continue(ctx context.Context, name string) error {
	return w.act(ctx, name, actionContinue, nil)
}

func (w *World) act(ctx context.Context, name, action string, overrides []Override) error {
	if err := w.controller.act(ctx, name, action, combined(overrides)); err != nil {
		return fmt.Errorf("%s %s: %w", action, name, err)
	}
	return nil
}
