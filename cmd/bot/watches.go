package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/commands"
	"tandem/commands/slack"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/redact"
	"tandem/diagnostics/throttle"
	"tandem/store"
	"tandem/watches"
)

// watches are the services that are looked at again and again.
func (w *wired) watches(c *config.Config, s *store.Store, registry prometheus.Registerer, log *slog.Logger, now func() time.Time) (*watches.Service, error) {
	metrics, err := slack.NewWatchMetrics(registry)
	if err != nil {
		return nil, err
	}
	return watches.New(watches.Options{
		Store: s, Hushes: s, Diagnose: w.lookAgain, Keep: keepTold(keeper{s, c.Diagnosis.Since}),
		Timeout: throttle.Wait + c.Diagnosis.Timeout + slackMargin, Now: now, Log: log, Observer: metrics.Observer(),
	})
}

// lookAgain diagnoses a service when every system has room for that. A watch
// remembers in the database what it was told, so secrets are taken out once more.
func (w *wired) lookAgain(ctx context.Context, service string) (diagnostics.Report, error) {
	leave, err := w.throttles.room.Enter(ctx)
	if err != nil {
		return diagnostics.Report{}, err
	}
	defer leave()
	report, err := w.diagnoser.Diagnose(ctx, service, commands.Options{})
	return report.Map(redact.String), err
}

// keepTold keeps the reports that watches tell, to compare with later.
func keepTold(runs commands.Runs) func(context.Context, watches.Watch, diagnostics.Report) (string, error) {
	return func(ctx context.Context, w watches.Watch, report diagnostics.Report) (string, error) {
		source := diagnostics.FromWatch
		if w.Alert != nil {
			source = diagnostics.FromAlert
		}
		run := diagnostics.NewRun(report, source, 0, true)
		run.Who, run.Where = w.By, w.Channel
		return runs.SaveRun(ctx, run)
	}
}

// watch has a service watched, from a terminal: in a channel that is named.
func (a *app) watch(ctx context.Context, c commands.Watch) int {
	return a.withWatches(ctx, func(s *watches.Service, cfg *config.Config) int {
		service, channel, err := a.watchable(cfg, c, c.Service, c.In)
		if err != nil {
			return a.fail(err)
		}
		if channel == "" {
			a.complain(a.words.Say("watch_channel", "Channel", c.In))
			return exitUsage
		}
		every := time.Duration(c.Every)
		if every == 0 {
			every = watches.DefaultEvery
		}
		kept, err := s.Watch(ctx, watches.Watch{Service: service, Channel: channel, Every: every, By: a.atTerminal(), Lang: a.words.Lang})
		if err != nil {
			return a.unkept(err)
		}
		return a.say(a.words.Watching(kept, channel))
	})
}

// watchable is the service and the channel that are meant.
func (a *app) watchable(cfg *config.Config, c commands.Command, service, in string) (name, channel string, err error) {
	w, err := wire(cfg, a.log, a.now)
	if err != nil {
		return "", "", err
	}
	defer w.leave()
	channel, _ = commands.ChannelOf(in)
	name, err = commands.ResolveService(w.diagnoser, commands.CommandName(c), service)
	return name, channel, err
}

func (a *app) unwatch(ctx context.Context, c commands.Unwatch) int {
	return a.withWatches(ctx, func(s *watches.Service, cfg *config.Config) int {
		service, channel, err := a.watchable(cfg, c, c.Service, c.In)
		if err != nil {
			return a.fail(err)
		}
		if c.In != "" && channel == "" {
			a.complain(a.words.Say("watch_channel", "Channel", c.In))
			return exitUsage
		}
		ended, err := s.Unwatch(ctx, service, channel, a.atTerminal())
		if errors.Is(err, watches.ErrNone) {
			a.complain(a.words.Say("not_watched", "Service", service))
			return exitUsage
		}
		if err != nil {
			return a.unkept(err)
		}
		var channels []string
		for _, one := range ended {
			channels = append(channels, one.Channel)
		}
		return a.say(a.words.Unwatched(service, channels))
	})
}

