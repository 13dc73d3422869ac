package diagnostics

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// found is what a check came to, with what explains it.
func found(code string, status Status, because ...string) Result {
	return Result{Code: code, Title: Both(code, code), Status: status, Summary: Both(code+" "+string(status), ""), BecauseOf: because}
}

// reportOf is a report whose verdict follows from the results as they are.
func reportOf(results ...Result) Report {
	return Report{Target: "worker", Checks: results, Verdict: Verdict{Status: overall(results)}}
}

// told is all that a difference says, in short.
func told(d Difference) map[string][]string {
	all := map[string][]string{}
	for name, list := range map[string][]Change{"came": d.Came, "went": d.Went, "checks": d.Checks, "alone": d.Alone} {
		for _, c := range list {
			all[name] = append(all[name], fmt.Sprintf("%s %s", c.Code, c.Kind()))
		}
	}
	return all
}

func TestCompare(t *testing.T) {
	moved := found("A", Pass)
	moved.Summary = Both("another number", "outro número")
	for name, tc := range map[string]struct {
		before, after   Report
		want            map[string][]string
		headline, pt    string
		unjudged, moved int
		empty           bool
	}{
		"nothing": {
			before: reportOf(found("A", Pass)), after: reportOf(found("A", Pass)),
			headline: "worker: still healthy, nothing changed", pt: "worker: ainda saudável, nada mudou", empty: true,
		},
		"a number moved": {
			before: reportOf(found("A", Pass)), after: reportOf(moved),
			headline: "worker: still healthy, nothing changed", pt: "worker: ainda saudável, nada mudou", empty: true, moved: 1,
		},
		"a cause came, with what follows from it": {
			before:   reportOf(found("A", Pass), found("B", Pass), found("C", Pass)),
			after:    reportOf(found("A", Fail), found("B", Fail, "A"), found("C", Skipped, "A")),
			want:     map[string][]string{"came": {"A worse"}, "checks": {"A worse", "B worse"}},
			headline: "worker: healthy → failing: A came", pt: "worker: saudável → falhando: A surgiu", unjudged: 1,
		},
		"it went": {
			before:   reportOf(found("A", Fail), found("B", Fail, "A")),
			after:    reportOf(found("A", Pass), found("B", Pass)),
			want:     map[string][]string{"went": {"A better"}, "checks": {"A better", "B better"}},
			headline: "worker: failing → healthy: A went", pt: "worker: falhando → saudável: A se resolveu",
		},
		"one cause for another": {
			before:   reportOf(found("A", Pass), found("B", Fail)),
			after:    reportOf(found("A", Fail), found("B", Pass)),
			want:     map[string][]string{"came": {"A worse"}, "went": {"B better"}, "checks": {"A worse", "B better"}},
			headline: "worker: still failing: A came, B went", pt: "worker: ainda falhando: A surgiu, B se resolveu",
		},
		"a warning is not over because something fails": {
			before:   reportOf(found("A", Warn), found("B", Pass)),
			after:    reportOf(found("A", Warn), found("B", Fail)),
			want:     map[string][]string{"came": {"B worse"}, "checks": {"B worse"}},
			headline: "worker: working with a warning → failing: B came", pt: "worker: funcionando com um aviso → falhando: B surgiu",
		},
		"a cause that is explained now is not over": {
			before:   reportOf(found("A", Pass), found("B", Fail)),
			after:    reportOf(found("A", Fail), found("B", Fail, "A")),
			want:     map[string][]string{"came": {"A worse"}, "went": {"B same"}, "checks": {"A worse"}},
			headline: "worker: still failing: A came, B follows from A now", pt: "worker: ainda falhando: A surgiu, B agora decorre de A",
		},
		"nor one that nobody can see": {
			before:   reportOf(found("A", Fail)),
			after:    reportOf(found("A", Unknown)),
			want:     map[string][]string{"went": {"A unseen"}, "checks": {"A unseen"}},
			headline: "worker: failing → unknown: A cannot be seen any more", pt: "worker: falhando → sem resposta: A não pode mais ser vista",
		},
		"nor one that was skipped": {
			before:   reportOf(found("A", Pass), found("B", Fail)),
			after:    reportOf(found("A", Fail), found("B", Skipped, "A")),
			want:     map[string][]string{"came": {"A worse"}, "went": {"B same"}, "checks": {"A worse"}},
			headline: "worker: still failing: A came, B was not judged this time",
			pt:       "worker: ainda falhando: A surgiu, B não foi julgada desta vez", unjudged: 1,
		},
		"what was unknown came to light": {
			before:   reportOf(found("A", Unknown), found("B", Unknown)),
			after:    reportOf(found("A", Fail), found("B", Pass)),
			want:     map[string][]string{"came": {"A seen"}, "checks": {"A seen", "B seen"}},
			headline: "worker: unknown → failing: A came to light", pt: "worker: sem resposta → falhando: A veio à tona",
		},
		"what followed stands alone now": {
			before:   reportOf(found("A", Fail), found("B", Fail, "A")),
			after:    reportOf(found("A", Pass), found("B", Fail)),
			want:     map[string][]string{"came": {"B same"}, "went": {"A better"}, "checks": {"A better"}},
			headline: "worker: still failing: B is a cause of its own now, A went",
			pt:       "worker: ainda falhando: B agora é uma causa por si só, A se resolveu",
		},
		"another answer and no other cause": {
			before:   reportOf(found("A", Fail), found("B", Pass), found("C", Unknown)),
			after:    reportOf(found("A", Fail), found("B", Fail, "A"), found("C", Pass)),
			want:     map[string][]string{"checks": {"B worse", "C seen"}},
			headline: "worker: still failing: 2 checks have another answer", pt: "worker: ainda falhando: 2 verificações têm outra resposta",
		},
		"another catalogue": {
			before:   reportOf(found("A", Pass), found("B", Pass)),
			after:    reportOf(found("A", Pass), found("C", Pass), found("D", Skipped)),
			want:     map[string][]string{"alone": {"C added", "D added", "B removed"}},
			headline: "worker: still healthy, nothing changed", pt: "worker: ainda saudável, nada mudou", empty: true,
		},
		"a cause that only one looked at": {
			before:   reportOf(found("A", Fail), found("B", Fail)),
			after:    reportOf(found("B", Fail), found("C", Fail)),
			want:     map[string][]string{"came": {"C added"}, "went": {"A removed"}, "alone": {"C added", "A removed"}},
			headline: "worker: still failing: C came, A was not judged this time",
			pt:       "worker: ainda falhando: C surgiu, A não foi julgada desta vez",
		},
		"more causes than a line can name": {
			before: reportOf(),
			after: reportOf(found("A", Fail), found("B", Fail), found("C", Fail), found("D", Fail),
				found("E", Fail), found("F", Fail), found("G", Fail), found("H", Fail)),
			want: map[string][]string{
				"came":  {"A added", "B added", "C added", "D added", "E added", "F added", "G added", "H added"},
				"alone": {"A added", "B added", "C added", "D added", "E added", "F added", "G added", "H added"},
			},
			headline: "worker: unknown → failing: A came, B came, C came, D came, E came, F came, and 2 more",
			pt:       "worker: sem resposta → falhando: A surgiu, B surgiu, C surgiu, D surgiu, E surgiu, F surgiu, e mais 2",
		},
		"nothing at all": {
			headline: ": still unknown, nothing changed", pt: ": ainda sem resposta, nada mudou", empty: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := Compare(tc.before, tc.after)
			if tc.want == nil {
				tc.want = map[string][]string{}
			}
			if diff := gocmp.Diff(tc.want, told(d)); diff != "" {
				t.Error(diff)
			}
			if d.Headline() != Both(tc.headline, tc.pt) {
				t.Errorf("headline %q", d.Headline())
			}
			if d.Empty() != tc.empty || d.Unjudged != tc.unjudged || d.Moved != tc.moved {
				t.Errorf("empty %t, %d unjudged, %d moved", d.Empty(), d.Unjudged, d.Moved)
			}
			if v := d.In(Portuguese); v.Headline != tc.pt || v.Changed == tc.empty || len(v.Checks) != len(d.Checks) || v.Came == nil || v.Alone == nil {
				t.Errorf("in Portuguese it is %+v", v)
			}
		})
	}
}

