package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// WorkloadAPI is what the Workload API gives the bot. It proves the bot's own
// path, not that of the service.
type WorkloadAPI struct {
	Socket          string    `cel:"socket"`   // ok, missing or refused
	Identity        bool      `cel:"identity"` // false: no identity issued, or no socket
	SPIFFEID        string    `cel:"spiffe_id"`
	X509ExpiresAt   time.Time `cel:"x509_expires_at"`
	BundleKids      []string  `cel:"bundle_kids"`      // JWT authorities of the own trust domain, sorted
	X509Authorities int64     `cel:"x509_authorities"` // of the own trust domain
}

// JWTSVIDArgs say for whom to ask a JWT-SVID.
type JWTSVIDArgs struct {
	Audience string `cel:"audience"`
}

// JWTSVID is the bot's own JWT-SVID, judged.
type JWTSVID struct {
	Issued      bool          `cel:"issued"`
	Problem     string        `cel:"problem"` // "", no_identity, agent_cannot_fetch, malformed, unknown_key, signature, expired, audience: the first that holds
	Kid         string        `cel:"kid"`
	KidInBundle bool          `cel:"kid_in_bundle"`
	TTL         time.Duration `cel:"ttl"` // left; negative when expired
	Expired     bool          `cel:"expired"`
	AudienceOK  bool          `cel:"audience_ok"`
	Validates   bool          `cel:"validates"`
}

// JWKSArgs say which document to read; empty: the configured one.
type JWKSArgs struct {
	URL string `cel:"url"`
}

// JWKS is a published set of keys.
type JWKS struct {
	Reachable bool     `cel:"reachable"`
	Problem   string   `cel:"problem"` // "", refused, status, garbage
	Status    int64    `cel:"status"`  // of HTTP; 0 when not reachable
	ContentOK bool     `cel:"content_ok"`
	Keys      int64    `cel:"keys"`
	Kids      []string `cel:"kids"` // sorted
}

type spiffeProbes struct {
	SPIFFE
	now func() time.Time
}

func (p spiffeProbes) workloadAPI(ctx context.Context, _ None) (WorkloadAPI, []diagnostics.Evidence, error) {
	return WorkloadAPI{}, nil, notReady()
}

func (p spiffeProbes) jwtSVID(ctx context.Context, args JWTSVIDArgs) (JWTSVID, []diagnostics.Evidence, error) {
	return JWTSVID{}, nil, notReady()
}

func (p spiffeProbes) jwks(ctx context.Context, args JWKSArgs) (JWKS, []diagnostics.Evidence, error) {
	return JWKS{}, nil, notReady()
}