func (a *app) listWatches(ctx context.Context) int {
	return a.withWatches(ctx, func(s *watches.Service, _ *config.Config) int {
		all, err := s.List(ctx)
		var hushed []watches.Suppression
		if err == nil {
			hushed, err = s.Suppressions(ctx)
		}
		if err != nil {
			return a.untold(err)
		}
		list := commands.WatchList{Watches: all, Suppressions: hushed, Now: a.now(), Channel: func(id string) string { return id }}
		return a.page(commands.WatchesPage(list, a.words), nil)
	})
}

func (a *app) suppress(ctx context.Context, c commands.Suppress) int {
	return a.withWatches(ctx, func(s *watches.Service, cfg *config.Config) int {
		service, err := a.hushable(cfg, c, c.Code, c.About)
		if err != nil {
			return a.fail(err)
		}
		owner := c.Owner
		if owner == "" {
			owner = a.atTerminal()
		}
		kept, err := s.Suppress(ctx, watches.Suppression{
			Code: c.Code, Service: service, Owner: owner, By: a.atTerminal(), Reason: c.Reason, Until: a.now().Add(time.Duration(c.For)),
		})
		if errors.Is(err, watches.ErrBounds) {
			a.complain(a.words.Say("suppress_long", "N", watches.MaxReason))
			return exitUsage
		}
		if err != nil {
			return a.unkept(err)
		}
		return a.say(a.words.Suppressed(kept, owner))
	})
}

func (a *app) unsuppress(ctx context.Context, c commands.Unsuppress) int {
	return a.withWatches(ctx, func(s *watches.Service, cfg *config.Config) int {
		service, err := a.hushable(cfg, c, c.Code, c.Service)
		if err != nil {
			return a.fail(err)
		}
		err = s.Unsuppress(ctx, c.Code, service, a.atTerminal())
		if errors.Is(err, watches.ErrNone) {
			a.complain(a.words.Say("not_suppressed", "Code", c.Code))
			return exitUsage
		}
		if err != nil {
			return a.unkept(err)
		}
		return a.say(a.words.Say("unsuppressed", "Code", c.Code))
	})
}

// hushable is the service that a suppression is about, if there is such a check.
func (a *app) hushable(cfg *config.Config, c commands.Command, code, service string) (string, error) {
	w, err := wire(cfg, a.log, a.now)
	if err != nil {
		return "", err
	}
	defer w.leave()
	if _, err := commands.FindCheck(w.diagnoser, code); err != nil || service == "" {
		return "", err
	}
	return commands.ResolveService(w.diagnoser, commands.CommandName(c), service)
}

// withWatches opens what the configuration keeps watches in, for as long as do
// takes. Runs are done by a bot that runs.
func (a *app) withWatches(ctx context.Context, do func(*watches.Service, *config.Config) int) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	if c.Store == nil {
		a.complain(a.words.Say("no_watches"))
		return exitUsage
	}
	s, err := openStore(ctx, c.Store, a.log, a.now)
	if err != nil {
		return a.untold(err)
	}
	service, err := watches.New(watches.Options{
		Store: s, Hushes: s, Now: a.now, Log: a.log,
		Diagnose: func(context.Context, string) (diagnostics.Report, error) {
			return diagnostics.Report{}, errors.New("a terminal runs no watch")
		},
	})
	if err != nil {
		return a.untold(errors.Join(err, s.Close()))
	}
	status := do(service, c)
	if err := s.Close(); err != nil {
		return a.untold(err)
	}
	return status
}

// unkept says why a watch was not kept.
func (a *app) unkept(err error) int {
	if errors.Is(err, watches.ErrTooMany) {
		a.complain(a.words.Say("watch_many", "N", watches.MaxWatches))
		return exitUsage
	}
	return a.untold(err)
}
