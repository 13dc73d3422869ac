package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/redact"
	"tandem/store"
)

// retryOpen is how long a database that could not be opened is left alone.
const retryOpen = 30 * time.Second

// keeper keeps runs in a database that may be away: that hinders no diagnosis. It
// opens it when it is first needed, and takes secrets out of all that it keeps.
type keeper struct {
	open  func(ctx context.Context) (*store.Store, error)
	since time.Duration // of those who ask for no other
	log   *slog.Logger
	now   func() time.Time

	mu    sync.Mutex
	store *store.Store // nil: not open
	mine  bool         // to be closed
	tried time.Time
	err   error // of the last try
}

var _ commands.Runs = (*keeper)(nil)

// keeping keeps runs in the database of the configuration, which may be open
// already; nil when there is none.
func keeping(c *config.Config, opened *store.Store, log *slog.Logger, now func() time.Time) *keeper {
	if c.Store == nil {
		return nil
	}
	return &keeper{
		open:  func(ctx context.Context) (*store.Store, error) { return openStore(ctx, c.Store, log, now) },
		since: c.Diagnosis.Since, log: log, now: now, store: opened,
	}
}

// ready returns the database. It lets one at a time try to open it, and not too
// often.
func (k *keeper) ready(ctx context.Context) (*store.Store, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.store != nil {
		return k.store, nil
	}
	if k.err != nil && k.now().Sub(k.tried) < retryOpen {
		return nil, k.err
	}
	s, err := k.open(ctx)
	if k.tried, k.err = k.now(), err; err != nil {
		return nil, err
	}
	k.store, k.mine = s, true
	return s, nil
}

// close lets go of the database, if it was opened here.
func (k *keeper) close() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.mine {
		return nil
	}
	return k.store.Close()
}

// SaveRun implements commands.Runs.
func (k *keeper) SaveRun(ctx context.Context, run diagnostics.Run) (string, error) {
	s, err := k.ready(ctx)
	if err != nil {
		return "", err
	}
	run.Since = cmp.Or(run.Since, k.since)
	run.Report = run.Report.Map(redact.String)
	return s.SaveRun(ctx, run)
}

// FindRun implements commands.Runs.
func (k *keeper) FindRun(ctx context.Context, id string) (diagnostics.Run, error) {
	s, err := k.ready(ctx)
	if err != nil {
		return diagnostics.Run{}, err
	}
	return s.FindRun(ctx, id)
}

// ListRuns implements commands.Runs.
func (k *keeper) ListRuns(ctx context.Context, service string, limit int) ([]diagnostics.RunInfo, error) {
	s, err := k.ready(ctx)
	if err != nil {
		return nil, err
	}
	return s.ListRuns(ctx, service, limit)
}

// keep keeps a diagnosis made in the terminal, and returns its id. That it cannot
// be is said, and changes nothing else.
func (a *app) keep(ctx context.Context, k *keeper, report diagnostics.Report, opts commands.Options) string {
	run := diagnostics.NewRun(report, diagnostics.FromTerminal, opts.Since, len(opts.Only) == 0)
	run.Who = a.atTerminal()
	id, err := k.SaveRun(ctx, run)
	if err != nil {
		a.complain(a.words.Say("run_not_kept", "Why", err.Error()))
	}
	return id
}

// withRuns opens what the configuration keeps runs in, for as long as do takes.
func (a *app) withRuns(ctx context.Context, do func(*keeper, *config.Config) int) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	k := keeping(c, nil, a.log, a.now)
	if k == nil {
		a.complain(a.words.Say("no_store"))
		return exitUsage
	}
	status := do(k, c)
	if err := k.close(); err != nil {
		return a.untold(err)
	}
	return status
}

// ofService resolves the service of a command about runs.
func (a *app) ofService(c *config.Config, command commands.Command, name string) (string, error) {
	w, err := wire(c, a.log, a.now)
	if err != nil {
		return "", err
	}
	defer w.leave()
	return commands.ResolveService(w.diagnoser, commands.CommandName(command), name)
}

// listRuns prints which runs of a service are kept.
func (a *app) listRuns(ctx context.Context, ask commands.TerminalListRuns) int {
	return a.withRuns(ctx, func(k *keeper, c *config.Config) int {
		service, err := a.ofService(c, ask.ListRuns, ask.Service)
		if err != nil {
			return a.fail(err)
		}
		if ask.Output == commands.FormatText {
			found, err := k.ListRuns(ctx, service, commands.RunsAsked)
			if err != nil {
				return a.untold(err)
			}
			return a.page(commands.RunsPage(service, found, a.now(), a.words), nil)
		}
		found, err := k.ListRuns(ctx, service, c.Store.KeepRuns)
		if err != nil {
			return a.untold(err)
		}
		return a.encode(commands.RunViews(found), ask.Output)
	})
}

// diff prints what changed between two runs. The exit status is 0 when nothing
// did, 1 when something did, and 3 when there are no two runs, or nobody can tell.
func (a *app) diff(ctx context.Context, ask commands.TerminalDiff) int {
	return a.withRuns(ctx, func(k *keeper, c *config.Config) int {
		service, err := a.ofService(c, ask.Diff, ask.Service)
		if err != nil {
			return a.fail(err)
		}
		compared, err := commands.CompareRuns(ctx, k, service, ask.Run)
		if none, ok := errors.AsType[*commands.NoRunError](err); ok && none.ID == "" {
			a.fail(err)
			return exitUnknown
		} else if ok {
			return a.fail(err)
		}
		if err != nil {
			return a.untold(err)
		}
		status := exitOK
		if ask.Output == commands.FormatText {
			status = a.page(commands.DiffDigest(compared, a.now(), a.words).Full, nil)
		} else {
			status = a.encode(compared.View(a.words.Lang), ask.Output)
		}
		if status != exitOK || compared.Empty() {
			return status
		}
		return exitFinding
	})
}
