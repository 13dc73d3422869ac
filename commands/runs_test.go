package commands

import (
	"errors"
	"slices"
	"testing"

	"tandem/diagnostics"
)

// TestPairChoosesTheRunsToCompare has lists that begin with the latest run; a
// capital stands for one of all checks.
func TestPairChoosesTheRunsToCompare(t *testing.T) {
	for name, tc := range map[string]struct {
		runs, id      string
		before, after string // empty: there are none
		only          string
	}{
		"the latest two":                         {"CBA", "", "B", "C", ""},
		"parts are passed over":                  {"xCyBzA", "", "B", "C", ""},
		"none":                                   {"", "", "", "", ""},
		"one":                                    {"A", "", "", "", "A"},
		"one, and parts":                         {"xAy", "", "", "", "A"},
		"an older one":                           {"CBA", "A", "A", "C", ""},
		"the latest":                             {"CBA", "C", "", "", "C"},
		"a part that is older":                   {"BxA", "x", "x", "B", ""},
		"a part that is later":                   {"xBA", "x", "B", "x", ""},
		"a part alone":                           {"x", "x", "", "", ""},
		"nobody's":                               {"BA", "q", "", "", ""},
		"nobody's, and the error names no other": {"A", "q", "", "", ""},
	} {
		var all []diagnostics.RunInfo
		for _, r := range tc.runs {
			id := string(r)
			all = append(all, diagnostics.RunInfo{ID: diagnostics.RunID(id), Whole: r <= 'Z'})
		}
		whole := slices.DeleteFunc(slices.Clone(all), func(r diagnostics.RunInfo) bool { return !r.Whole })
		before, after, err := pair("worker", tc.id, all, whole)
		if before != diagnostics.RunID(tc.before) || after != diagnostics.RunID(tc.after) || (err == nil) == (tc.before == "") {
			t.Errorf("%s: from %q to %q, %v", name, before, after, err)
		}
		if none, ok := errors.AsType[*NoRunError](err); ok && (none.Only == nil) != (tc.only == "") {
			t.Errorf("%s: it knows of %+v", name, none.Only)
		}
	}
}

func TestARunThatWentMeanwhileIsNotThere(t *testing.T) {
	for err, want := range map[error]bool{diagnostics.ErrNoRun: true, errors.New("away"): false} {
		if _, none := errors.AsType[*NoRunError](missing(err, "worker", "a")); none != want {
			t.Errorf("of %v it says that there is none: %v", err, none)
		}
	}
}
