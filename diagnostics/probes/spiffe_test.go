package probes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"tandem/diagnostics"
	"tandem/lab/spiffe"
)

const (
	trustDomain = "neural-hive.local"
	botID       = "spiffe://neural-hive.local/ns/tandem/sa/bot"
	workerID    = "spiffe://neural-hive.local/ns/neural-hive-execution/sa/worker-agents"
)

// spiffeWorld runs the lab's SPIRE, whose time stands still as that of the
// probes does.
func spiffeWorld(t *testing.T, change func(*spiffe.Config)) (*spiffe.Server, SPIFFE) {
	t.Helper()
	dir, err := os.MkdirTemp("", "probes") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := spiffe.Config{
		TrustDomain: trustDomain, WorkloadSocket: filepath.Join(dir, "a.sock"), ServerSocket: filepath.Join(dir, "s.sock"),
		OIDCAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", JWTTTL: spiffe.Duration(time.Minute),
	}
	if change != nil {
		change(&config)
	}
	world, err := spiffe.Start(t.Context(), config, spiffe.WithClock(now), spiffe.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Errorf("close the SPIFFE world: %v", err)
		}
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return world, SPIFFE{
		WorkloadSocket: world.WorkloadAddr(), ServerAddress: world.ServerAddr(), JWKSURL: world.OIDCURL() + "/keys",
		JWKSClient: &http.Client{Transport: transport}, TrustDomain: trustDomain,
	}
}

