package watches

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// report reads a report from words like "A:pass B:fail C:fail<B".
func report(words string) diagnostics.Report {
	r := diagnostics.Report{Target: "worker", At: noon}
	for word := range strings.FieldsSeq(words) {
		code, status, _ := strings.Cut(word, ":")
		status, because, explained := strings.Cut(status, "<")
		result := diagnostics.Result{Code: code, Status: diagnostics.Status(status), Title: diagnostics.Both(code+" title", code+" título")}
		if explained {
			result.BecauseOf = strings.Split(because, ",")
		}
		r.Checks = append(r.Checks, result)
	}
	r.Verdict.Status = worst(r.Checks)
	return r
}

func hush(code string, from, until time.Duration) Suppression {
	return Suppression{Code: code, Owner: "ana", By: "ana", Reason: "known", Since: noon.Add(from), Until: noon.Add(until)}
}

// said is news in a few words.
func said(n News) string {
	if n.Kind == Quiet {
		return "quiet"
	}
	words := []string{string(n.Kind)}
	var came []string
	for _, c := range n.Difference.Checks {
		came = append(came, c.Code+":"+string(c.After.Status))
	}
	words = append(words, came...)
	for _, r := range n.Broken {
		words = append(words, "still:"+r.Code)
	}
	for _, h := range n.Hushed {
		words = append(words, "hushed:"+h.Code)
	}
	if n.Thread != "" {
		words = append(words, "in "+n.Thread)
	}
	if n.Over {
		words = append(words, "over after "+n.Lasted.String())
	}
	return strings.Join(words, " ")
}

