package slack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	groupFor     = time.Minute      // the members of a group are asked again after this
	groupRetry   = 10 * time.Second // and after this when Slack did not say
	groupTimeout = 5 * time.Second
)

// groups knows who is in the user groups that the configuration names, which
// bounds it. It is safe for use by several goroutines.
type groups struct {
	web    *web
	now    func() time.Time
	asking singleflight.Group

	mu    sync.Mutex
	byID  map[string]membership
	quiet membership // Slack does not answer in time: for a while nobody waits for it
}

type membership struct {
	members []string
	err     error
	until   time.Time
}

func newGroups(web *web, now func() time.Time) *groups {
	return &groups{web: web, now: now, byID: map[string]membership{}}
}

// has says whether a person is in a group, as Slack said within the last
// minute.
func (g *groups) has(ctx context.Context, group, user string) (bool, error) {
	g.mu.Lock()
	known, quiet := g.byID[group], g.quiet
	g.mu.Unlock()
	switch now := g.now(); {
	case now.Before(known.until):
	case now.Before(quiet.until):
		known = quiet
	default:
		known = g.ask(ctx, group)
	}
	return slices.Contains(known.members, user), known.err
}

// ask asks Slack; several who want to know wait for one answer.
func (g *groups) ask(ctx context.Context, group string) membership {
	asked, _, _ := g.asking.Do(group, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTimeout)
		defer cancel()
		members, err := g.web.members(ctx, group)
		known := membership{members: members, err: err, until: g.now().Add(groupFor)}
		if err != nil {
			known = membership{err: err, until: g.now().Add(groupRetry)}
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.byID[group] = known
		if errors.Is(err, context.DeadlineExceeded) {
			g.quiet = known // many groups would be many times the wait
		}
		return known, nil
	})
	return asked.(membership)
}
