package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/diagnostics"
	"tandem/i18n"
	"tandem/store"
	"tandem/watches"
)

func watchOf(id, service, channel string, due time.Time) watches.Watch {
	return watches.Watch{
		ID: id, Service: service, Channel: channel, Every: 10 * time.Minute, By: "U0ANA", Lang: i18n.Portuguese,
		Asked: due, Due: due,
	}
}

func alertOf(id, service, group string, due time.Time) watches.Watch {
	w := watchOf(id, service, "C1", due)
	w.Every = 0
	w.Alert = &watches.Alert{Group: group, Names: []string{"VaultSealed"}, Began: due.Add(-time.Minute), Heard: due, Labels: []string{"job"}}
	return w
}

func putWatch(t testing.TB, s *store.Store, w watches.Watch) watches.Watch {
	t.Helper()
	kept, err := s.PutWatch(context.Background(), w)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func claim(t testing.TB, s *store.Store, id string, until time.Time) (watches.Watch, bool) {
	t.Helper()
	w, mine, err := s.Claim(context.Background(), id, until)
	if err != nil {
		t.Fatal(err)
	}
	return w, mine
}

func finish(t testing.TB, s *store.Store, w watches.Watch, due time.Time) {
	t.Helper()
	if err := s.Finish(context.Background(), w, due); err != nil {
		t.Fatal(err)
	}
}

func listWatches(t testing.TB, s *store.Store) []watches.Watch {
	t.Helper()
	all, err := s.Watches(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameTime compares times as they are stored.
var sameTime = cmpopts.EquateApproxTime(time.Millisecond)

func TestWatchesAreKept(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		now := db.now()
		first := putWatch(t, s, watchOf("w1", "worker", "C1", now))
		putWatch(t, s, watchOf("w2", "worker", "C2", now))
		alert := putWatch(t, s, alertOf("a1", "worker", `{}:{alertname="VaultSealed\x00"}`, now))

		again := watchOf("w3", "worker", "C1", now.Add(time.Hour))
		again.Every, again.By, again.Lang = time.Hour, "U0BRUNO", i18n.English
		want := again
		want.ID, want.Version = "w1", first.Version
		if diff := cmp.Diff(want, putWatch(t, s, again), sameTime); diff != "" {
			t.Errorf("asked again (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]watches.Watch{alert, want}, listWatches(t, s)[:2], sameTime,
			cmpopts.SortSlices(func(a, b watches.Watch) bool { return a.ID < b.ID })); diff != "" {
			t.Errorf("all (-want +got):\n%s", diff)
		}
		if err := s.EndWatch(t.Context(), "w1"); err != nil {
			t.Fatal(err)
		}
		if err := s.EndWatch(t.Context(), "w1"); !errors.Is(err, watches.ErrNone) {
			t.Errorf("ended twice: %v", err)
		}
		if got := len(listWatches(t, s)); got != 2 {
			t.Errorf("%d are left", got)
		}
	})
}

func TestAClaimIsOneReplicas(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one, two := db.open(), db.open()
		now := db.now()
		putWatch(t, one, watchOf("w", "worker", "C1", now.Add(time.Minute)))
		if _, mine := claim(t, one, "w", now.Add(time.Hour)); mine {
			t.Error("claimed before it was due")
		}
		db.pass(time.Minute)
		until := db.now().Add(3 * time.Minute)
		w, mine := claim(t, one, "w", until)
		if !mine || w.Retaken {
			t.Fatalf("claimed %v, retaken %v", mine, w.Retaken)
		}
		if _, mine := claim(t, two, "w", until); mine {
			t.Error("two have claimed it")
		}

		db.pass(4 * time.Minute) // the first replica was killed
		taken, mine := claim(t, two, "w", db.now().Add(3*time.Minute))
		if !mine || !taken.Retaken {
			t.Fatalf("the claim of a dead replica: claimed %v, retaken %v", mine, taken.Retaken)
		}
		if err := one.Finish(t.Context(), w, db.now()); !errors.Is(err, watches.ErrNone) {
			t.Errorf("the dead one came back: %v", err)
		}
		next := db.now().Add(10 * time.Minute)
		taken.Memory = watches.Memory{
			Told:     &diagnostics.Report{Target: "worker", Checks: []diagnostics.Result{{Code: "A", Status: diagnostics.Fail}}},
			Incident: &watches.Incident{Thread: "1.1", Began: now, Was: map[string]diagnostics.Status{"A": diagnostics.Pass}},
			Ran:      db.now(), Status: diagnostics.Fail, Unseen: []string{"B"},
		}
		finish(t, two, taken, next)
		got := listWatches(t, one)[0]
		want := taken
		want.Due, want.Claimed, want.Retaken, want.Version = next, time.Time{}, false, got.Version
		if diff := cmp.Diff(want, got, sameTime); diff != "" {
			t.Errorf("after the run (-want +got):\n%s", diff)
		}
		if _, mine := claim(t, one, "w", db.now().Add(time.Hour)); mine {
			t.Error("claimed again before the next run is due")
		}
		if _, mine := claim(t, one, "nobody", db.now()); mine {
			t.Error("claimed what is not there")
		}
	})
}