// inject makes a fault hold.
func inject(t *testing.T, world *spiffe.Server, f spiffe.Faults) {
	t.Helper()
	if err := world.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

// noBot is a world without an entry for the bot.
func noBot(c *spiffe.Config) {
	c.Entries = slices.DeleteFunc(spiffe.DefaultEntries(trustDomain, os.Getuid()), func(e spiffe.Entry) bool { return e.SPIFFEID == botID })
}

func TestWorkloadAPI(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spiffeProbes{SPIFFE: deps, now: now}
	facts, evidence, err := p.workloadAPI(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Socket != "ok" || !facts.Identity || facts.SPIFFEID != botID || !facts.X509ExpiresAt.After(at) || facts.X509Authorities != 1 {
		t.Errorf("facts are %+v", facts)
	}
	if err := world.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	kids := world.State().Kids.Agent
	slices.Sort(kids)
	facts, _, _ = p.workloadAPI(soon(t), None{})
	if diff := cmp.Diff(kids, facts.BundleKids); diff != "" || len(kids) != 2 {
		t.Errorf("after a rotation the keys differ: %s", diff)
	}
	if got := evidence[0].Invocation; !strings.HasPrefix(got, "spire-agent api fetch x509 -silent -socketPath /") {
		t.Errorf("the command is %s", got)
	}
}

func TestWorkloadAPIWithoutIdentityOrSocket(t *testing.T) {
	world, deps := spiffeWorld(t, noBot)
	p := spiffeProbes{SPIFFE: deps, now: now}
	for name, c := range map[string]struct {
		faults spiffe.Faults
		want   WorkloadAPI
	}{
		"no identity": {spiffe.Faults{}, WorkloadAPI{Socket: "ok"}},
		"missing":     {spiffe.Faults{AgentDown: spiffe.AgentMissing}, WorkloadAPI{Socket: "missing"}},
		"refused":     {spiffe.Faults{AgentDown: spiffe.AgentRefused}, WorkloadAPI{Socket: "refused"}},
	} {
		inject(t, world, c.faults)
		facts, evidence, err := p.workloadAPI(soon(t), None{})
		wantSeen(t, facts, evidence, err)
		if diff := cmp.Diff(c.want, facts); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWorkloadAPIBlind(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	inject(t, world, spiffe.Faults{AgentDown: spiffe.AgentHang})
	page := serve(t, answer(200, htmlPage)) // speaks HTTP/1
	for name, c := range map[string]struct {
		socket string
		want   diagnostics.Reason
	}{
		"hangs":          {deps.WorkloadSocket, diagnostics.ReasonTimeout},
		"silent":         {"tcp://" + silentPort(t, "tcp", "127.0.0.1:0"), diagnostics.ReasonTimeout},
		"no gRPC":        {"tcp://" + strings.TrimPrefix(page.URL, "http://"), diagnostics.ReasonUnavailable},
		"not configured": {"", diagnostics.ReasonNotConfigured},
	} {
		p := spiffeProbes{SPIFFE: SPIFFE{WorkloadSocket: c.socket}, now: now}
		t.Run(name, func(t *testing.T) {
			ctx := soon(t)
			if c.want == diagnostics.ReasonTimeout {
				ctx = short(t)
			}
			_, evidence, err := p.workloadAPI(ctx, None{})
			wantBlind(t, err, evidence, c.want)
		})
		t.Run(name+", JWT-SVID", func(t *testing.T) {
			ctx := soon(t)
			if c.want == diagnostics.ReasonTimeout {
				ctx = short(t)
			}
			_, evidence, err := p.jwtSVID(ctx, JWTSVIDArgs{Audience: "a"})
			wantBlind(t, err, evidence, c.want)
		})
	}
}

func TestJWTSVID(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spiffeProbes{SPIFFE: deps, now: now}
	facts, evidence, err := p.jwtSVID(soon(t), JWTSVIDArgs{Audience: "vault"})
	wantSeen(t, facts, evidence, err)
	want := JWTSVID{Issued: true, Kid: world.State().JWT.Active, KidInBundle: true, TTL: time.Minute, AudienceOK: true, Validates: true}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	for _, e := range evidence {
		if strings.Contains(e.Observed, "eyJ") {
			t.Errorf("the token is in the evidence: %s", e.Observed)
		}
	}

	inject(t, world, spiffe.Faults{AgentBundleFrozen: true})
	if err := world.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err = p.jwtSVID(soon(t), JWTSVIDArgs{Audience: "registry"})
	wantSeen(t, facts, evidence, err)
	if facts.Problem != "unknown_key" || facts.KidInBundle || facts.Validates || facts.Kid != world.State().JWT.Active {
		t.Errorf("with a stale bundle facts are %+v", facts)
	}

	for name, c := range map[string]struct {
		faults spiffe.Faults
		want   JWTSVID
	}{
		"expired":     {spiffe.Faults{SVIDExpired: true}, JWTSVID{Issued: true, Problem: "expired", Expired: true, KidInBundle: true, AudienceOK: true}},
		"placeholder": {spiffe.Faults{PlaceholderSVID: true}, JWTSVID{Issued: true, Problem: "malformed"}},
	} {
		inject(t, world, c.faults)
		facts, evidence, err := p.jwtSVID(soon(t), JWTSVIDArgs{Audience: "vault"})
		wantSeen(t, facts, evidence, err)
		if facts.Expired && facts.TTL >= 0 {
			t.Errorf("expired with %s left", facts.TTL)
		}
		facts.TTL, facts.Kid = 0, ""
		if diff := cmp.Diff(c.want, facts); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestJWTSVIDWithoutIdentity(t *testing.T) {
	world, deps := spiffeWorld(t, noBot)
	p := spiffeProbes{SPIFFE: deps, now: now}
	facts, evidence, err := p.jwtSVID(soon(t), JWTSVIDArgs{Audience: "vault"})
	wantSeen(t, facts, evidence, err)
	if facts != (JWTSVID{Problem: "no_identity"}) {
		t.Errorf("facts are %+v", facts)
	}
	// Here the workload API says what is wrong; this one has not looked.
	inject(t, world, spiffe.Faults{AgentDown: spiffe.AgentMissing})
	_, evidence, err = p.jwtSVID(soon(t), JWTSVIDArgs{Audience: "vault"})
	wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
}

func TestJudgeJWT(t *testing.T) {
	key, other := newKey(t), newKey(t)
	bundle := jwtbundle.New(spiffeid.RequireTrustDomainFromString(trustDomain))
	if err := bundle.AddJWTAuthority("k1", key.Public()); err != nil {
		t.Fatal(err)
	}
	good := jwt.Claims{Subject: workerID, Audience: jwt.Audience{"a"}, Expiry: jwt.NewNumericDate(at.Add(time.Minute))}
	expired, elsewhere, endless := good, good, good
	expired.Expiry = jwt.NewNumericDate(at)
	elsewhere.Audience = jwt.Audience{"b"}
	endless.Expiry = nil
	for name, c := range map[string]struct {
		token, problem string
	}{
		"good":         {sign(t, key, "k1", good), ""},
		"expired":      {sign(t, key, "k1", expired), "expired"},
		"elsewhere":    {sign(t, key, "k1", elsewhere), "audience"},
		"endless":      {sign(t, key, "k1", endless), "malformed"},
		"other kid":    {sign(t, key, "k2", good), "unknown_key"},
		"other signer": {sign(t, other, "k1", good), "signature"},
		"forged, old":  {sign(t, other, "k1", expired), "signature"},
		"no token":     {"placeholder-" + canary, "malformed"},
		"empty":        {"", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := judgeJWT(c.token, "a", bundle, at)
			if facts.Problem != c.problem || facts.Validates != (c.problem == "") || !facts.Issued {
				t.Errorf("facts are %+v, want problem %q", facts, c.problem)
			}
			noCanary(t, facts)
		})
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, key *ecdsa.PrivateKey, kid string, claims jwt.Claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func FuzzJudgeJWT(f *testing.F) {
	bundle := jwtbundle.New(spiffeid.RequireTrustDomainFromString(trustDomain))
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJzcGlmZmU6Ly94L3kiLCJleHAiOjF9.AAAA")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if facts := judgeJWT(token, "a", bundle, at); facts.Validates {
			t.Errorf("%q validates against an empty bundle", token)
		}
	})
}

func TestJWKS(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spiffeProbes{SPIFFE: deps, now: now}
	facts, evidence, err := p.jwks(soon(t), JWKSArgs{})
	wantSeen(t, facts, evidence, err)
	want := JWKS{Reachable: true, Status: 200, ContentOK: true, Keys: 1, Kids: world.State().Kids.OIDC}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	inject(t, world, spiffe.Faults{OIDCDown: true})
	facts, evidence, err = p.jwks(soon(t), JWKSArgs{})
	wantSeen(t, facts, evidence, err)
	if diff := cmp.Diff(JWKS{Problem: "refused"}, facts); diff != "" {
		t.Error(diff)
	}
	inject(t, world, spiffe.Faults{OIDCGarbage: true})
	facts, evidence, err = p.jwks(soon(t), JWKSArgs{})
	wantSeen(t, facts, evidence, err)
	if facts.ContentOK || facts.Problem == "" || !facts.Reachable {
		t.Errorf("garbage gives %+v", facts)
	}
}

func TestJWKSOfOthers(t *testing.T) {
	p := spiffeProbes{now: now}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    JWKS
	}{
		"page":     {answer(200, htmlPage), JWKS{Reachable: true, Status: 200, Problem: "garbage"}},
		"no keys":  {answer(200, `{"hello":"`+canary+`"}`), JWKS{Reachable: true, Status: 200, Problem: "garbage"}},
		"empty":    {answer(200, `{"keys":[]}`), JWKS{Reachable: true, Status: 200, ContentOK: true}},
		"gone":     {answer(404, htmlPage), JWKS{Reachable: true, Status: 404, Problem: "status"}},
		"two keys": {answer(200, `{"keys":[{"kid":"b","d":"`+canary+`"},{"kid":"a"}]}`), JWKS{Reachable: true, Status: 200, ContentOK: true, Keys: 2, Kids: []string{"a", "b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.handler)
			p.JWKSClient = server.Client()
			facts, evidence, err := p.jwks(soon(t), JWKSArgs{URL: server.URL + "/keys"})
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts); diff != "" {
				t.Error(diff)
			}
		})
	}
	slow := serve(t, never)
	p.JWKSClient = slow.Client()
	_, evidence, err := p.jwks(short(t), JWKSArgs{URL: fmt.Sprintf("http://u:%s@%s/", canary, strings.TrimPrefix(slow.URL, "http://"))})
	wantBlind(t, err, evidence, diagnostics.ReasonTimeout)
	_, evidence, err = p.jwks(soon(t), JWKSArgs{})
	wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
}

// What a proxy or an overloaded server says is nothing about the keys.
func TestJWKSBlindByStatus(t *testing.T) {
	for status, want := range map[int]diagnostics.Reason{
		http.StatusUnauthorized:        diagnostics.ReasonDenied,
		http.StatusForbidden:           diagnostics.ReasonDenied,
		http.StatusProxyAuthRequired:   diagnostics.ReasonDenied,
		http.StatusTooManyRequests:     diagnostics.ReasonThrottled,
		http.StatusInternalServerError: diagnostics.ReasonUnavailable,
		http.StatusServiceUnavailable:  diagnostics.ReasonUnavailable,
		http.StatusGatewayTimeout:      diagnostics.ReasonTimeout,
	} {
		server := serve(t, answer(status, htmlPage))
		_, evidence, err := spiffeProbes{SPIFFE: SPIFFE{JWKSClient: server.Client()}, now: now}.jwks(soon(t), JWKSArgs{URL: server.URL})
		wantBlind(t, err, evidence, want)
	}
}