// anyReport draws what a diagnosis may come to, in chains that differ.
func anyReport(name string) *rapid.Generator[Report] {
	return rapid.Custom(func(t *rapid.T) Report {
		codes := rapid.Permutation([]string{"A", "B", "C", "D", "E"}).Draw(t, name)
		codes = codes[:rapid.IntRange(0, len(codes)).Draw(t, "of them")]
		r := Report{Target: "worker", At: time.Unix(rapid.Int64Range(0, 1e9).Draw(t, "at"), 0)}
		for _, code := range codes {
			status := rapid.SampledFrom([]Status{Pass, Warn, Fail, Unknown, Skipped}).Draw(t, code)
			one := found(code, status)
			one.Summary.EN += rapid.SampledFrom([]string{"", " and more"}).Draw(t, "summary")
			if status != Pass && rapid.Bool().Draw(t, "explained") {
				one.BecauseOf = []string{"X"}
			}
			r.Checks = append(r.Checks, one)
		}
		r.Verdict.Status = overall(r.Checks)
		return r
	})
}

func TestComparedWithItselfNothingChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyReport("a").Draw(t, "a")
		if d := Compare(a, a); !d.Empty() || d.Moved > 0 || d.Unjudged > 0 || len(d.Alone) > 0 {
			t.Errorf("%+v", d)
		}
	})
}

