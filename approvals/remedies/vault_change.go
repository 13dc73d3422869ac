package remedies

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

// A change whose call got no answer can still be under way: it is looked for so
// often, with a pause between.
const (
	looksAgain = 4
	lookPause  = 500 * time.Millisecond
)

// trouble is an error in our own words: what is done, what is not, and the next
// step. People read it. err is what it comes of, which nobody reads.
func trouble(err error, format string, args ...any) error {
	return &approvals.Trouble{Text: fmt.Sprintf(format, args...), Err: err}
}

// change is one call that changes something, with the means to tell what became
// of it when no answer comes.
type change struct {
	call approvals.Call
	do   func(context.Context) (result string, err error)
	// done looks, with the standing identity, whether the change is there.
	done func(context.Context) (bool, error)
}

// make makes the call known, makes it, and tells the truth about it.
func (c change) make(ctx context.Context, act approvals.Act, identity string) error {
	return act.Call(ctx, c.call.What, identity, func(ctx context.Context) (string, error) {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		result, err := c.do(limited)
		if err == nil {
			return result, nil
		}
		if refusedBy(err) {
			return "", trouble(err, "nothing was changed by %s: %s", c.call.What, reason(err))
		}
		return c.lookAgain(context.WithoutCancel(ctx), err)
	})
}

// refusedBy says whether Vault itself declined, so that nothing was changed. What
// stands before it answers 503 also when it lost Vault's answer.
func refusedBy(err error) bool {
	var answer *api.ResponseError
	if !errors.As(err, &answer) || answer.RawError || len(answer.Errors) == 0 {
		return false
	}
	return answer.StatusCode < 500 || answer.StatusCode == http.StatusServiceUnavailable
}

// lookAgain finds out what became of a call that got no answer.
func (c change) lookAgain(ctx context.Context, why error) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout+looksAgain*lookPause)
	defer cancel()
	var (
		done bool
		err  error
	)
	for look := 0; look < looksAgain && !done && pause(ctx, look > 0) == nil; look++ {
		done, err = c.done(ctx)
	}
	switch {
	case done:
		return "done, as a look shows; the call itself got no answer", nil
	case err != nil:
		return "", trouble(why, "nobody knows whether it was done: %s: %s; and looking failed: %s: look by hand before anything else",
			c.call.What, reason(why), reason(err))
	default:
		return "", trouble(why, "not done, as a look shows: %s: %s", c.call.What, reason(why))
	}
}

// pause waits a moment, if there is one to wait.
func pause(ctx context.Context, wait bool) error {
	if !wait {
		return ctx.Err()
	}
	return wake(ctx, lookPause)
}

// wake sleeps for a while, or until ctx ends.
func wake(ctx context.Context, after time.Duration) error {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strange is the trouble with a plan that this version would not have made, or
// that the configuration has overtaken.
func strange(p approvals.Plan) error {
	return trouble(nil, "nothing was changed: the configuration is no longer what the plan for %s was made from: ask again", p.Target)
}
