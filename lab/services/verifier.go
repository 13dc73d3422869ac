package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var errNoBundle = errors.New("trust bundle not loaded")

// verifier lets a call in when its JWT-SVID is right and its SPIFFE ID is on the list. Why a token is refused goes to the
// log; the caller learns as little as it does from the public system.
type verifier struct {
	bundles   jwtbundle.Source
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger
	cfg       Config
	now       func() time.Time
}

// refusal is why a token was not taken.
type refusal struct {
	// reason: expired, not_yet_valid, audience, unknown_key, signature, malformed or no_bundle.
	reason string
	kid    string
	actual []string
	// caller is the SPIFFE ID that the token claims; nothing has proved it.
	caller string
}

// intercept is a unary server interceptor.
func (v *verifier) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := v.admit(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	v.metrics.serverAttempts.WithLabelValues(info.FullMethod, statusSuccess).Inc()
	return next(ctx, req)
}

func (v *verifier) admit(ctx context.Context, method string) error {
	token, ok := bearer(ctx)
	if !ok {
		v.log.ErrorContext(ctx, "authentication_failed", append(flowOf(ctx).fields(), "method", method, "reason", "missing_token")...)
		return v.refuse(method, "missing_token", codes.Unauthenticated, "missing authorization token")
	}
	expected := v.audience()
	svid, err := jwtsvid.ParseAndValidate(token, v.bundles, []string{expected})
	why := v.judge(token, svid, err, expected)
	if why.reason != "" {
		v.log.ErrorContext(ctx, "jwt_invalid", append(flowOf(ctx).fields(), "method", method, "reason", why.reason, "kid", why.kid,
			"spiffe_id", why.caller, "expected_audience", expected, "actual_audience", why.actual)...)
		if why.reason == "no_bundle" {
			return v.refuse(method, "verification_error", codes.Unavailable, "token cannot be verified now")
		}
		return v.refuse(method, "invalid_token", codes.Unauthenticated, "invalid token")
	}
	return v.authorize(ctx, method, svid.ID.String())
}

func (v *verifier) authorize(ctx context.Context, method, id string) error {
	if slices.Contains(v.allowed(), id) {
		return nil
	}
	v.log.ErrorContext(ctx, "authorization_failed", append(flowOf(ctx).fields(), "method", method, "spiffe_id", clean(id), "grpc_code", codeName(codes.PermissionDenied))...)
	return v.refuse(method, "unauthorized", codes.PermissionDenied, "SPIFFE ID not authorized")
}

func (v *verifier) refuse(method, reason string, code codes.Code, text string) error {
	v.metrics.serverAttempts.WithLabelValues(method, statusError).Inc()
	v.metrics.serverFailures.WithLabelValues(method, reason).Inc()
	return status.Error(code, text)
}

func (v *verifier) audience() string {
	if other := v.behaviour.now().VerifierAudience; other != "" {
		return other
	}
	return v.cfg.RegistryAudience
}

func (v *verifier) allowed() []string {
	if other := v.behaviour.now().VerifierAllowList; other != nil {
		return other
	}
	return v.cfg.AllowList
}

// judge finds the reason behind go-spiffe's verdict from the token itself, never from the error's words. go-spiffe
// forgives a minute after expiry; with TTLs of a minute that would hide the fault, so it is not forgiven here.
func (v *verifier) judge(token string, svid *jwtsvid.SVID, err error, expected string) refusal {
	if err == nil {
		if v.now().After(svid.Expiry) {
			return refusal{reason: "expired", kid: clip(keyID(token)), actual: svid.Audience, caller: clip(svid.ID.String())}
		}
		return refusal{}
	}
	parsed, claims, ok := unverified(token)
	if !ok {
		return refusal{reason: "malformed"}
	}
	why := refusal{kid: clip(parsed.Headers[0].KeyID), actual: clipAll(claims.Audience), caller: clip(claims.Subject)}
	why.reason = v.reason(claims, why, parsed.Headers[0].KeyID, expected)
	return why
}

func (v *verifier) reason(claims jwt.Claims, why refusal, kid, expected string) string {
	id, err := spiffeid.FromString(claims.Subject)
	if err != nil || claims.Expiry == nil {
		return "malformed"
	}
	bundle, err := v.bundles.GetJWTBundleForTrustDomain(id.TrustDomain())
	if errors.Is(err, errNoBundle) {
		return "no_bundle"
	}
	if err != nil || !knows(bundle, kid) {
		return "unknown_key"
	}
	switch {
	case !slices.Contains(why.actual, clip(expected)):
		return "audience"
	case v.now().After(claims.Expiry.Time()):
		return "expired"
	case claims.NotBefore != nil && v.now().Before(claims.NotBefore.Time()),
		claims.IssuedAt != nil && v.now().Before(claims.IssuedAt.Time()):
		return "not_yet_valid"
	}
	return "signature"
}

func knows(bundle *jwtbundle.Bundle, kid string) bool {
	_, ok := bundle.FindJWTAuthority(kid)
	return ok
}

func unverified(token string) (*jwt.JSONWebToken, jwt.Claims, bool) {
	var claims jwt.Claims
	parsed, err := jwt.ParseSigned(token, signatureAlgorithms())
	if err != nil || len(parsed.Headers) != 1 {
		return nil, claims, false
	}
	return parsed, claims, parsed.UnsafeClaimsWithoutVerification(&claims) == nil
}

// signatureAlgorithms are those that the JWT-SVID standard allows.
func signatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512,
	}
}

func bearer(ctx context.Context) (string, bool) {
	for _, value := range metadata.ValueFromIncomingContext(ctx, headerAuthorization) {
		if token, ok := strings.CutPrefix(value, "Bearer "); ok && token != "" {
			return token, true
		}
	}
	return "", false
}

// flowOf reads the flow's identity that a caller sent along.
func flowOf(ctx context.Context) flow {
	return flow{requestID: first(ctx, headerRequestID), planID: first(ctx, headerPlanID)}
}

func first(ctx context.Context, header string) string {
	if values := metadata.ValueFromIncomingContext(ctx, header); len(values) > 0 {
		return clip(values[0])
	}
	return ""
}

// clip bounds what a caller's words may take in a log line.
func clip(text string) string {
	const most = 128
	if len(text) > most {
		return fmt.Sprintf("%s…", strings.ToValidUTF8(text[:most], ""))
	}
	return text
}

func clipAll(texts []string) []string {
	const most = 8
	out := []string{}
	for _, text := range texts[:min(len(texts), most)] {
		out = append(out, clip(text))
	}
	return out
}
