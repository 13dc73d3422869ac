package slack

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/approvals"
	"tandem/commands"
)

// directoryTimeout bounds what a vote waits for Slack to say who votes.
const directoryTimeout = 10 * time.Second

// directory tells about accounts as Slack has them at the moment of the
// question. It implements approvals.Directory.
type directory struct {
	web      *web
	me       identity
	accounts latest[*slackgo.User]
	members  latest[[]string]
}

// Account implements approvals.Directory.
func (d *directory) Account(ctx context.Context, id string) (approvals.Account, error) {
	user, err := d.accounts.ask(ctx, id, func(ctx context.Context) (*slackgo.User, error) { return d.web.user(ctx, id) })
	switch code := errorCode(err); {
	case code == "user_not_found", code == "user_not_visible", code == "users_not_found":
		return approvals.Account{ID: id, Team: d.me.team, Standing: string(commands.Unrecognised)}, nil
	case err != nil:
		return approvals.Account{}, fmt.Errorf("ask Slack who an account is: %w", err)
	}
	who := personOf(user, d.me)
	account := approvals.Account{ID: user.ID, Team: user.TeamID, Name: who.Name, Email: user.Profile.Email, Standing: string(who.Standing)}
	if d.me.owns(user.TeamID, user.Enterprise.EnterpriseID) {
		account.Team = d.me.team // accounts of one organisation may have another workspace as their first
	}
	if who.Standing == commands.Member {
		account.Standing = approvals.Member
	}
	return account, nil
}

// Member implements approvals.Directory.
func (d *directory) Member(ctx context.Context, group, id string) (bool, error) {
	members, err := d.members.ask(ctx, group, func(ctx context.Context) ([]string, error) { return d.web.members(ctx, group) })
	if err != nil {
		return false, fmt.Errorf("ask Slack who is in group %s: %w", group, err)
	}
	return slices.Contains(members, id), nil
}

// latest asks a question once for all who want to know at the same time. Nobody
// gets an answer to a question that was put before they asked: whoever comes
// while one is under way waits for the next. It is safe for use by several
// goroutines.
type latest[T any] struct {
	mu   sync.Mutex
	next map[string]*round[T]
	busy map[string]chan struct{} // closed when the question under way is answered
}

// round is one question and its answer.
type round[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func (l *latest[T]) ask(ctx context.Context, key string, put func(context.Context) (T, error)) (T, error) {
	r, busy, mine := l.join(key)
	if mine {
		l.answer(context.WithoutCancel(ctx), key, r, busy, put) // others wait for it too
	}
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// join takes part in the next round, and says whether it is the caller's to have
// it answered, and what to wait for before.
func (l *latest[T]) join(key string) (r *round[T], busy chan struct{}, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next, l.busy = map[string]*round[T]{}, map[string]chan struct{}{}
	}
	if r = l.next[key]; r != nil {
		return r, nil, false
	}
	r = &round[T]{done: make(chan struct{})}
	l.next[key] = r
	return r, l.busy[key], true
}

// answer puts the question when the one before is answered.
func (l *latest[T]) answer(ctx context.Context, key string, r *round[T], busy chan struct{}, put func(context.Context) (T, error)) {
	if busy != nil {
		<-busy
	}
	l.mu.Lock()
	delete(l.next, key) // who comes from now on waits for another one
	l.busy[key] = r.done
	l.mu.Unlock()
	defer l.leave(key, r)
	ctx, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	r.value, r.err = put(ctx)
}

func (l *latest[T]) leave(key string, r *round[T]) {
	close(r.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[key] == r.done {
		delete(l.busy, key)
	}
}
