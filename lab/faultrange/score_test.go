package faultrange

import (
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/lab/faults"
)

func fault(status diagnostics.Status, codes ...string) faults.Fault {
	return faults.Fault{Name: "x", Service: "worker", Status: status, Codes: codes}
}

func TestScore(t *testing.T) {
	const fail, warn, unknown, pass = diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown, diagnostics.Pass
	for _, c := range []struct {
		name   string
		fault  faults.Fault
		given  diagnostics.Status
		causes []string
		unseen []string
		want   Score
	}{
		{"the cause", fault(fail, "A"), fail, []string{"A"}, nil, Score{First: true, Among: true}},
		{"the cause, and one that is none", fault(fail, "A"), fail, []string{"A", "B"}, nil, Score{First: true, Among: true, Wrong: true}},
		{"the cause comes second", fault(fail, "A"), fail, []string{"B", "A"}, nil, Score{Among: true, Wrong: true}},
		{"another cause", fault(fail, "A"), fail, []string{"B"}, nil, Score{Wrong: true}},
		{"a failure told as a warning", fault(fail, "A"), warn, []string{"A"}, nil, Score{Among: true}},
		{"broken and called healthy", fault(fail, "A"), pass, nil, nil, Score{Healthy: true}},
		{"broken and not told", fault(fail, "A"), unknown, nil, []string{"A"}, Score{}},
		{"one of two", fault(fail, "A", "B"), fail, []string{"B"}, nil, Score{First: true}},
		{"both", fault(fail, "A", "B"), fail, []string{"B", "A"}, nil, Score{First: true, Among: true}},
		{"nobody can tell", fault(unknown, "A"), unknown, nil, []string{"B", "A"}, Score{First: true, Among: true}},
		{"nobody can tell, for another reason", fault(unknown, "A"), unknown, nil, []string{"B"}, Score{First: true}},
		{"unseen and called healthy", fault(unknown, "A"), pass, nil, nil, Score{Healthy: true}},
		{"unseen and called broken", fault(unknown, "A"), fail, []string{"B"}, []string{"A"}, Score{Broken: true, Wrong: true}},
		{"healthy", fault(pass), pass, nil, nil, Score{First: true, Among: true}},
		{"healthy and called broken", fault(pass), fail, []string{"A"}, nil, Score{Broken: true, Wrong: true}},
	} {
		got := Result{Fault: c.fault, Given: c.given, Causes: c.causes, Unseen: c.unseen}.Score()
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestGoals(t *testing.T) {
	right := Result{Fault: fault(diagnostics.Fail, "A"), Given: diagnostics.Fail, Causes: []string{"A"}}
	wrong := Result{Fault: fault(diagnostics.Fail, "A"), Given: diagnostics.Fail, Causes: []string{"B"}}
	missed := Result{Fault: fault(diagnostics.Fail, "A"), Given: diagnostics.Pass}
	alarm := Result{Fault: fault(diagnostics.Pass), Given: diagnostics.Fail, Causes: []string{"B"}}
	many := func(n int, r Result) []Result {
		var all []Result
		for range n {
			all = append(all, r)
		}
		return all
	}
	for _, c := range []struct {
		name   string
		report Report
		want   string // of the error; empty: none
	}{
		{"all right", Report{Results: many(20, right)}, ""},
		{"one in twenty wrong", Report{Results: append(many(19, right), wrong)}, ""},
		{"one in ten wrong", Report{Results: append(many(9, right), wrong)}, "9 of 10"},
		{"one called healthy", Report{Results: append(many(99, right), missed)}, "healthy though broken"},
		{"one called broken", Report{Results: append(many(99, right), alarm)}, "broken though healthy"},
		{"the healthy lab called broken", Report{Healthy: Calm{Diagnoses: 2, Given: map[diagnostics.Status]int{diagnostics.Fail: 1, diagnostics.Pass: 1}}}, "1 times in 2"},
		{"one not tried", Report{Results: many(20, right), Failed: []string{"x: no"}}, "could not be tried"},
	} {
		err := c.report.Goals()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestMarkdownShowsWhatWasWrong(t *testing.T) {
	report := Report{
		At: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), TTL: 20 * time.Second, Cores: 2,
		Results: []Result{{Fault: fault(diagnostics.Fail, "VLT-001"), Given: diagnostics.Fail, Causes: []string{"VLT-002"}, After: 3 * time.Second}},
	}
	for _, want := range []string{"2026-01-02", "right cause first", "0 of 1", "| fail VLT-001 | **fail VLT-002** | 3.0 s |"} {
		if !strings.Contains(report.Markdown(), want) {
			t.Errorf("the report lacks %q:\n%s", want, report.Markdown())
		}
	}
}
