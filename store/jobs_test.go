package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

// worker is a worker as a test wants it.
type worker struct {
	work  func(context.Context, approvals.Job) error
	sweep func(context.Context) error
}

func (w worker) Work(ctx context.Context, j approvals.Job) error { return w.work(ctx, j) }

func (w worker) Sweep(ctx context.Context) error {
	if w.sweep == nil {
		return nil
	}
	return w.sweep(ctx)
}

// run has a store work until the test ends, or until stop is called.
func run(t testing.TB, s *store.Store, w approvals.Worker) (stop func()) {
	return work(t, s, store.Work{Requests: w})
}

// work is run of all kinds of jobs.
func work(t testing.TB, s *store.Store, w store.Work) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, w) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// await waits for a condition.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// log is what jobs were done.
type log struct {
	mu   sync.Mutex
	done map[approvals.Job]int
}

func (l *log) add(j approvals.Job) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = map[approvals.Job]int{}
	}
	l.done[j]++
	return l.done[j]
}

func (l *log) count(kind approvals.JobKind, request string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done[approvals.Job{Kind: kind, Request: request}]
}

func TestJobsAreDone(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		var l log
		run(t, s, worker{work: func(_ context.Context, j approvals.Job) error {
			if l.add(j); j.Request == "bad" {
				return errors.New("always")
			}
			return nil
		}})
		commit(t, s, approvals.Change{Jobs: []approvals.Job{
			{Kind: approvals.JobShow, Request: "bad"},
			{Kind: approvals.JobShow, Request: "r1"},
			{Kind: approvals.JobExecute, Request: "r1"},
			{Kind: approvals.JobExpire, Request: "late", At: db.now().Add(time.Hour)},
			{Kind: "of a newer replica", Request: "r1"},
			{Kind: approvals.JobExpire, Request: "soon", At: db.now().Add(200 * time.Millisecond)},
		}})
		await(t, "the jobs", func() bool {
			return l.count(approvals.JobShow, "r1") == 1 && l.count(approvals.JobExecute, "r1") == 1 &&
				l.count("of a newer replica", "r1") == 1 && l.count(approvals.JobExpire, "soon") == 1 && l.count(approvals.JobShow, "bad") >= 2
		})
		if n := l.count(approvals.JobExpire, "late"); n > 0 {
			t.Error("a job of later is done now")
		}
	})
}

func TestAKindThatAlwaysFailsBlocksNoOther(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open(func(o *store.Options) { o.Retry = time.Millisecond })
		var l log
		run(t, s, worker{work: func(_ context.Context, j approvals.Job) error {
			switch l.add(j); {
			case j.Request == "panics":
				panic("always")
			case j.Kind == approvals.JobShow:
				return errors.New("always")
			}
			return nil
		}})
		jobs := []approvals.Job{{Kind: approvals.JobShow, Request: "panics"}}
		for i := range 30 { // more than are worked at once
			jobs = append(jobs, approvals.Job{Kind: approvals.JobShow, Request: fmt.Sprint("bad", i)})
		}
		commit(t, s, approvals.Change{Jobs: jobs})
		await(t, "failures", func() bool {
			return l.count(approvals.JobShow, "panics") > 1 && l.count(approvals.JobShow, "bad29") > 1
		})
		commit(t, s, approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobExecute, Request: "good"}}})
		await(t, "the good one", func() bool { return l.count(approvals.JobExecute, "good") == 1 })
	})
}

func TestJobsOutliveTheProcess(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		commit(t, db.open(), approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: "r1"}}})
		done := make(chan approvals.Job, 1)
		run(t, db.open(), worker{work: func(_ context.Context, j approvals.Job) error {
			done <- j
			return nil
		}})
		if j := <-done; j.Kind != approvals.JobShow || j.Request != "r1" {
			t.Errorf("got %+v", j)
		}
	})
}

func TestAConflictMakesNoJob(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		r := insert(t, s, request("r1", "vault:a"))
		r.Version = 7
		_, err := s.Commit(t.Context(), approvals.Change{
			Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}, Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: "never"}},
		})
		if !errors.Is(err, approvals.ErrConflict) {
			t.Fatal(err)
		}
		commit(t, s, approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: "after"}}})
		var l log
		run(t, s, worker{work: func(_ context.Context, j approvals.Job) error { l.add(j); return nil }})
		await(t, "the job after it", func() bool { return l.count(approvals.JobShow, "after") == 1 })
		if l.count(approvals.JobShow, "never") > 0 {
			t.Error("the job of a change that was not written is done")
		}
	})
}

func TestRunLetsJobsEndAndThenCancelsThem(t *testing.T) {
	for name, tc := range map[string]struct {
		grace  time.Duration
		cancel bool
	}{
		"in time":     {time.Minute, false},
		"not in time": {50 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *database) {
				s := db.open(func(o *store.Options) { o.Grace = tc.grace })
				started, goOn, how := make(chan struct{}), make(chan struct{}), make(chan bool, 1)
				stop := run(t, s, worker{work: func(ctx context.Context, _ approvals.Job) error {
					close(started)
					select {
					case <-ctx.Done():
						how <- true
						return ctx.Err()
					case <-goOn:
						how <- false
						return nil
					}
				}})
				commit(t, s, approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobExecute, Request: "r1"}}})
				<-started
				stopped := make(chan struct{})
				go func() { stop(); close(stopped) }()
				if !tc.cancel {
					close(goOn)
				}
				if cancelled := <-how; cancelled != tc.cancel {
					t.Errorf("cancelled: %t", cancelled)
				}
				<-stopped
			})
		})
	}
}
