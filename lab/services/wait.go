package services

import (
	"context"
	"time"
)

// wait returns after d, or earlier when one of the wake channels closes. It is false when ctx ended.
func wait(ctx context.Context, d time.Duration, wake ...<-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var first, second <-chan struct{}
	if len(wake) > 0 {
		first = wake[0]
	}
	if len(wake) > 1 {
		second = wake[1]
	}
	select {
	case <-timer.C:
	case <-first:
	case <-second:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// forever is longer than any process lives, for waits that only a change ends.
const forever = 365 * 24 * time.Hour