// TestJudge plays runs of a watch, a minute apart, and holds what each tells.
func TestJudge(t *testing.T) {
	type step struct{ sees, says string }
	for name, c := range map[string]struct {
		hush  []Suppression
		steps []step
	}{
		"quiet while nothing changes": {nil, []step{
			{"A:pass B:warn C:unknown", "first"},
			{"A:pass B:warn C:unknown", "quiet"},
			{"A:pass B:warn C:unknown", "quiet"},
		}},
		"a failure at once, and when it is over": {nil, []step{
			{"A:pass B:pass", "first"},
			{"A:fail B:pass", "changed A:fail"},
			{"A:fail B:pass", "quiet"},
			{"A:fail B:fail", "changed B:fail in T2"},
			{"A:pass B:fail", "changed A:pass in T2"},
			{"A:pass B:pass", "changed B:pass in T2 over after 4m0s"},
			{"A:fail B:pass", "changed A:fail"},
		}},
		"failing at the first look": {nil, []step{
			{"A:fail B:pass", "first"},
			{"A:pass B:pass", "changed A:pass in T1 over after 1m0s"},
		}},
		"a warning that was there is no incident": {nil, []step{
			{"A:warn B:pass", "first"},
			{"A:warn B:fail", "changed B:fail"},
			{"A:warn B:pass", "changed B:pass in T2 over after 1m0s"},
			{"A:pass B:pass", "changed A:pass"},
		}},
		"cannot tell only after two runs in a row": {nil, []step{
			{"A:pass B:pass", "first"},
			{"A:unknown B:pass", "quiet"},
			{"A:pass B:pass", "quiet"},
			{"A:unknown B:pass", "quiet"},
			{"A:unknown B:pass", "changed A:unknown"},
			{"A:unknown B:pass", "quiet"},
			{"A:pass B:pass", "changed A:pass in T5 over after 2m0s"},
		}},
		"what cannot be seen is not well again": {nil, []step{
			{"A:pass", "first"},
			{"A:fail", "changed A:fail"},
			{"A:unknown", "quiet"},
			{"A:unknown", "changed A:unknown in T2"},
			{"A:fail", "changed A:fail in T2"},
			{"A:unknown", "quiet"},
			{"A:pass", "changed A:pass in T2 over after 5m0s"},
		}},
		"another failure is told while something is not seen once": {nil, []step{
			{"A:pass B:pass", "first"},
			{"A:unknown B:fail", "changed B:fail"},
			{"A:unknown B:fail", "changed A:unknown in T2"},
		}},
		"what follows from a cause comes with it": {nil, []step{
			{"A:pass B:pass C:pass", "first"},
			{"A:fail B:fail<A C:skipped<A", "changed A:fail B:fail"},
			{"A:fail B:fail<A C:skipped<A", "quiet"},
			{"A:fail B:pass C:fail<A", "quiet"},
			{"A:fail B:fail<A C:skipped<A", "quiet"},
			{"A:pass B:pass C:pass", "changed A:pass B:pass in T2 over after 4m0s"},
		}},
		"a change of what is suppressed is quiet": {[]Suppression{hush("A", 0, time.Hour)}, []step{
			{"A:pass B:pass", "first"},
			{"A:fail B:pass", "quiet"},
			{"A:fail B:fail<A", "quiet"},
			{"A:fail B:fail", "changed B:fail hushed:A"},
			{"A:pass B:pass", "changed B:pass in T4 over after 1m0s"},
		}},
		"the end of a suppression tells what is broken still": {[]Suppression{hush("A", 30*time.Second, 150*time.Second)}, []step{
			{"A:pass B:pass", "first"},
			{"A:fail B:pass", "quiet"},
			{"A:fail B:pass", "quiet"},
			{"A:fail B:pass", "changed A:fail still:A"},
			{"A:fail B:pass", "quiet"},
			{"A:pass B:pass", "changed A:pass in T4 over after 2m0s"},
		}},
		"also when it failed before": {[]Suppression{hush("A", 90*time.Second, 150*time.Second)}, []step{
			{"A:pass", "first"},
			{"A:fail", "changed A:fail"},
			{"A:fail", "quiet"},
			{"A:fail", "changed still:A in T2"},
			{"A:pass", "changed A:pass in T2 over after 3m0s"},
		}},
		"and nothing when it is well": {[]Suppression{hush("A", 30*time.Second, 150*time.Second)}, []step{
			{"A:pass", "first"},
			{"A:fail", "quiet"},
			{"A:pass", "quiet"},
			{"A:pass", "quiet"},
		}},
		"suppressed at the first look": {[]Suppression{hush("A", 0, 90*time.Second)}, []step{
			{"A:fail B:pass", "first hushed:A"},
			{"A:fail B:pass", "quiet"},
			{"A:fail B:pass", "changed still:A"},
		}},
		"of another service": {[]Suppression{{Code: "A", Service: "registry", Until: noon.Add(time.Hour)}}, []step{
			{"A:pass", "first"},
			{"A:fail", "changed A:fail"},
		}},
		"checks that come and go with the catalogue": {nil, []step{
			{"A:pass B:pass", "first"},
			{"A:pass", "quiet"},
			{"A:pass C:pass", "quiet"},
			{"A:pass C:pass D:fail", "changed"},
			{"A:pass C:pass", "changed in T4 over after 1m0s"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := Watch{ID: "w", Service: "worker", Every: time.Minute}
			for i, s := range c.steps {
				now := noon.Add(time.Duration(i) * time.Minute)
				var active []Suppression
				for _, x := range c.hush {
					if !now.Before(x.Since) {
						active = append(active, x)
					}
				}
				n, m := Judge(w, report(s.sees), active, now)
				if got := said(n); got != s.says {
					t.Fatalf("run %d, %s: got %q, want %q", i+1, s.sees, got, s.says)
				}
				if n.Kind != Quiet && m.Incident != nil && n.Thread == "" {
					m.Incident.Thread = fmt.Sprintf("T%d", i+1)
				}
				w.Memory = m
			}
		})
	}
}

// TestJudgeAlert plays the notifications of one group.
func TestJudgeAlert(t *testing.T) {
	alert := &Alert{Group: "g", Names: []string{"VaultSealed"}, Began: noon.Add(-time.Minute)}
	w := Watch{ID: "w", Service: "worker", Alert: alert}
	play := func(sees, says string, resolved bool, hush ...Suppression) {
		t.Helper()
		now := w.Memory.Ran.Add(time.Minute)
		if w.Memory.Ran.IsZero() {
			now = noon
		}
		alert.Resolved = resolved
		n, m := Judge(w, report(sees), hush, now)
		if got := said(n); got != says {
			t.Fatalf("%s: got %q, want %q", sees, got, says)
		}
		if n.Kind != Quiet && m.Incident != nil && n.Thread == "" {
			m.Incident.Thread = "T"
		}
		w.Memory = m
	}
	play("A:fail B:pass", "quiet", false, hush("A", 0, time.Hour)) // all that it can be about is suppressed
	play("A:fail B:pass", "first", false)
	play("A:fail B:pass", "quiet", false)
	play("A:pass B:pass", "changed A:pass in T", false) // it fires still: its thread is not over
	play("A:pass B:fail", "changed B:fail in T", false)
	play("A:pass B:fail", "closed in T over after 6m0s", true)
	if w.Memory.Incident != nil {
		t.Errorf("an alert that is over has an incident: %+v", w.Memory.Incident)
	}
}

// TestJudgeKeepsNoEvidence holds that what is remembered is small, and holds
// nothing that was asked.
func TestJudgeKeepsNoEvidence(t *testing.T) {
	r := report("A:fail")
	r.Checks[0].Evidence = []diagnostics.Evidence{{Source: "vault", Observed: "long"}}
	r.Checks[0].Blind = &diagnostics.BlindError{Detail: "long"}
	_, m := Judge(Watch{Service: "worker"}, r, nil, noon)
	if got := m.Told.Checks[0]; got.Evidence != nil || got.Blind != nil {
		t.Errorf("it remembers %+v", got)
	}
}

func TestAfterIsOnAGridOfItsOwn(t *testing.T) {
	seconds := map[int64]int{}
	for i := range 200 {
		w := Watch{ID: fmt.Sprint("watch", i), Every: 10 * time.Minute}
		first := w.After(noon)
		if wait := first.Sub(noon); wait <= 0 || wait > w.Every {
			t.Fatalf("%s: the first run after %s", w.ID, wait)
		}
		if next := w.After(first); next.Sub(first) != w.Every {
			t.Fatalf("%s: the next run after %s", w.ID, next.Sub(first))
		}
		late := w.After(first.Add(35 * time.Minute)) // three runs were missed, and are not caught up with
		if passed := late.Sub(first); passed != 40*time.Minute {
			t.Fatalf("%s: after a pause the next run is %s on", w.ID, passed)
		}
		seconds[first.Unix()]++
	}
	if most := slices.Max(values(seconds)); most > 6 {
		t.Errorf("%d of 200 watches fall on one second", most)
	}
	if !(Watch{ID: "a"}).After(noon).IsZero() {
		t.Error("an alert is looked at by itself")
	}
}

func values(m map[int64]int) []int {
	var all []int
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

func TestTopicsTellApart(t *testing.T) {
	all := []Watch{
		{Service: "a", Channel: "C1"},
		{Service: "a", Channel: "C2"},
		{Service: "b", Channel: "C1"},
		{Service: "a", Channel: "C1", Alert: &Alert{Group: "g"}},
		{Service: "a", Channel: "C1", Alert: &Alert{Group: "h"}},
	}
	seen := map[string]bool{}
	for _, w := range all {
		seen[w.Topic()] = true
	}
	if diff := cmp.Diff(len(all), len(seen)); diff != "" {
		t.Error(diff)
	}
}
