package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/redact"
	"tandem/store"
)

// keeper keeps runs in the database, and takes secrets out of all that it keeps.
type keeper struct {
	*store.Store

	since time.Duration // of those who ask for no other
}

var _ commands.Runs = keeper{}

// SaveRun implements commands.Runs.
func (k keeper) SaveRun(ctx context.Context, run diagnostics.Run) (string, error) {
	run.Since = cmp.Or(run.Since, k.since)
	run.Report = run.Report.Map(redact.String)
	return k.Store.SaveRun(ctx, run)
}

// keep keeps a diagnosis made in the terminal, and returns its id. That it cannot
// be is said, and changes nothing else.
func (a *app) keep(ctx context.Context, c *config.Config, report diagnostics.Report, opts commands.Options) string {
	run := diagnostics.NewRun(report, diagnostics.FromTerminal, opts.Since, len(opts.Only) == 0)
	run.Who = a.atTerminal()
	id := ""
	s, err := openStore(ctx, c.Store, a.log, a.now)
	if err == nil {
		id, err = keeper{s, c.Diagnosis.Since}.SaveRun(ctx, run)
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		a.complain(a.words.Say("run_not_kept", "Why", err.Error()))
	}
	return id
}

// withRuns is withDatabase for what keeps runs.
func (a *app) withRuns(ctx context.Context, do func(*store.Store, *config.Config) int) int {
	return a.withDatabase(ctx, func(c *config.Config) string {
		if c.Store == nil {
			return a.words.Say("no_store")
		}
		return ""
	}, do)
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
	return a.withRuns(ctx, func(s *store.Store, c *config.Config) int {
		service, err := a.ofService(c, ask.ListRuns, ask.Service)
		if err != nil {
			return a.fail(err)
		}
		if ask.Output == commands.FormatText {
			found, err := s.ListRuns(ctx, service, commands.RunsAsked)
			if err != nil {
				return a.untold(err)
			}
			return a.page(commands.RunsPage(service, found, a.now(), a.words), nil)
		}
		found, err := s.ListRuns(ctx, service, c.Store.KeepRuns)
		if err != nil {
			return a.untold(err)
		}
		return a.encode(commands.RunViews(found), ask.Output)
	})
}

// diff prints what changed between two runs. The exit status is 0 when nothing
// did, 1 when something did, and 3 when there are no two runs, or nobody can tell.
func (a *app) diff(ctx context.Context, ask commands.TerminalDiff) int {
	return a.withRuns(ctx, func(s *store.Store, c *config.Config) int {
		service, err := a.ofService(c, ask.Diff, ask.Service)
		if err != nil {
			return a.fail(err)
		}
		compared, err := commands.CompareRuns(ctx, s, service, ask.Run)
		if none, ok := errors.AsType[*commands.NoRunError](err); ok && none.ID == "" {
			a.fail(err)
			return exitUnknown
		} else if ok {
			return a.fail(err)
		}
		if err != nil {
			return a.untold(err)
		}
		var status int
		if ask.Output == commands.FormatText {
			status = a.page(commands.DiffDigest(compared, a.now(), a.words).Whole(), nil)
		} else {
			status = a.encode(compared.View(a.words.Lang), ask.Output)
		}
		if status != exitOK || compared.Empty() {
			return status
		}
		return exitFinding
	})
}