// TestWhatIsAskedMeanwhileIsNotLost has people and Alertmanager say something in
// the middle of a run.
func TestWhatIsAskedMeanwhileIsNotLost(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		now := db.now()
		putWatch(t, s, watchOf("w", "worker", "C1", now))
		putWatch(t, s, alertOf("a", "worker", "g", now))
		watch, _ := claim(t, s, "w", now.Add(time.Minute))
		alert, _ := claim(t, s, "a", now.Add(time.Minute))

		db.pass(time.Second)
		again := watchOf("x", "worker", "C1", db.now())
		again.Every = time.Hour
		putWatch(t, s, again)
		over := alertOf("y", "worker", "g", db.now())
		over.Alert.Resolved = true
		putWatch(t, s, over)
		finish(t, s, watch, now.Add(10*time.Minute))
		finish(t, s, alert, time.Time{})

		for _, w := range listWatches(t, s) {
			if w.Due.After(db.now()) || w.Due.IsZero() {
				t.Errorf("%s is due at %s: what was said meanwhile is lost", w.ID, w.Due)
			}
		}
		if w, mine := claim(t, s, "w", db.now().Add(time.Minute)); !mine || w.Every != time.Hour {
			t.Errorf("claimed %v, every %s", mine, w.Every)
		}
		alert, mine := claim(t, s, "a", db.now().Add(time.Minute))
		if !mine || !alert.Alert.Resolved {
			t.Fatalf("claimed %v, %+v", mine, alert.Alert)
		}
		finish(t, s, alert, time.Time{})
		for _, w := range listWatches(t, s) {
			if w.Alert != nil {
				t.Errorf("an alert that is over is kept: %+v", w)
			}
		}
	})
}

func TestWatchesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		for i := range watches.MaxWatches {
			putWatch(t, s, watchOf(fmt.Sprint("w", i), fmt.Sprint("service", i), "C1", db.now()))
		}
		if _, err := s.PutWatch(t.Context(), watchOf("more", "more", "C1", db.now())); !errors.Is(err, watches.ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
		putWatch(t, s, watchOf("again", "service7", "C1", db.now()))
	})
}

func TestSuppressionsEnd(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		now := db.now()
		one := watches.Suppression{Code: "VLT-001", Service: "worker", Owner: "U0ANA", By: "U0BRUNO", Reason: "known\x00", Since: now, Until: now.Add(time.Hour)}
		all := watches.Suppression{Code: "VLT-001", Owner: "@sre", By: "U0BRUNO", Reason: "known", Since: now, Until: now.Add(time.Minute)}
		for _, x := range []watches.Suppression{one, all, one} {
			if err := s.Suppress(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		read := func() []watches.Suppression {
			t.Helper()
			got, err := s.Suppressions(t.Context(), db.now())
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		one.Reason = "known\uFFFD"
		if diff := cmp.Diff([]watches.Suppression{all, one}, read(), sameTime); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		db.pass(2 * time.Minute)
		if diff := cmp.Diff([]watches.Suppression{one}, read(), sameTime); diff != "" {
			t.Errorf("after the end of one (-want +got):\n%s", diff)
		}
		if err := s.Unsuppress(t.Context(), "VLT-001", "registry"); !errors.Is(err, watches.ErrNone) {
			t.Errorf("of another service: %v", err)
		}
		if err := s.Unsuppress(t.Context(), "VLT-001", ""); err != nil {
			t.Error(err)
		}
		if err := s.Unsuppress(t.Context(), "VLT-001", ""); !errors.Is(err, watches.ErrNone) {
			t.Errorf("twice: %v", err)
		}
	})
}

// teller is people, who count what they read.
type teller struct {
	mu   sync.Mutex
	told map[string]int // by service and kind
}

func (f *teller) Tell(_ context.Context, w watches.Watch, n watches.News) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told[w.Service+" "+string(n.Kind)]++
	return "1.1", nil
}

func (f *teller) count(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told[what]
}

// TestTwoReplicasRunEachWatchOnce has two replicas work on the same database.
func TestTwoReplicasRunEachWatchOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const services = 20
		people := &teller{told: map[string]int{}}
		var runs atomic.Int64
		var failing atomic.Bool
		replicas, kept := make([]*watches.Service, 2), db.open()
		for i := range replicas {
			s := db.open()
			service, err := watches.New(watches.Options{
				Store: s, Hushes: s, Now: db.now,
				Diagnose: func(_ context.Context, service string) (diagnostics.Report, error) {
					runs.Add(1)
					status := diagnostics.Pass
					if failing.Load() {
						status = diagnostics.Fail
					}
					return diagnostics.Report{
						Target: service, Verdict: diagnostics.Verdict{Status: status},
						Checks: []diagnostics.Result{{Code: "A", Status: status}},
					}, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			service.Meet(people)
			work(t, s, store.Work{Watches: service, AtOnce: 4})
			replicas[i] = service
		}
		for i := range services {
			if _, err := replicas[i%2].Watch(t.Context(), watches.Watch{Service: fmt.Sprint("s", i), Channel: "C1", Every: time.Hour, By: "ana"}); err != nil {
				t.Fatal(err)
			}
		}
		all := func(kind string) func() bool {
			return func() bool {
				for i := range services {
					if people.count(fmt.Sprint("s", i, " ", kind)) == 0 {
						return false
					}
				}
				return true
			}
		}
		await(t, "every first look", all("first"))
		await(t, "every run to be recorded", func() bool {
			for _, w := range listWatches(t, kept) {
				if !w.Claimed.IsZero() || !w.Due.After(db.now()) {
					return false
				}
			}
			return true
		})
		if got := runs.Load(); got != services {
			t.Errorf("%d runs of %d watches", got, services)
		}

		// The jobs of the next runs stand in the far future of the queue's clock: the
		// sweep finds that they are due.
		failing.Store(true)
		db.pass(2 * time.Hour)
		await(t, "every failure", all("changed"))
		for i := range services {
			for _, kind := range []string{"first", "changed"} {
				if got := people.count(fmt.Sprint("s", i, " ", kind)); got != 1 {
					t.Errorf("s%d told %s %d times", i, kind, got)
				}
			}
		}
	})
}
