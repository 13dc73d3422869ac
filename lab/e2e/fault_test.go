package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
	"tandem/lab/faults"
)

func TestHealthyLabHasNoWarningAndNoFailure(t *testing.T) {
	awaitHealthy(t)
}

// TestFaults injects each fault for real and holds that the diagnosis names the
// one right cause; then that the lab is seen to be healthy once it is cleared.
func TestFaults(t *testing.T) {
	awaitHealthy(t)
	for _, fault := range faults.All() {
		t.Run(fault.Name, func(t *testing.T) {
			t.Cleanup(func() { // also when the test failed, so that the next one starts well
				if err := fault.Clear(context.WithoutCancel(t.Context()), lab); err != nil {
					t.Error(err)
				}
			})
			if err := fault.Inject(t.Context(), lab); err != nil {
				t.Fatal(err)
			}
			eventually(t, settle, func() error { return isCause(t, fault) })
			if err := fault.Clear(t.Context(), lab); err != nil {
				t.Fatal(err)
			}
			awaitHealthy(t)
		})
	}
}

func isCause(t *testing.T, fault faults.Fault) error {
	code, view := diagnose(t, fault.Service)
	if diff := cmp.Diff([]string{fault.Code}, causes(view)); diff != "" {
		return fmt.Errorf("causes: %s\n%s", diff, notPassing(view))
	}
	if code != 1 {
		return fmt.Errorf("exit status %d, want 1", code)
	}
	for _, c := range view.Checks {
		if c.Status == diagnostics.Fail && c.Code != fault.Code && cmp.Diff([]string{fault.Code}, c.BecauseOf) != "" {
			return fmt.Errorf("%s fails, and is not told as a consequence of %s but of %v", c.Code, fault.Code, c.BecauseOf)
		}
		if c.Code == fault.Code && len(c.Evidence) == 0 {
			return fmt.Errorf("%s has no evidence", c.Code)
		}
	}
	return nil
}
