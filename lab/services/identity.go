package services

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

// workloadAPI is what an identity needs from the agent. Every call is made with a deadline.
type workloadAPI interface {
	FetchJWTSVID(ctx context.Context, params jwtsvid.Params) (*jwtsvid.SVID, error)
	FetchX509SVID(ctx context.Context) (*x509svid.SVID, error)
	FetchJWTBundles(ctx context.Context) (*jwtbundle.Set, error)
	Close() error
}

// identity is who the service is. It keeps each JWT-SVID until two thirds of its life are over.
type identity struct {
	dial    func(ctx context.Context) (workloadAPI, error)
	metrics *metrics
	log     *slog.Logger
	timeout time.Duration
	retry   time.Duration
	now     func() time.Time

	mu     sync.Mutex
	client workloadAPI
	cached map[string]heldSVID // by audience
}

type heldSVID struct {
	svid    *jwtsvid.SVID
	refresh time.Time
}

func newIdentity(cfg Config, m *metrics, log *slog.Logger) *identity {
	return &identity{
		dial: func(ctx context.Context) (workloadAPI, error) {
			return workloadapi.New(ctx, workloadapi.WithAddr("unix://"+cfg.WorkloadSocket))
		},
		metrics: m,
		log:     log,
		timeout: cfg.callTimeout(),
		retry:   cfg.tick(),
		now:     time.Now,
		cached:  map[string]heldSVID{},
	}
}

// run loads the trust bundle once and keeps an X.509-SVID until ctx ends.
func (i *identity) run(ctx context.Context) error {
	for !i.loadBundle(ctx) {
		if !wait(ctx, i.retry) {
			return nil
		}
	}
	return i.keepX509(ctx)
}

// keepX509 fetches an X.509-SVID at every half of its life until ctx ends.
func (i *identity) keepX509(ctx context.Context) error {
	for {
		next := i.retry
		if life, ok := i.refreshX509(ctx); ok {
			next = max(life/2, i.retry)
		}
		if !wait(ctx, next) {
			return nil
		}
	}
}

// loadBundle counts as one update: the public system loads its bundle once in a process's life, so that a flat
// counter is no sign of a stale bundle.
func (i *identity) loadBundle(ctx context.Context) bool {
	err := i.call(ctx, func(ctx context.Context, client workloadAPI) error {
		_, err := client.FetchJWTBundles(ctx)
		return err
	})
	i.metrics.bundleUpdates.WithLabelValues(statusOf(err)).Inc()
	if err != nil {
		i.failed(ctx, "trust_bundle", err)
		return false
	}
	i.log.InfoContext(ctx, "spiffe_initialized")
	return true
}

func (i *identity) refreshX509(ctx context.Context) (time.Duration, bool) {
	var svid *x509svid.SVID
	err := i.call(ctx, func(ctx context.Context, client workloadAPI) (err error) {
		svid, err = client.FetchX509SVID(ctx)
		return err
	})
	i.metrics.svidFetches.WithLabelValues("x509_svid", statusOf(err)).Inc()
	if err != nil {
		i.failed(ctx, "x509_svid", err)
		return 0, false
	}
	life := svid.Certificates[0].NotAfter.Sub(i.now())
	i.metrics.svidTTL.WithLabelValues("x509_svid").Set(life.Seconds())
	return life, true
}

// jwt returns a JWT-SVID for the audience. When the agent does not answer, one that is still valid is good enough.
func (i *identity) jwt(ctx context.Context, audience string) (*jwtsvid.SVID, error) {
	held, ok := i.held(audience)
	if ok && i.now().Before(held.refresh) {
		return held.svid, nil
	}
	svid, err := i.fetchJWT(ctx, audience)
	if err != nil && ok && i.now().Before(held.svid.Expiry) {
		return held.svid, nil
	}
	return svid, err
}

func (i *identity) fetchJWT(ctx context.Context, audience string) (*jwtsvid.SVID, error) {
	var svid *jwtsvid.SVID
	err := i.call(ctx, func(ctx context.Context, client workloadAPI) (err error) {
		svid, err = client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
		return err
	})
	i.metrics.svidFetches.WithLabelValues("jwt_svid", statusOf(err)).Inc()
	if err != nil {
		i.failed(ctx, "jwt_svid", err)
		return nil, fmt.Errorf("fetch JWT-SVID for audience %q: %w", audience, err)
	}
	life := svid.Expiry.Sub(i.now())
	i.metrics.svidTTL.WithLabelValues("jwt_svid").Set(life.Seconds())
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cached[audience] = heldSVID{svid: svid, refresh: i.now().Add(life * 2 / 3)}
	return svid, nil
}

func (i *identity) held(audience string) (heldSVID, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, ok := i.cached[audience]
	return held, ok
}

// forget drops the SVID of an audience, after a verifier would not have it.
func (i *identity) forget(audience string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.cached, audience)
}

// call runs one request under a deadline, on a connection that it opens when there is none.
func (i *identity) call(ctx context.Context, request func(context.Context, workloadAPI) error) error {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	client, err := i.connection(ctx)
	if err != nil {
		return err
	}
	return request(ctx, client)
}

func (i *identity) connection(ctx context.Context) (workloadAPI, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.client == nil {
		client, err := i.dial(ctx)
		if err != nil {
			return nil, err
		}
		i.client = client
	}
	return i.client, nil
}

// failed tells of a failure and lets go of the connection: the next call initialises anew, at a socket that may be a
// new agent's.
func (i *identity) failed(ctx context.Context, what string, err error) {
	i.close()
	if ctx.Err() != nil {
		return // the service is stopping
	}
	i.log.ErrorContext(ctx, "spiffe_initialization_failed",
		"requested", what, "code", status.Code(err).String(), "error", clean(err.Error()))
}

func (i *identity) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.client != nil {
		_ = i.client.Close()
		i.client = nil
	}
}

// keyID is the kid in a token's header: public, and what tells a stale bundle from a bad signature.
func keyID(token string) string {
	parsed, err := jwt.ParseSigned(token, signatureAlgorithms())
	if err != nil || len(parsed.Headers) == 0 {
		return ""
	}
	return parsed.Headers[0].KeyID
}
