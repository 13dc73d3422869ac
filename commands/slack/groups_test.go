package slack

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestManyGroupsAreOneWait holds that a Slack that does not answer is waited for
// once, however many groups the rules name, and asked again later.
func TestManyGroupsAreOneWait(t *testing.T) {
	asked := 0
	silent := &web{
		now: func() time.Time { return noon },
		wait: func(context.Context, time.Duration) error {
			asked++
			return context.DeadlineExceeded
		},
	}
	now := noon
	g := newGroups(silent, func() time.Time { return now })
	for _, group := range []string{sre, security, "S0OTHERS01", sre} {
		if in, err := g.has(t.Context(), group, ana); in || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", group, in, err)
		}
	}
	if asked != 1 {
		t.Errorf("Slack was asked %d times", asked)
	}
	now = now.Add(groupRetry)
	if _, err := g.has(t.Context(), security, ana); err == nil || asked != 2 {
		t.Errorf("later: %v, asked %d times", err, asked)
	}
}
