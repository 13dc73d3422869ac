// Package faults breaks the lab in the ways that really happen. Each fault says
// which check must name it as the cause, so that a list of faults is also a test
// of the diagnosis.
package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// Fault is one way to break the lab, or something that looks like one and is
// none. Inject does it for real, Clear mends it; Clear may be called on a healthy
// lab. Both return when the change is made, not when its effects are seen.
type Fault struct {
	Name    string `json:"name"`
	Row     int    `json:"row"`     // of the runbook's matrix; 0: a gate before all rows
	Service string `json:"service"` // whose diagnosis shows it
	About   string `json:"about"`

	// Status is the right verdict. Unknown: nobody can tell; pass: the service is
	// well, whatever else was done.
	Status diagnostics.Status `json:"status"`
	// Codes are the checks that are the causes, all of them, the likeliest first.
	// Of an unknown verdict they are checks that must say that they could not look.
	Codes []string `json:"codes"`
	// Parts are the names of the faults that a combination injects.
	Parts []string `json:"parts,omitempty"`
	// Short marks those that the tests inject each time.
	Short bool `json:"short,omitempty"`

	Inject func(context.Context, *world.World) error `json:"-"`
	Clear  func(context.Context, *world.World) error `json:"-"`
}

// Code is the first of the codes, or nothing.
func (f Fault) Code() string {
	if len(f.Codes) == 0 {
		return ""
	}
	return f.Codes[0]
}

// The services of the lab, as the rows of the matrix name them.
const (
	orchestrator = "orchestrator"
	worker       = "worker"
	registry     = "service-registry"
)

// Right is the right verdict in words.
func (f Fault) Right() string {
	if f.Status == diagnostics.Pass {
		return "healthy"
	}
	return string(f.Status) + " " + strings.Join(f.Codes, ", ")
}

// All lists every fault, by row of the matrix; then what is injected together,
// and what is no fault of the service.
func All() []Fault {
	all := slices.Concat(single(), together(), blinding(), harmless())
	for i := range all {
		all[i].Short = slices.Contains(short, all[i].Name)
	}
	return all
}

// single are the faults with one cause each.
func single() []Fault {
	return slices.Concat(gateFaults(), mongodbFaults(), identityFaults(), callFaults(), tokenFaults(), loginFaults(),
		databaseFaults(), credentialFaults(), bundleFaults(), wayFaults())
}

// short are the faults that the tests inject each time: each row of the matrix,
// the gates, a warning, two at once, what nobody can tell and what is no fault.
var short = []string{
	"vault-sealed", "kv-key-missing", "spire-entry-missing", "audience-mismatch", "token-dead", "login-audience", "renewal-task-dead",
	"root-password-drifted", "jwks-stale", "vault-unreachable-for-worker", "policy-and-audience", "sealed-and-agent-dead",
	"prometheus-down", "neighbour-without-secret", "key-rotated",
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

func kill(name string) act {
	return func(ctx context.Context, w *world.World) error { return w.Kill(ctx, name) }
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
