// Package faultrange says how often the bot is right: it breaks the lab in every
// way that there is, has the bot diagnose it, and holds the verdict against the
// right one. Nothing of a fault is told to the bot, and no verdict is asked for
// again because it is wrong.
package faultrange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
	"tandem/lab/faults"
	"tandem/lab/world"
)

// Range is a lab with a bot.
type Range struct {
	World *world.World
	Bot   Bot
	TTL   time.Duration // of the lab's tokens and credentials
}

// Result is what the bot said of a fault.
type Result struct {
	Fault  faults.Fault
	Given  diagnostics.Status
	Causes []string      // of a failure or a warning
	Unseen []string      // checks that could not look
	After  time.Duration // from the injection to the diagnosis that gave the verdict
	Took   time.Duration // that diagnosis
	View   diagnostics.View
}

// Times of a try. The verdict is the first that is not healthy and stays the
// same: a failure for a moment, since a fault shows in some places before others;
// what nobody can tell, and a warning, for longer, since both may be on the way
// to a failure. Of several faults at once the slower may show a renewal later.
const (
	pace       = time.Second // between two diagnoses
	failStays  = 3 * time.Second
	otherStays = 10 * time.Second
)

// settle is how long the effects of a change may take to show: a renewal that is
// not due yet, the window of the checks, and a busy machine.
func (r Range) settle() time.Duration { return 4 * r.TTL }

// watched is how long a change that harms nobody is looked at, and several faults
// at once: more than a renewal takes to come.
func (r Range) watched() time.Duration { return r.TTL + r.TTL/2 }

// Try injects a fault into a healthy lab, diagnoses until there is a verdict, and
// clears it. An error is the lab's or the program's, not a wrong verdict.
func (r Range) Try(ctx context.Context, fault faults.Fault) (result Result, err error) {
	if err := r.AwaitHealthy(ctx); err != nil {
		return result, err
	}
	defer func() {
		if clear := fault.Clear(context.WithoutCancel(ctx), r.World); clear != nil {
			err = errors.Join(err, fmt.Errorf("clear %s: %w", fault.Name, clear))
		}
	}()
	if err := fault.Inject(ctx, r.World); err != nil {
		return result, fmt.Errorf("inject %s: %w", fault.Name, err)
	}
	within, stays := r.settle(), failStays
	switch {
	case fault.Status == diagnostics.Pass:
		within = r.watched()
	case len(fault.Parts) > 0:
		stays = r.watched()
	}
	result, err = r.verdict(ctx, fault.Service, within, stays)
	result.Fault = fault
	return result, err
}

// verdict diagnoses until something not healthy stays, or the time is over.
func (r Range) verdict(ctx context.Context, service string, within, failStays time.Duration) (Result, error) {
	began := time.Now()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var last Result
	var since time.Time // when last was first given
	for {
		view, err := r.Bot.Diagnose(ctx, service)
		if err != nil {
			return last, err
		}
		now := Result{
			Given: view.Verdict.Status, Causes: causes(view), Unseen: unseen(view), View: view,
			After: time.Since(began), Took: time.Duration(view.TookMS) * time.Millisecond,
		}
		if !now.same(last) {
			last, since = now, time.Now()
		}
		over := time.Since(began) > within
		stays := max(failStays, otherStays)
		if last.Given == diagnostics.Fail {
			stays = failStays
		}
		if over || last.Given != diagnostics.Pass && time.Since(since) >= stays {
			return last, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last, ctx.Err()
		}
	}
}

func (r Result) same(other Result) bool {
	return r.Given == other.Given && slices.Equal(r.Causes, other.Causes)
}

// AwaitHealthy returns when no service has a warning, a failure or anything
// unseen.
func (r Range) AwaitHealthy(ctx context.Context) error {
	for service := range r.World.State().Services {
		if err := r.awaitHealthy(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

func (r Range) awaitHealthy(ctx context.Context, service string) error {
	deadline := time.Now().Add(r.settle())
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		view, err := r.Bot.Diagnose(ctx, service)
		if err == nil && view.Verdict.Status == diagnostics.Pass {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("%s did not become healthy:\n%s", service, NotPassing(view)))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// NotPassing lists the checks that did not pass, for a complaint.
func NotPassing(view diagnostics.View) string {
	lines := []string{view.Verdict.Headline}
	for _, c := range view.Checks {
		if c.Status != diagnostics.Pass {
			lines = append(lines, fmt.Sprintf("  %s %s because of %v: %s", c.Code, c.Status, c.BecauseOf, c.Summary))
		}
	}
	return strings.Join(lines, "\n")
}
