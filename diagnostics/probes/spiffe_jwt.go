package probes

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem/diagnostics"
)

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

// Problems of a JWT-SVID.
const (
	svidNoIdentity  = "no_identity"
	svidCannotFetch = "agent_cannot_fetch"
	svidMalformed   = "malformed"
	svidUnknownKey  = "unknown_key"
	svidSignature   = "signature"
	svidExpired     = "expired"
	svidAudience    = "audience"
)

// jwtSVID judges each property by itself: the usual validation stops at the
// first fault and says it in words only. It is blind when the agent cannot be
// asked.
func (p spiffeProbes) jwtSVID(ctx context.Context, args JWTSVIDArgs) (JWTSVID, []diagnostics.Evidence, error) {
	if p.WorkloadSocket == "" {
		return JWTSVID{}, nil, notConfigured("the SPIFFE Workload API", workloadKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	show := p.agentCommand("api", "fetch", "jwt", "-audience", args.Audience)
	if err := knock(ctx, p.WorkloadSocket); err != nil {
		return JWTSVID{}, t.list, t.fail(show, blindNetwork("connect to the Workload API", nextWorkload(), err))
	}
	facts, err := p.fetchAndJudge(ctx, t, show, args.Audience)
	return facts, t.list, err
}

func (p spiffeProbes) fetchAndJudge(ctx context.Context, t *trail, show, audience string) (JWTSVID, error) {
	api, closeAPI, blind := p.dialWorkload()
	if blind != nil {
		return JWTSVID{}, t.fail(show, blind)
	}
	defer closeAPI()
	resp, err := api.FetchJWTSVID(withHeader(ctx), &workload.JWTSVIDRequest{Audience: []string{audience}})
	if err == nil && len(resp.Svids) == 0 {
		return JWTSVID{}, t.fail(show, blindGarbage("FetchJWTSVID", theWorkloadAPI, "an answer without an SVID"))
	}
	if err != nil {
		problem := fetchProblem(err)
		if problem == "" {
			return JWTSVID{}, t.fail(show, blindGRPC("FetchJWTSVID", nextWorkload(), err))
		}
		t.add(show, "%s: %s", status.Code(err), status.Convert(err).Message())
		return JWTSVID{Problem: problem}, nil
	}
	svid := resp.Svids[0]
	bundle, blind := fetchJWTBundle(ctx, api, svid.SpiffeId)
	if blind != nil {
		return JWTSVID{}, t.fail(p.grpcCommand("FetchJWTBundles"), blind)
	}
	facts := judgeJWT(svid.Svid, audience, bundle, p.now())
	t.add(show, "%s", facts.words(svid.SpiffeId, kidsOf(bundle)))
	return facts, nil
}

// fetchProblem is what the agent itself says it cannot do; "" when it did not
// get to say it. SPIRE has only words for a server that it cannot reach.
func fetchProblem(err error) string {
	st := status.Convert(err)
	switch {
	case st.Code() == codes.PermissionDenied:
		return svidNoIdentity
	case st.Code() == codes.Unavailable && strings.Contains(st.Message(), "could not fetch JWT-SVID"):
		return svidCannotFetch
	}
	return ""
}

// judgeJWT judges a token against a bundle. The token goes no further.
func judgeJWT(token, audience string, bundle *jwtbundle.Bundle, now time.Time) JWTSVID {
	facts := JWTSVID{Issued: true, Problem: svidMalformed}
	var claims jwt.Claims
	parsed, err := jwt.ParseSigned(token, svidAlgorithms())
	if err != nil || parsed.UnsafeClaimsWithoutVerification(&claims) != nil || claims.Expiry == nil {
		return facts
	}
	facts.Kid = clean(parsed.Headers[0].KeyID, maxDetail)
	facts.TTL = claims.Expiry.Time().Sub(now)
	facts.Expired = facts.TTL <= 0
	facts.AudienceOK = slices.Contains(claims.Audience, audience)
	key, known := bundle.FindJWTAuthority(parsed.Headers[0].KeyID)
	facts.KidInBundle = known
	switch {
	case !known:
		facts.Problem = svidUnknownKey
	case parsed.Claims(key, &claims) != nil:
		facts.Problem = svidSignature
	case facts.Expired:
		facts.Problem = svidExpired
	case !facts.AudienceOK:
		facts.Problem = svidAudience
	default:
		facts.Problem, facts.Validates = "", true
	}
	return facts
}

// svidAlgorithms are those that the JWT-SVID standard allows.
func svidAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512}
}

func (f JWTSVID) words(id string, kids []string) string {
	verdict := "validates"
	if !f.Validates {
		verdict = "does not validate: " + f.Problem
	}
	return id + ", kid " + f.Kid + ", " + f.TTL.Round(time.Second).String() + " left, " + verdict + "; keys of the bundle: " + list(kids)
}
