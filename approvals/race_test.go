package approvals_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"tandem/approvals"
)

// crowd is so many people who may approve.
func crowd(n int) func(*world) {
	return func(w *world) {
		for i := range n {
			id := fmt.Sprintf("voter%d", i)
			w.accounts[id] = approvals.Account{Team: team, Email: id + "@example.com", Standing: approvals.Member}
			w.groups["approvers"] = append(w.groups["approvers"], id)
		}
		rule := w.opts.Policy.Risks[approvals.Medium]
		rule.Quorum = n
		w.opts.Policy.Risks[approvals.Medium] = rule
		risk(approvals.Medium)(w)
	}
}

func TestAHundredVotersAtOnceOnThreeReplicas(t *testing.T) {
	const voters = 100
	w := newWorld(t, crowd(voters))
	r := w.asked()
	replicas := []*approvals.Service{w.s, w.service("r2"), w.service("r3")}
	var all sync.WaitGroup
	for i := range 2 * voters { // each delivery comes twice
		all.Go(func() {
			if _, err := replicas[i%3].Vote(t.Context(), react(r, fmt.Sprintf("voter%d", i%voters), approvals.Approve)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := w.find(r.ID); got.State != approvals.Approved || len(got.Votes) != voters {
		t.Errorf("%s with %d votes", got.State, len(got.Votes))
	}
	if n := len(w.deeds(r.ID)); n != 1+voters {
		t.Errorf("%d audit entries", n)
	}
	w.ends(r.ID, approvals.Verified)
	if err := w.store.intact(); err != nil || w.mended != 1 {
		t.Errorf("mended %d times, %v", w.mended, err)
	}
}

func TestApproveAndDenyInTheSameInstant(t *testing.T) {
	for range 50 {
		w := newWorld(t)
		r := w.asked()
		other := w.service("r2")
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() { _, errs[0] = w.s.Vote(t.Context(), react(r, "bruno", approvals.Approve)) })
		both.Go(func() { _, errs[1] = other.Vote(t.Context(), react(r, "carla", approvals.Deny)) })
		both.Wait()
		got := w.find(r.ID)
		approved, denied := got.State == approvals.Approved, got.State == approvals.Denied
		if approved == denied || approved != (errs[0] == nil) || denied != (errs[1] == nil) {
			t.Fatalf("%s: %v", got.State, errs)
		}
		var refusal *approvals.Refusal
		if lost := errors.Join(errs...); !errors.As(lost, &refusal) || refusal.Why != approvals.WhyNotPending {
			t.Fatalf("the loser hears %v", lost)
		}
		if w.work(); (w.mended == 1) != approved {
			t.Fatalf("%s, and mended %d times", got.State, w.mended)
		}
	}
}

func TestJobsDoubledAndReorderedOnThreeReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.approved()
		replicas := []*approvals.Service{w.s, w.service("r2"), w.service("r3")}
		var jobs []approvals.Job
		for range 10 {
			for _, kind := range []approvals.JobKind{approvals.JobShow, approvals.JobExecute, approvals.JobExpire, "of a newer replica"} {
				jobs = append(jobs, approvals.Job{Kind: kind, Request: r.ID})
			}
		}
		rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		var all sync.WaitGroup
		for i, j := range jobs {
			all.Go(func() {
				if err := replicas[i%3].Work(t.Context(), j); err != nil {
					t.Errorf("%s: %v", j.Kind, err)
				}
				if err := replicas[i%3].Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.ends(r.ID, approvals.Verified)
		if err := w.store.intact(); err != nil || w.mended != 1 {
			t.Errorf("mended %d times, %v", w.mended, err)
		}
	})
}

func TestTheSameAskTwiceAtOnceIsOneRequest(t *testing.T) {
	w := newWorld(t)
	other := w.service("r2")
	ids := make([]string, 20)
	var all sync.WaitGroup
	for i := range ids {
		s := []*approvals.Service{w.s, other}[i%2]
		all.Go(func() {
			r, _, err := s.Ask(t.Context(), ask())
			if err != nil {
				t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("there are the requests %s and %s", ids[0], id)
		}
	}
}
