package diagnostics

import (
	"context"
	"sync"
)

// memo holds what was asked inside one diagnosis below the probes.
type memo struct {
	mu      sync.Mutex
	answers map[string]*memoAnswer
}

type memoAnswer struct {
	done   chan struct{} // closed when the rest may be read
	answer any
	err    error
}

type memoKey struct{}

// withMemo begins a diagnosis for Remember.
func withMemo(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoKey{}, &memo{answers: map[string]*memoAnswer{}})
}

// Remember asks a question once in a diagnosis, however many probes need its
// answer, which none of them may change; an error is an answer too. Outside a
// diagnosis it asks each time. It ends before ctx does.
func Remember[T any](ctx context.Context, question string, ask func() (T, error)) (T, error) {
	m, ok := ctx.Value(memoKey{}).(*memo)
	if !ok {
		return ask()
	}
	m.mu.Lock()
	a, asked := m.answers[question]
	if !asked {
		a = &memoAnswer{done: make(chan struct{}), err: errNoAnswer}
		m.answers[question] = a
	}
	m.mu.Unlock()
	if !asked {
		defer close(a.done) // also when it panics: then the others are blind
		answer, err := ask()
		a.answer, a.err = answer, err
		return answer, err
	}
	select {
	case <-a.done:
		answer, _ := a.answer.(T)
		return answer, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// errNoAnswer stands until there is an answer.
var errNoAnswer = &BlindError{Reason: ReasonPanic, Detail: "another probe broke while it asked the same"}
