package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestRememberAsksOnceInADiagnosis(t *testing.T) {
	ctx := withMemo(t.Context())
	var asked atomic.Int64
	ask := func() (string, error) { return fmt.Sprint("answer ", asked.Add(1)), nil }
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got, err := Remember(ctx, "up", ask); got != "answer 1" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	all.Wait()
	if got, _ := Remember(ctx, "down", ask); got != "answer 2" {
		t.Errorf("another question got %q", got)
	}
	if got, _ := Remember(withMemo(t.Context()), "up", ask); got != "answer 3" {
		t.Errorf("another diagnosis got %q", got)
	}
	if got, _ := Remember(t.Context(), "up", ask); got != "answer 4" {
		t.Errorf("no diagnosis got %q", got)
	}
}

func TestRememberKeepsErrorsAndPanics(t *testing.T) {
	ctx := withMemo(t.Context())
	broken := errors.New("no")
	for _, own := range []error{broken, nil} {
		if _, err := Remember(ctx, "q", func() (int, error) { return 0, own }); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_, _ = Remember(ctx, "p", func() (int, error) { panic("x") })
	}()
	if _, err := Remember(ctx, "p", func() (int, error) { return 1, nil }); !errors.Is(err, errNoAnswer) {
		t.Errorf("after a panic: %v", err)
	}
}

func TestRememberEndsWithWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := withMemo(t.Context())
		held := make(chan struct{})
		go func() { _, _ = Remember(ctx, "q", func() (int, error) { <-held; return 1, nil }) }()
		synctest.Wait()
		short, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := Remember(short, "q", func() (int, error) { return 2, nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(held)
		if got, err := Remember(ctx, "q", func() (int, error) { return 2, nil }); got != 1 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
	})
}
