package spiffe

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/protobuf/types/known/structpb"
)

// allowedAlgorithms are those of the JWT-SVID standard.
func allowedAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512,
	}
}

// validateToken is the agent's judgement of a JWT-SVID, with SPIRE's texts.
func validateToken(token string, b *bundle, audience string, now time.Time) (spiffeid.ID, *structpb.Struct, error) {
	fail := func(err error) (spiffeid.ID, *structpb.Struct, error) { return spiffeid.ID{}, nil, err }
	parsed, err := jwt.ParseSigned(token, allowedAlgorithms())
	if err != nil {
		return fail(fmt.Errorf("unable to parse JWT token: %w", err))
	}
	id, claims, err := readClaims(parsed)
	if err != nil {
		return fail(err)
	}
	key, err := findKey(b, id.TrustDomain(), parsed.Headers[0].KeyID)
	if err != nil {
		return fail(err)
	}
	verified := map[string]any{}
	if err := parsed.Claims(key.public, &verified); err != nil {
		return fail(err)
	}
	if err := checkClaims(claims, audience, now); err != nil {
		return fail(err)
	}
	out, err := claimsStruct(verified)
	return id, out, err
}

// readClaims reads what is needed to find the key, before the signature is known to be good.
func readClaims(token *jwt.JSONWebToken) (spiffeid.ID, jwt.Claims, error) {
	var claims jwt.Claims
	if token.Headers[0].KeyID == "" {
		return spiffeid.ID{}, claims, errors.New("token header missing key id")
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return spiffeid.ID{}, claims, err
	}
	switch {
	case claims.Subject == "":
		return spiffeid.ID{}, claims, errors.New("token missing subject claim")
	case claims.Expiry == nil:
		return spiffeid.ID{}, claims, errors.New("token missing exp claim")
	}
	id, err := spiffeid.FromString(claims.Subject)
	if err != nil {
		return spiffeid.ID{}, claims, fmt.Errorf("token has in invalid subject claim: %w", err) // SPIRE writes it so
	}
	return id, claims, nil
}

func findKey(b *bundle, td spiffeid.TrustDomain, kid string) (authorityKey, error) {
	if td != b.td {
		return authorityKey{}, fmt.Errorf("no keys found for trust domain %q", td)
	}
	for _, k := range b.jwt {
		if k.id == kid {
			return k, nil
		}
	}
	return authorityKey{}, fmt.Errorf("public key %q not found in trust domain %q", kid, td)
}

// checkClaims forgives a minute, as the library does for SPIRE.
func checkClaims(claims jwt.Claims, audience string, now time.Time) error {
	asked := jwt.Audience{audience}
	err := claims.Validate(jwt.Expected{AnyAudience: asked, Time: now})
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return errors.New("token has expired")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return fmt.Errorf("expected audience in %q (audience=%q)", asked, claims.Audience)
	}
	return err
}

// claimsStruct always gives the audience as a list.
func claimsStruct(claims map[string]any) (*structpb.Struct, error) {
	if audience, ok := claims["aud"].(string); ok {
		claims["aud"] = []any{audience}
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	out := new(structpb.Struct)
	return out, out.UnmarshalJSON(body)
}
