package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
	"tandem/store"
)

// kept is a run with something in every field that is easy to lose.
func kept(service string, at time.Time, status diagnostics.Status) diagnostics.Run {
	blind := &diagnostics.BlindError{
		Reason: diagnostics.ReasonTimeout, Detail: "nobody \x00 answered \xff", Next: diagnostics.Both("wait", "espere"), Gate: "VLT-001",
		Err: errors.New("an address"),
	}
	fix := diagnostics.Fix{Remedy: "kv-undelete", Params: map[string]string{"path": "a/b"}}
	run := diagnostics.NewRun(diagnostics.Report{
		Target: service, At: at, Took: 1234567 * time.Microsecond,
		Verdict: diagnostics.Verdict{
			Status: status, Headline: diagnostics.Both("it fails", "falha"),
			Causes: []diagnostics.Cause{{Code: "KVS-001", Remedy: diagnostics.Both("undo", "desfaça"), Fixes: []diagnostics.Fix{fix}}, {Code: "LGN-001"}},
		},
		Checks: []diagnostics.Result{
			{Code: "VLT-001", Status: diagnostics.Unknown, Blind: blind, BecauseOf: []string{"KVS-001"}},
			{Code: "KVS-001", Status: status, Evidence: []diagnostics.Evidence{{Source: "vault", Invocation: "vault kv get", Observed: "404", At: at}}},
		},
	}, diagnostics.FromSlack, 30*time.Minute, true)
	run.Who, run.Where = "U1", "C1"
	return run
}

func save(t testing.TB, s *store.Store, run diagnostics.Run) string {
	t.Helper()
	id, err := s.SaveRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// listed are the ids of the runs of a service.
func listed(t testing.TB, s *store.Store, service string, limit int) []string {
	t.Helper()
	found, err := s.ListRuns(t.Context(), service, limit)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestARunIsReadAsItWasKept(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		at := db.now().UTC().Truncate(time.Millisecond)
		want := kept("worker", at, diagnostics.Fail)
		id := save(t, s, want)
		if !diagnostics.IsRunID(id) {
			t.Errorf("its id is %q", id)
		}
		want.ID = id
		want.Report.Checks[0].Blind.Err = nil // may say anything, so it is not kept
		want.Report.Checks[0].Blind.Detail = "nobody \x00 answered \uFFFD"
		got, err := db.open().FindRun(t.Context(), id)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		infos, err := s.ListRuns(t.Context(), "worker", 10)
		if diff := cmp.Diff([]diagnostics.RunInfo{want.RunInfo}, infos); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestRunsAreFoundByTheirService(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		begin := db.now().Add(-time.Hour)
		var ids []string
		for i := range 4 {
			run := kept("worker", begin.Add(time.Duration(i)*time.Minute), diagnostics.Pass)
			run.Whole = i < 3
			ids = append(ids, save(t, s, run))
		}
		other := save(t, s, kept("orchestrator", begin, diagnostics.Warn))
		if !slices.IsSorted(ids) {
			t.Errorf("the ids do not sort by time: %q", ids)
		}
		if got := listed(t, s, "worker", 3); !slices.Equal(got, []string{ids[3], ids[2], ids[1]}) {
			t.Errorf("of worker it lists %q of %q", got, ids)
		}
		if got := listed(t, s, "orchestrator", 10); !slices.Equal(got, []string{other}) {
			t.Errorf("of orchestrator it lists %q", got)
		}
		for _, nobody := range []string{"nobody", "' OR 1=1 --", "a\x00b\xff"} {
			if _, err := s.FindRun(t.Context(), nobody); !errors.Is(err, diagnostics.ErrNoRun) {
				t.Errorf("nobody: %v", err)
			}
			if got := listed(t, s, nobody, 10); got != nil {
				t.Errorf("of nobody it lists %q", got)
			}
		}
	})
}

func TestRunsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open(func(o *store.Options) { o.KeepRuns, o.KeepFor = 3, 24*time.Hour })
		other := save(t, s, kept("orchestrator", db.now(), diagnostics.Pass))
		var ids []string
		for i := range 5 {
			ids = append(ids, save(t, s, kept("worker", db.now().Add(time.Duration(i)*time.Second), diagnostics.Pass)))
		}
		if got := listed(t, s, "worker", 10); !slices.Equal(got, []string{ids[4], ids[3], ids[2]}) {
			t.Errorf("it keeps %q of %q", got, ids)
		}
		if got := listed(t, s, "orchestrator", 10); !slices.Equal(got, []string{other}) {
			t.Errorf("of another service it keeps %q", got)
		}
		db.pass(25 * time.Hour)
		last := save(t, s, kept("worker", db.now(), diagnostics.Pass))
		if got := listed(t, s, "worker", 10); !slices.Equal(got, []string{last}) {
			t.Errorf("a day later it keeps %q", got)
		}
		if got := listed(t, s, "orchestrator", 10); got != nil {
			t.Errorf("of a service that nobody diagnoses any more it keeps %q", got)
		}
	})
}

func TestAReportThatIsTooLargeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		run := kept("worker", db.now(), diagnostics.Fail)
		run.Report.Checks[1].Evidence[0].Observed = strings.Repeat("x", diagnostics.MaxRun)
		if id, err := s.SaveRun(t.Context(), run); !errors.Is(err, diagnostics.ErrRunTooLarge) || id != "" {
			t.Errorf("it is kept as %q, %v", id, err)
		}
		if got := listed(t, s, "worker", 10); got != nil {
			t.Errorf("it keeps %q", got)
		}
	})
}

func TestRunsOfOneSecondHaveIDsOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		replicas := []*store.Store{db.open(), db.open()}
		at := db.now()
		var all sync.WaitGroup
		const of = 60
		for i := range of {
			all.Go(func() {
				service := fmt.Sprint("s", i%5)
				if _, err := replicas[i%2].SaveRun(t.Context(), kept(service, at, diagnostics.Pass)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		ids := map[string]bool{}
		for i := range 5 {
			for _, id := range listed(t, replicas[0], fmt.Sprint("s", i), of) {
				ids[id] = true
			}
		}
		if len(ids) != of {
			t.Errorf("%d of %d are kept", len(ids), of)
		}
	})
}

// TestADatabaseOfAnOlderBotGetsTheRuns is an upgrade: what was there stays.
func TestADatabaseOfAnOlderBotGetsTheRuns(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		insert(t, db.open(), request("r1", "vault:a"))
		raw := db.raw()
		for _, undo := range []string{"DROP TABLE runs", "DROP TABLE watches", "DROP TABLE suppressions", "DELETE FROM tandem_migrations WHERE version_id > 1"} {
			if _, err := raw.ExecContext(t.Context(), undo); err != nil {
				t.Fatal(err)
			}
		}
		s := db.open()
		save(t, s, kept("worker", db.now(), diagnostics.Pass))
		if r := find(t, s, "r1"); r.ID != "r1" {
			t.Errorf("the request is %+v", r)
		}
	})
}

func TestARunThatSomebodyChangedIsNotRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		id := save(t, s, kept("worker", db.now(), diagnostics.Pass))
		if _, err := db.raw().ExecContext(t.Context(), "UPDATE runs SET body = '{'"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.FindRun(t.Context(), id); err == nil || errors.Is(err, diagnostics.ErrNoRun) {
			t.Errorf("it is read: %v", err)
		}
	})
}
