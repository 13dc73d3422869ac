package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/approvals/store"
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
