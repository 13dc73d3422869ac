package slack

import (
	"context"
	"errors"
	"net"
	"time"
)

// usefulFor is how long Slack may be away and still be told what was found. The
// address for private answers works no longer than that either.
const usefulFor = 30 * time.Minute

// repeat says when a call is made again after trouble. After throttling it
// always is, and whenever Slack cannot have heard of it.
type repeat int

const (
	never   repeat = iota // nobody knows whether Slack did it
	oneMore               // it does no harm, but somebody waits for it
	insist                // it does no harm, and what people see is wrong without it
)

// retries is how a call goes on after trouble.
type retries struct {
	how       repeat
	throttled int
	failed    int
}

// after says whether to try again, and when. It gives up only what waiting does
// not mend; how long to wait in all is the context's matter.
func (r *retries) after(err error) (pause time.Duration, again bool) {
	if _, throttled := retryAfter(err); throttled { // the pause is known to all calls of the method
		r.throttled++
		return 0, r.throttled < maxTries
	}
	r.failed++
	switch {
	case !passing(err):
		return 0, false
	case r.how == insist, neverSent(err):
		return max(repeatPause, pauseAfter(r.failed)), true
	case r.how == oneMore && r.failed == 1:
		return repeatPause, true
	}
	return 0, false
}

// neverSent says whether a request failed before Slack could hear of it.
func neverSent(err error) bool {
	dialed, ok := errors.AsType[*net.OpError](err)
	return ok && dialed.Op == "dial"
}

// call makes a call as often as Slack throttles it, and once more after other
// trouble when it can be repeated without harm.
func (w *web) call(ctx context.Context, method string, repeatable bool, request func(context.Context) error) error {
	if repeatable {
		return w.patiently(ctx, method, oneMore, request)
	}
	return w.patiently(ctx, method, never, request)
}

// patiently makes a call until it is done, waiting does not help, or the
// context ends, or what it tells is of no use any more.
func (w *web) patiently(ctx context.Context, method string, how repeat, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, usefulFor)
	defer cancel()
	r := &retries{how: how}
	var err error
	for {
		if waitErr := w.wait(ctx, w.pause(method)); waitErr != nil {
			return errors.Join(err, waitErr)
		}
		if err = w.once(ctx, method, request); err == nil || ctx.Err() != nil {
			return err
		}
		pause, again := r.after(err)
		if !again {
			return err
		}
		if waitErr := w.wait(ctx, pause); waitErr != nil {
			return errors.Join(err, waitErr)
		}
	}
}
