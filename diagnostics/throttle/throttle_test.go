package throttle

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tandem/diagnostics"
)

// system counts what it is asked.
type system struct {
	mu    sync.Mutex
	times []time.Time
}

func (s *system) RoundTrip(*http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Now())
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// ask asks so many questions at once, as a diagnosis does, each with a deadline.
func ask(ctx context.Context, over http.RoundTripper, questions int, deadline time.Duration) (refused []error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	errs := make(chan error, questions)
	for range questions {
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/", nil)
			if err == nil {
				var answer *http.Response
				if answer, err = over.RoundTrip(req); err == nil {
					err = answer.Body.Close()
				}
			}
			errs <- err
		}()
	}
	for range questions {
		if err := <-errs; err != nil {
			refused = append(refused, err)
		}
	}
	return refused
}

func TestOneDiagnosisNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &system{}
		start := time.Now()
		if refused := ask(t.Context(), New("x", 1, 2).Over(s), RoomOfOne, time.Second); refused != nil {
			t.Error(refused)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it waited for %s", took)
		}
	})
}

// TestNoQuestionOfAWatchIsGivenUp has far more runs than the bound carries: they
// wait before they begin, and no question waits longer than its deadline.
func TestNoQuestionOfAWatchIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, parallel, runs, questions = 20, 3, 12, 80
		s := &system{}
		bound := New("x", perSecond, parallel)
		room := &Room{Systems: []*Throttle{bound}}
		over := bound.Over(s)
		turns := make(chan int)
		var wg sync.WaitGroup
		start := time.Now()
		for range parallel {
			wg.Go(func() {
				for range turns {
					leave, err := room.Enter(t.Context())
					if err != nil {
						t.Error(err)
						continue
					}
					if refused := ask(t.Context(), over, questions, 5*time.Second); refused != nil {
						t.Errorf("%d questions were given up: %v", len(refused), refused[0])
					}
					leave()
				}
			})
		}
		for i := range runs {
			turns <- i
		}
		close(turns)
		wg.Wait()
		took := time.Since(start).Seconds()
		if most := perSecond*took + RoomOfOne*(parallel+1); float64(len(s.times)) > most {
			t.Errorf("%d requests in %.1f s: the bound is %.0f", len(s.times), took, most)
		}
		if len(s.times) != runs*questions {
			t.Errorf("%d of %d questions were asked", len(s.times), runs*questions)
		}
	})
}

func TestAPersonFindsRoomBesideTheWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &system{}
		bound := New("x", 10, 2)
		room := &Room{Systems: []*Throttle{bound}}
		for range 2 {
			if _, err := room.Enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			ask(t.Context(), bound.Over(s), RoomOfOne, time.Second)
		}
		start := time.Now()
		if refused := ask(t.Context(), bound.Over(s), RoomOfOne, time.Second); refused != nil || time.Since(start) > 0 {
			t.Errorf("a person waits for %s, and is refused %d", time.Since(start), len(refused))
		}
	})
}

func TestItSaysThatTheBotItselfHadNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bound := New("vault.requests_per_second", 1, 0)
		over := bound.Over(&system{})
		ask(t.Context(), over, RoomOfOne, time.Second)
		refused := ask(t.Context(), over, 1, 100*time.Millisecond)
		if len(refused) != 1 {
			t.Fatal("it was asked all the same")
		}
		blind, ok := errors.AsType[*diagnostics.BlindError](refused[0])
		if !ok || blind.Reason != diagnostics.ReasonThrottled || blind.Next.EN == "" || blind.Next.PT == "" {
			t.Errorf("it says %v", refused[0])
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if refused := ask(ctx, over, 1, time.Minute); len(refused) != 1 || !errors.Is(refused[0], context.Canceled) {
			t.Errorf("cancelled: %v", refused)
		}
	})
}

func TestARunWithoutRoomIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bound := New("x", 0.1, 1)
		ask(t.Context(), bound.Over(&system{}), 2*RoomOfOne, time.Second)
		room := &Room{Systems: []*Throttle{bound}}
		if _, err := room.Enter(t.Context()); !errors.Is(err, ErrNoRoom) {
			t.Errorf("%v", err)
		}
	})
}

func TestNoBound(t *testing.T) {
	s := &system{}
	if (*Throttle)(nil).Over(s) != http.RoundTripper(s) {
		t.Error("a system without a bound is behind one")
	}
	if _, err := (&Room{}).Enter(t.Context()); err != nil {
		t.Error(err)
	}
}
