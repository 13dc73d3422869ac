// Package faults breaks the lab in the ways that really happen. Each fault says
// which check must name it as the cause, so that a list of faults is also a test
// of the diagnosis.
package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tandem/lab/world"
)

// Fault is one way to break the lab. Inject does it for real, Clear mends it;
// Clear may be called on a healthy lab. Both return when the change is made, not
// when its effects are seen.
type Fault struct {
	Name    string `json:"name"`
	Row     int    `json:"row"`     // of the runbook's matrix; 0: a gate before all rows
	Service string `json:"service"` // whose diagnosis shows it
	Code    string `json:"code"`    // of the check that is the cause
	About   string `json:"about"`

	Inject func(context.Context, *world.World) error `json:"-"`
	Clear  func(context.Context, *world.World) error `json:"-"`
}

// The services of the lab, as the rows of the matrix name them.
const (
	orchestrator = "orchestrator"
	worker       = "worker"
	registry     = "service-registry"
)

// All lists every fault, by row of the matrix.
func All() []Fault {
	return slices.Concat(gateFaults(), mongodbFaults(), identityFaults(), callFaults(), tokenFaults(), databaseFaults(), bundleFaults())
}

// Find returns the fault of a name.
func Find(name string) (Fault, error) {
	var names []string
	for _, f := range All() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Fault{}, fmt.Errorf("no fault is called %q: expected one of %s", name, strings.Join(names, ", "))
}

// act is a change of the world.
type act = func(context.Context, *world.World) error

// behave changes how a service behaves.
func behave(service string, patch map[string]any) act {
	return func(ctx context.Context, w *world.World) error { return w.Behaviour(ctx, service, patch) }
}

// stop, start and restart act on a process of the world.
func stop(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Stop(ctx, name) }
}

func restart(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Restart(ctx, name) }
}

// all does one change after the other.
func all(acts ...act) act {
	return func(ctx context.Context, w *world.World) error {
		for _, a := range acts {
			if err := a(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
}
