package spiffe

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
)

// agent is what the agent has from the server as of its last sync, and the SVIDs that it keeps. A server out of reach
// leaves it with what it has. It is safe for concurrent use.
type agent struct {
	issuer *issuer
	log    *slog.Logger

	syncing sync.Mutex // one sync at a time

	mu      sync.Mutex
	entries []*types.Entry
	bundle  *bundle
	jwts    map[string]jwtSVID
	x509s   map[string]x509SVID // by entry
	changed chan struct{}       // closed at the next change
	failing bool
}

// view is what the agent holds for one workload.
type view struct {
	entries []*types.Entry
	x509s   []x509SVID // as many as entries
	bundle  *bundle
	changed <-chan struct{}
}

func newAgent(i *issuer, log *slog.Logger) *agent {
	return &agent{
		issuer: i, log: log, bundle: i.authority.bundle(),
		jwts: map[string]jwtSVID{}, x509s: map[string]x509SVID{}, changed: make(chan struct{}),
	}
}

// sync brings entries, bundle and X509-SVIDs up to date, and wakes those that watch.
func (a *agent) sync() {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	err := a.issuer.reachable()
	if err == nil {
		err = a.issuer.node.attest()
	}
	a.note(err)
	if err != nil {
		return
	}
	entries := a.issuer.entries.authorized(a.issuer.node.id, a.issuer.node.selectors)
	latest := a.issuer.authority.bundle()
	x509s := a.renewX509s(entries, latest)

	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries, a.x509s = entries, x509s
	if !a.issuer.faults.get().AgentBundleFrozen {
		a.bundle = latest
	}
	for key, svid := range a.jwts {
		if latest.tainted(svid.kid) {
			delete(a.jwts, key)
		}
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// note logs the first failure of a row and the recovery, not each tick.
func (a *agent) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil && !a.failing:
		a.log.Warn("synchronize failed", "error", err)
	case err == nil && a.failing:
		a.log.Info("synchronized again")
	}
	a.failing = err != nil
}

// renewX509s keeps what is fresh and issues the rest.
func (a *agent) renewX509s(entries []*types.Entry, latest *bundle) map[string]x509SVID {
	a.mu.Lock()
	have := a.x509s
	a.mu.Unlock()
	out := make(map[string]x509SVID, len(entries))
	for _, e := range entries {
		svid, ok := have[e.Id]
		if !ok || a.stale(svid, e, latest) {
			fresh, err := a.issuer.newX509(e)
			if err != nil {
				a.log.Error("issue X509-SVID", "spiffe_id", idString(e.SpiffeId), "error", err)
				continue
			}
			svid = fresh
		}
		out[e.Id] = svid
	}
	return out
}

// stale is at half the life, when the entry has changed, and when the issuer is tainted.
func (a *agent) stale(svid x509SVID, e *types.Entry, latest *bundle) bool {
	life := svid.cert.NotAfter.Sub(svid.cert.NotBefore)
	half := svid.cert.NotBefore.Add(life / 2)
	return svid.revision != e.RevisionNumber || !a.issuer.now().Before(half) || latest.tainted(svid.issuer)
}

// matching are the entries for a workload with these selectors, at most one a hint: the oldest, as SPIRE does.
func (a *agent) matching(selectors []*types.Selector) view {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := view{bundle: a.bundle, changed: a.changed}
	hints := map[string]bool{}
	for _, e := range a.entries {
		svid, ok := a.x509s[e.Id]
		if !ok || !subset(e.Selectors, selectors) || hints[e.Hint] {
			continue
		}
		hints[e.Hint] = e.Hint != ""
		v.entries = append(v.entries, e)
		v.x509s = append(v.x509s, svid)
	}
	return v
}

func (a *agent) currentBundle() *bundle {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bundle
}

// jwt is the token for an entry and audience: a kept one until half its life, then a new one, and the kept one again
// while the server gives none and it has not ended.
func (a *agent) jwt(ctx context.Context, e *types.Entry, audience []string) (string, error) {
	key := jwtKey(e, audience)
	now := a.issuer.now()
	kept, ok := a.keptJWT(key)
	if ok && now.Before(kept.expiresAt.Add(-kept.expiresAt.Sub(kept.issuedAt)/2)) {
		return kept.token, nil
	}
	fresh, err := a.issuer.newJWT(ctx, e.Id, audience)
	if err == nil {
		a.keepJWT(key, fresh)
		return fresh.token, nil
	}
	err = fmt.Errorf("failed to fetch JWT SVID: %w", err)
	switch {
	case !ok:
		return "", err
	case now.After(kept.expiresAt):
		return "", fmt.Errorf("unable to renew JWT for %q (err=%w)", idString(e.SpiffeId), err)
	}
	a.log.Warn("unable to renew JWT; returning cached copy", "spiffe_id", idString(e.SpiffeId), "error", err)
	return kept.token, nil
}

// jwtKey does not depend on the order of the audience.
func jwtKey(e *types.Entry, audience []string) string {
	return idString(e.SpiffeId) + "\n" + strings.Join(slices.Sorted(slices.Values(audience)), "\n")
}

func (a *agent) keptJWT(key string) (jwtSVID, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	svid, ok := a.jwts[key]
	return svid, ok
}

// keepJWT also drops what ended long ago, so that odd audiences do not pile up.
func (a *agent) keepJWT(key string, svid jwtSVID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, old := range a.jwts {
		if a.issuer.now().Sub(old.expiresAt) > time.Hour {
			delete(a.jwts, k)
		}
	}
	a.jwts[key] = svid
}

// forgetJWTs makes the next request for each a new token.
func (a *agent) forgetJWTs() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.jwts)
}
