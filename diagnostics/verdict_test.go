package diagnostics

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryVerdictHasACause holds, for chains of any shape, that a failure or a
// warning names a cause, and that nothing is explained by what is less bad.
func TestEveryVerdictHasACause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "checks")
		checks, results := make([]*Check, n), make([]Result, n)
		for i := range n {
			code := fmt.Sprintf("C-%d", i)
			checks[i] = &Check{Code: code}
			for j := range i {
				if rapid.Bool().Draw(t, fmt.Sprintf("%d needs %d", i, j)) {
					checks[i].Needs = append(checks[i].Needs, checks[j].Code)
				}
			}
			status := rapid.SampledFrom([]Status{Pass, Warn, Fail, Unknown}).Draw(t, code)
			results[i] = Result{Code: code, Status: status, Summary: Text{EN: "saw " + code}}
		}
		verdict := conclude("worker", checks, results)
		if bad := verdict.Status == Fail || verdict.Status == Warn; bad != (len(verdict.Causes) > 0) {
			t.Fatalf("a verdict of %s has %d causes", verdict.Status, len(verdict.Causes))
		}
		status := map[string]Status{}
		for _, r := range results {
			status[r.Code] = r.Status
		}
		for _, r := range results {
			for _, cause := range r.BecauseOf {
				if r.Status == Fail && status[cause] != Fail {
					t.Fatalf("%s fails because of %s, which is %s", r.Code, cause, status[cause])
				}
			}
		}
	})
}
