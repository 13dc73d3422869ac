package services

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fakeAgent issues JWT-SVIDs that live for a minute, unless it fails or hangs.
type fakeAgent struct {
	mu      sync.Mutex
	dials   int
	closed  int
	fetches int
	err     error
	hang    bool
}

func (f *fakeAgent) dial(context.Context) (workloadAPI, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	return f, nil
}

func (f *fakeAgent) FetchJWTSVID(ctx context.Context, params jwtsvid.Params) (*jwtsvid.SVID, error) {
	f.mu.Lock()
	hang, err := f.hang, f.err
	f.fetches++
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if err != nil {
		return nil, err
	}
	return &jwtsvid.SVID{Audience: []string{params.Audience}, Expiry: time.Now().Add(time.Minute)}, nil
}

func (f *fakeAgent) FetchX509SVID(context.Context) (*x509svid.SVID, error) {
	return nil, errors.New("not asked for")
}

func (f *fakeAgent) FetchJWTBundles(context.Context) (*jwtbundle.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return jwtbundle.NewSet(), f.err
}

func (f *fakeAgent) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

func (f *fakeAgent) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func inIdentity(t *testing.T, body func(t *testing.T, id *identity, agent *fakeAgent, log *recorder)) {
	synctest.Test(t, func(t *testing.T) {
		agent, log := &fakeAgent{}, &recorder{}
		id := newIdentity(Config{Name: Worker}.withDefaults(), newMetrics(Worker), log.logger())
		id.dial = agent.dial
		body(t, id, agent, log)
		id.close()
		if agent.dials != agent.closed {
			t.Errorf("%d connections opened, %d closed", agent.dials, agent.closed)
		}
	})
}

func TestIdentityKeepsASVIDForTwoThirdsOfItsLife(t *testing.T) {
	inIdentity(t, func(t *testing.T, id *identity, agent *fakeAgent, _ *recorder) {
		for range 60 {
			if _, err := id.jwt(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if agent.fetches != 2 {
			t.Errorf("%d fetches in one life, want 2", agent.fetches)
		}
		if _, err := id.jwt(t.Context(), "b"); err != nil || agent.fetches != 3 {
			t.Errorf("another audience: %d fetches, %v; want one of its own", agent.fetches, err)
		}
		if got := testutil.ToFloat64(id.metrics.svidTTL.WithLabelValues("jwt_svid")); got != 60 {
			t.Errorf("spiffe_svid_ttl_seconds = %v, want 60: it is set at the fetch and does not count down", got)
		}
	})
}

func TestIdentityLivesOnWhatItHoldsWhileTheAgentIsAway(t *testing.T) {
	inIdentity(t, func(t *testing.T, id *identity, agent *fakeAgent, log *recorder) {
		if _, err := id.jwt(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		agent.fail(status.Error(codes.Unavailable, "connection refused"))
		time.Sleep(50 * time.Second)
		if _, err := id.jwt(t.Context(), "a"); err != nil {
			t.Errorf("jwt = %v, want the one that is still valid", err)
		}
		if event := log.last(t, "spiffe_initialization_failed"); event["code"] != "Unavailable" {
			t.Errorf("spiffe_initialization_failed = %v", event)
		}
		time.Sleep(10 * time.Second)
		if _, err := id.jwt(t.Context(), "a"); status.Code(errors.Unwrap(err)) != codes.Unavailable {
			t.Errorf("jwt after expiry = %v, want the agent's error", err)
		}
		agent.fail(nil)
		if _, err := id.jwt(t.Context(), "a"); err != nil {
			t.Errorf("jwt with the agent back = %v", err)
		}
	})
}

func TestIdentityForgetsWhatAVerifierRefused(t *testing.T) {
	inIdentity(t, func(t *testing.T, id *identity, agent *fakeAgent, _ *recorder) {
		for range 2 {
			if _, err := id.jwt(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			id.forget("a")
		}
		if agent.fetches != 2 {
			t.Errorf("%d fetches, want one after each refusal", agent.fetches)
		}
	})
}

func TestIdentityDoesNotWaitForAnAgentThatHangs(t *testing.T) {
	inIdentity(t, func(t *testing.T, id *identity, agent *fakeAgent, log *recorder) {
		agent.hang = true
		began := time.Now()
		if _, err := id.jwt(t.Context(), "a"); err == nil {
			t.Error("a JWT-SVID from an agent that hangs")
		}
		if took := time.Since(began); took != id.timeout {
			t.Errorf("waited %v, want the deadline of %v", took, id.timeout)
		}
		if event := log.last(t, "spiffe_initialization_failed"); event["code"] != "DeadlineExceeded" {
			t.Errorf("spiffe_initialization_failed = %v", event)
		}
	})
}

func TestTrustBundleCountsOncePerProcess(t *testing.T) {
	inIdentity(t, func(t *testing.T, id *identity, agent *fakeAgent, log *recorder) {
		agent.fail(status.Error(codes.PermissionDenied, "no identity issued"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- id.run(ctx) }()
		time.Sleep(10 * time.Second)
		agent.fail(nil)
		time.Sleep(time.Hour)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := testutil.ToFloat64(id.metrics.bundleUpdates.WithLabelValues(statusSuccess)); got != 1 {
			t.Errorf("spiffe_trust_bundle_updates_total{success} = %v after an hour, want 1", got)
		}
		if got := testutil.ToFloat64(id.metrics.bundleUpdates.WithLabelValues(statusError)); got < 5 {
			t.Errorf("spiffe_trust_bundle_updates_total{error} = %v, want one a second while it failed", got)
		}
		if n := len(log.events(t, "spiffe_initialized")); n != 1 {
			t.Errorf("initialised %d times", n)
		}
	})
}
