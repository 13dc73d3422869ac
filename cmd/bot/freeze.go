package main

import (
	"cmp"
	"context"
	"errors"
	"os/user"
	"slices"

	"tandem/approvals"
	"tandem/commands"
	"tandem/config"
	"tandem/store"
)

// freeze pulls the kill switch, without Slack.
func (a *app) freeze(ctx context.Context, c commands.Freeze) int {
	return a.withStore(ctx, func(s *store.Store, cfg *config.Config) int {
		target, err := commands.FreezeTarget(c.Target, serviceNames(cfg))
		if err != nil {
			return a.fail(err)
		}
		service, err := frozenOnly(s, cfg)
		if err == nil {
			err = service.Freeze(ctx, target, a.atTerminal(), c.Reason)
		}
		if err != nil {
			return a.refused(err)
		}
		return a.say(a.words.Froze(approvals.Freeze{Target: target, Reason: c.Reason}))
	})
}

// unfreeze lets go of it.
func (a *app) unfreeze(ctx context.Context, c commands.Unfreeze) int {
	return a.withStore(ctx, func(s *store.Store, cfg *config.Config) int {
		service, err := frozenOnly(s, cfg)
		if err != nil {
			return a.untold(err)
		}
		held, err := service.Freezes(ctx)
		if err != nil {
			return a.untold(err)
		}
		target, err := commands.UnfreezeTarget(c.Target, held)
		if err != nil {
			return a.fail(err)
		}
		if err := service.Unfreeze(ctx, target, a.atTerminal(), c.Reason); err != nil {
			return a.refused(err)
		}
		left, err := service.Freezes(ctx)
		if err != nil {
			return a.untold(err)
		}
		return a.say(a.words.Unfroze(target, left))
	})
}

// frozenOnly is a service that knows of freezes alone: a terminal asks for no
// remedy and votes on none.
func frozenOnly(s *store.Store, c *config.Config) (*approvals.Service, error) {
	return approvals.New(approvals.Options{Store: s, Leases: s, Policy: policyOf(c.Approvals)})
}

// refused says why the approvals refuse something, and any other error as untold.
func (a *app) refused(err error) int {
	refusal, ok := errors.AsType[*approvals.Refusal](err)
	if !ok {
		return a.untold(err)
	}
	a.complain(a.words.Refused(refusal, ""))
	return exitUsage
}

// atTerminal is who the audit says it was: the user of the operating system, who
// has the database anyway.
func (a *app) atTerminal() string {
	name := cmp.Or(a.getenv("SUDO_USER"), a.getenv("USER"))
	if who, err := user.Current(); err == nil {
		name = cmp.Or(a.getenv("SUDO_USER"), who.Username)
	}
	return "terminal:" + cmp.Or(name, "unknown")
}

func serviceNames(c *config.Config) []string {
	names := make([]string, 0, len(c.Services))
	for name := range c.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