func TestCompareIsItsOwnMirror(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyReport("a").Draw(t, "a"), anyReport("b").Draw(t, "b")
		if diff := gocmp.Diff(inOrder(Compare(a, b)), inOrder(mirror(Compare(b, a)))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEmptyMeansTheSameCausesAndAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyReport("a").Draw(t, "a"), anyReport("b").Draw(t, "b")
		if !Compare(a, b).Empty() {
			return
		}
		if overall(a.Checks) != overall(b.Checks) {
			t.Error("the verdicts differ")
		}
		for _, r := range a.Checks {
			if i := slices.IndexFunc(b.Checks, func(other Result) bool { return other.Code == r.Code }); i >= 0 {
				if other := b.Checks[i]; r.Status != other.Status && r.Status != Skipped && other.Status != Skipped {
					t.Errorf("%s was %s and is %s", r.Code, r.Status, other.Status)
				}
			} else if r.side().cause() {
				t.Errorf("the cause %s is gone", r.Code)
			}
		}
	})
}

var mirrored = map[Kind]Kind{Worse: Better, Better: Worse, Unseen: Seen, Seen: Unseen, Added: Removed, Removed: Added, Same: Same}

// mirror is the difference seen from the other end.
func mirror(d Difference) Difference {
	d.Before, d.After = d.After, d.Before
	d.Came, d.Went = d.Went, d.Came
	for _, list := range [][]Change{d.Came, d.Went, d.Checks, d.Alone} {
		for i, c := range list {
			kind := c.Kind()
			list[i].Before, list[i].After = c.After, c.Before
			if list[i].Kind() != mirrored[kind] {
				panic(fmt.Sprintf("%s is %s, and seen from the other end %s", c.Code, kind, list[i].Kind()))
			}
		}
	}
	return d
}

// inOrder takes away in which order the chains had the checks.
func inOrder(d Difference) Difference {
	for _, list := range [][]Change{d.Came, d.Went, d.Checks, d.Alone} {
		slices.SortFunc(list, func(a, b Change) int { return cmp.Compare(a.Code, b.Code) })
	}
	return d
}
