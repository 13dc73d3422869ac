package services

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

// trustBundle is the verifier's set of keys, watched over the Workload API. Frozen, it stays what it was at the moment of
// freezing, as in a verifier that loads its bundle once. It is a jwtbundle.Source.
type trustBundle struct {
	socket    string
	retry     time.Duration
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger

	mu     sync.Mutex
	live   *jwtbundle.Set
	frozen *jwtbundle.Set
}

// run watches until ctx ends.
func (b *trustBundle) run(ctx context.Context) error {
	for ctx.Err() == nil {
		b.watch(ctx)
		wait(ctx, b.retry)
	}
	return nil
}

// watch returns when the stream cannot go on: go-spiffe gives up on some errors for good.
func (b *trustBundle) watch(ctx context.Context) {
	client, err := workloadapi.New(ctx, workloadapi.WithAddr("unix://"+b.socket),
		workloadapi.WithBackoffStrategy(steady(b.retry)))
	if err == nil {
		defer func() { _ = client.Close() }()
		err = client.WatchJWTBundles(ctx, b)
	}
	if err != nil && ctx.Err() == nil {
		b.OnJWTBundlesWatchError(err)
	}
}

// OnJWTBundlesUpdate takes a new set. Only the first counts as an update, as in the public system.
func (b *trustBundle) OnJWTBundlesUpdate(set *jwtbundle.Set) {
	// On a busy machine a new set may overtake follow, which was to freeze the old one.
	behaviour, _ := b.behaviour.get()
	b.freeze(behaviour.VerifierBundle == behaveFrozen)
	b.mu.Lock()
	first := b.live == nil
	b.live = set
	b.mu.Unlock()
	if first {
		b.metrics.bundleUpdates.WithLabelValues(statusSuccess).Inc()
		b.log.Info("trust_bundle_loaded", "kids", kids(set))
		return
	}
	b.log.Debug("trust_bundle_changed", "kids", kids(set))
}

// OnJWTBundlesWatchError tells that the watch had to begin anew.
func (b *trustBundle) OnJWTBundlesWatchError(err error) {
	b.metrics.bundleUpdates.WithLabelValues(statusError).Inc()
	b.log.Error("spiffe_initialization_failed", "requested", "trust_bundle", "code", status.Code(err).String(), "error", clean(err.Error()))
}

// follow freezes and thaws as the behaviour says, until ctx ends. Freezing is tied to the moment of the change, not to
// the next call.
func (b *trustBundle) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		behaviour, changed := b.behaviour.get()
		b.freeze(behaviour.VerifierBundle == behaveFrozen)
		wait(ctx, forever, changed)
	}
	return nil
}

func (b *trustBundle) freeze(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !on:
		b.frozen = nil
	case b.frozen == nil:
		b.frozen = b.live
	}
}

// current is the set to verify with, and nil before the first was loaded.
func (b *trustBundle) current() *jwtbundle.Set {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen != nil {
		return b.frozen
	}
	return b.live
}

// GetJWTBundleForTrustDomain makes the bundle a jwtbundle.Source.
func (b *trustBundle) GetJWTBundleForTrustDomain(td spiffeid.TrustDomain) (*jwtbundle.Bundle, error) {
	set := b.current()
	if set == nil {
		return nil, errNoBundle
	}
	return set.GetJWTBundleForTrustDomain(td)
}

func kids(set *jwtbundle.Set) []string {
	var out []string
	for _, bundle := range set.Bundles() {
		for kid := range bundle.JWTAuthorities() {
			out = append(out, kid)
		}
	}
	return out
}

// steady is a backoff that does not grow: in the lab an agent comes back within seconds, and so must its clients.
type steady time.Duration

// NewBackoff makes steady a strategy.
func (s steady) NewBackoff() workloadapi.Backoff { return s }

// Next is always the same.
func (s steady) Next() time.Duration { return time.Duration(s) }

// Reset has nothing to forget.
func (s steady) Reset() {}
