package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
	"tandem/lab/faultrange"
	"tandem/lab/faults"
)

func TestHealthyLabHasNoWarningAndNoFailure(t *testing.T) {
	awaitHealthy(t)
}

// TestShortRange injects some faults of each kind for real, and holds that the
// first verdict that stays is the right one. `make range` injects all of them.
func TestShortRange(t *testing.T) {
	r := faultrange.Range{World: lab, TTL: ttl, Bot: faultrange.Bot{Path: bot, Config: lab.State().Bot.ConfigFile}}
	tried := 0
	for _, fault := range faults.All() {
		if !fault.Short {
			continue
		}
		tried++
		t.Run(fault.Name, func(t *testing.T) {
			result, err := r.Try(t.Context(), fault)
			if err != nil {
				t.Fatal(err)
			}
			if !result.Score().Right() {
				t.Errorf("expected %s, given %s after %s\n%s", fault.Right(), result.Verdict(), result.After, faultrange.NotPassing(result.View))
			}
			for _, c := range result.View.Checks {
				if c.Status == diagnostics.Fail && len(c.Evidence) == 0 {
					t.Errorf("%s fails and has no evidence", c.Code)
				}
			}
		})
	}
	if tried != 15 {
		t.Errorf("%d faults were tried, expected 15", tried)
	}
	awaitHealthy(t)
}

// isCause holds that the diagnosis names the one right cause, and tells what else
// fails as its consequence.
func isCause(t *testing.T, fault faults.Fault) error {
	code, view := diagnose(t, fault.Service)
	if diff := cmp.Diff(fault.Codes, causes(view)); diff != "" {
		return fmt.Errorf("causes: %s\n%s", diff, notPassing(view))
	}
	if code != 1 {
		return fmt.Errorf("exit status %d, want 1", code)
	}
	for _, c := range view.Checks {
		if c.Status == diagnostics.Fail && c.Code != fault.Code() && cmp.Diff(fault.Codes, c.BecauseOf) != "" {
			return fmt.Errorf("%s fails, and is not told as a consequence of %s but of %v", c.Code, fault.Code(), c.BecauseOf)
		}
		if c.Code == fault.Code() && len(c.Evidence) == 0 {
			return fmt.Errorf("%s has no evidence", c.Code)
		}
	}
	return nil
}
