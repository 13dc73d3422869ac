package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

// three replicas on one database, not working yet.
func (w *workspace) three(db *database) (stores [3]*store.Store, services [3]*approvals.Service) {
	for i := range stores {
		stores[i], services[i] = w.replica(db, fmt.Sprintf("r%d", i))
	}
	return stores, services
}

func ended(t testing.TB, s *store.Store, id string) approvals.Request {
	t.Helper()
	await(t, "the end of "+id, func() bool { return find(t, s, id).State.Ended() })
	return find(t, s, id)
}

func TestAHundredVotersAtOnceOnThreeReplicas(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const voters = 100
		w := newWorkspace(t, voters)
		stores, services := w.three(db)
		r := w.asked(t, services[0], once, "a")
		var all sync.WaitGroup
		for i := range 2 * voters { // each delivery comes twice
			all.Go(func() {
				if _, err := services[i%3].Vote(t.Context(), click(r, fmt.Sprintf("voter%d", i%voters), approvals.Approve)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := find(t, stores[1], r.ID); got.State != approvals.Approved || len(got.Votes) != voters {
			t.Errorf("%s with %d votes", got.State, len(got.Votes))
		}
		if n := len(trail(t, stores[2], approvals.TrailFilter{Request: r.ID})); n != 1+voters {
			t.Errorf("%d audit entries", n)
		}
		if b := verify(t, stores[0]); b != nil {
			t.Errorf("the audit is broken: %+v", b)
		}
	})
}

func TestApproveAndDenyInTheSameInstant(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		w := newWorkspace(t, 1)
		stores, services := w.three(db)
		for i := range 10 {
			r := w.asked(t, services[0], once, fmt.Sprint("target", i))
			var errs [2]error
			var both sync.WaitGroup
			both.Go(func() { _, errs[0] = services[1].Vote(t.Context(), click(r, "bruno", approvals.Approve)) })
			both.Go(func() { _, errs[1] = services[2].Vote(t.Context(), click(r, "carla", approvals.Deny)) })
			both.Wait()
			got := find(t, stores[0], r.ID)
			approved, denied := got.State == approvals.Approved, got.State == approvals.Denied
			if approved == denied || approved != (errs[0] == nil) || denied != (errs[1] == nil) {
				t.Errorf("%s: %v", got.State, errs)
			}
			var refusal *approvals.Refusal
			if lost := errors.Join(errs[:]...); !errors.As(lost, &refusal) || refusal.Why != approvals.WhyNotPending {
				t.Errorf("the loser hears %v", lost)
			}
		}
		if b := verify(t, stores[0]); b != nil {
			t.Errorf("the audit is broken: %+v", b)
		}
	})
}

func TestThreeReplicasCarryOutOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		w := newWorkspace(t, 1)
		stores, services := w.three(db)
		for i, s := range stores {
			run(t, s, services[i])
		}
		targets := map[string]string{}
		for i := range 5 {
			targets[fmt.Sprint("target", i)] = once
		}
		var all sync.WaitGroup
		for target := range targets {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := w.bring(ctx, services[rand.IntN(3)], once, target); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() { w.flood(t, stores[rand.IntN(3)], target) })
		}
		all.Wait()
		if err := w.honest(t.Context(), stores[0], targets); err != nil {
			t.Error(err)
		}
		for target := range targets {
			if n := w.made(target, "second"); n != 1 {
				t.Errorf("%s was carried out %d times", target, n)
			}
		}
	})
}

// flood doubles and reorders the jobs of a target.
func (w *workspace) flood(t *testing.T, s *store.Store, target string) {
	for begin := time.Now(); ; {
		latest, err := s.Requests(t.Context(), approvals.Filter{Target: target, Limit: 1})
		if err != nil {
			t.Error(err)
			return
		}
		if time.Since(begin) > time.Minute || len(latest) > 0 && latest[0].State.Ended() {
			return
		}
		if len(latest) > 0 {
			var jobs []approvals.Job
			for _, kind := range []approvals.JobKind{approvals.JobShow, approvals.JobExecute, approvals.JobExpire, approvals.JobExecute} {
				jobs = append(jobs, approvals.Job{Kind: kind, Request: latest[0].ID})
			}
			rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
			commit(t, s, approvals.Change{Jobs: jobs})
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestOneReplicaSweepsAndAnotherAfterIt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var mu sync.Mutex
		swept := map[int]int{}
		var stops []func()
		count := func(i int) int {
			mu.Lock()
			defer mu.Unlock()
			return swept[i]
		}
		for i := range 3 {
			stops = append(stops, run(t, db.open(), worker{sweep: func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				swept[i]++
				if swept[i] == 2 {
					panic("in the middle")
				}
				return nil
			}}))
		}
		leader := -1
		await(t, "sweeps", func() bool {
			for i := range 3 {
				if count(i) >= 3 {
					leader = i
				}
			}
			return leader >= 0
		})
		for i := range 3 {
			if i != leader && count(i) > 0 {
				t.Errorf("replica %d sweeps beside replica %d", i, leader)
			}
		}
		stops[leader]()
		await(t, "another replica's sweep", func() bool { return count((leader+1)%3)+count((leader+2)%3) > 0 })
	})
}
