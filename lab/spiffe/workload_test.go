package spiffe

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

const helperEnv = "SPIFFE_TEST_HELPER"

// helperMain is the test binary as a workload of its own: it prints the SPIFFE ID that it is given.
func helperMain() int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: vaultAudience}, workloadapi.WithAddr(os.Getenv(helperEnv)))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(svid.ID)
	return 0
}

func (w *world) fetch(c *workloadapi.Client, audience string) *jwtsvid.SVID {
	w.t.Helper()
	svid, err := c.FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		w.t.Fatal(err)
	}
	return svid
}

// oidcKeys are the keys that the discovery provider publishes.
func (w *world) oidcKeys() *jwtbundle.Bundle {
	w.t.Helper()
	var raw json.RawMessage
	w.getJSON(w.OIDCURL()+"/keys", &raw)
	b, err := jwtbundle.Parse(w.td, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestAttestationOfRealProcesses(t *testing.T) {
	w := startWorld(t)
	for _, tt := range []struct {
		name string
		env  []string
		want string
	}{
		{"worker", []string{"POD_NAMESPACE=neural-hive-execution", "POD_SERVICE_ACCOUNT=worker-agents", "POD_LABELS=app=worker"}, workerID},
		{"no pod", nil, botID},
		{"unknown pod", []string{"POD_NAMESPACE=elsewhere", "POD_SERVICE_ACCOUNT=worker-agents"}, "no identity issued"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(w.ctx, os.Args[0])
			cmd.Env = append([]string{helperEnv + "=" + w.WorkloadAddr()}, tt.env...)
			out, err := cmd.Output()
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("got %q, %v, want %q", out, err, tt.want)
			}
		})
	}
}

func TestJWTSVID(t *testing.T) {
	w := startWorld(t, WithAttestor(as("neural-hive-execution", "worker-agents")))
	c := w.client()
	svid := w.fetch(c, vaultAudience)
	if svid.ID.String() != workerID || len(svid.Audience) != 1 || svid.Audience[0] != vaultAudience {
		t.Errorf("got %v for %v", svid.ID, svid.Audience)
	}
	issued, ended := svid.Claims["iat"].(float64), svid.Claims["exp"].(float64)
	if ended-issued != 20 {
		t.Errorf("lives %v s, want 20", ended-issued)
	}
	if svid.Claims["iss"] != w.OIDCURL() {
		t.Errorf("issuer %v, want %v", svid.Claims["iss"], w.OIDCURL())
	}
	if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), w.oidcKeys(), []string{vaultAudience}); err != nil {
		t.Errorf("the published keys do not verify it: %v", err)
	}
	if again := w.fetch(c, vaultAudience); again.Marshal() != svid.Marshal() {
		t.Error("a fresh token was not reused")
	}
	if other := w.fetch(c, "other"); other.Marshal() == svid.Marshal() {
		t.Error("a token was reused for another audience")
	}
}

func TestJWTSVIDIsRenewedAtHalfLife(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	c := w.client()
	first := w.fetch(c, vaultAudience)
	clock.add(9 * time.Second)
	if w.fetch(c, vaultAudience).Marshal() != first.Marshal() {
		t.Error("renewed before half its life")
	}
	clock.add(2 * time.Second)
	if w.fetch(c, vaultAudience).Marshal() == first.Marshal() {
		t.Error("not renewed after half its life")
	}
}

func TestJWTSVIDArguments(t *testing.T) {
	w := startWorld(t)
	api := workload.NewSpiffeWorkloadAPIClient(w.dial(w.WorkloadAddr()))
	ctx := metadata.AppendToOutgoingContext(w.ctx, securityHeader, "true")
	for _, tt := range []struct {
		name string
		call func() error
		code codes.Code
		text string
	}{
		{"no header", func() error {
			_, err := api.FetchJWTSVID(w.ctx, &workload.JWTSVIDRequest{Audience: []string{"a"}})
			return err
		}, codes.InvalidArgument, "security header missing from request"},
		{"wrong header", func() error {
			_, err := api.FetchJWTSVID(metadata.AppendToOutgoingContext(w.ctx, securityHeader, "yes"), &workload.JWTSVIDRequest{})
			return err
		}, codes.InvalidArgument, "security header missing from request"},
		{"no header on a stream", func() error {
			stream, err := api.FetchX509SVID(w.ctx, &workload.X509SVIDRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}, codes.InvalidArgument, "security header missing from request"},
		{"no audience", func() error {
			_, err := api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{})
			return err
		}, codes.InvalidArgument, "audience must be specified"},
		{"bad ID", func() error {
			_, err := api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{"a"}, SpiffeId: "bot"})
			return err
		}, codes.InvalidArgument, "invalid requested SPIFFE ID: scheme is missing or invalid"},
		{"not ours", func() error {
			_, err := api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{"a"}, SpiffeId: workerID})
			return err
		}, codes.PermissionDenied, "no identity issued"},
		{"validate without audience", func() error {
			_, err := api.ValidateJWTSVID(ctx, &workload.ValidateJWTSVIDRequest{Svid: "x"})
			return err
		}, codes.InvalidArgument, "audience must be specified"},
		{"validate nothing", func() error {
			_, err := api.ValidateJWTSVID(ctx, &workload.ValidateJWTSVIDRequest{Audience: "x"})
			return err
		}, codes.InvalidArgument, "svid must be specified"},
		{"a later profile", func() error {
			stream, err := api.FetchWITSVID(ctx, &workload.WITSVIDRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}, codes.Unimplemented, "method FetchWITSVID not implemented"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantStatus(t, tt.call(), tt.code, tt.text) })
	}
}

func TestNoIdentity(t *testing.T) {
	w := startWorld(t, WithAttestor(as("nowhere", "nobody")))
	c := w.client()
	_, err := c.FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	wantStatus(t, err, codes.PermissionDenied, "no identity issued")
	_, err = c.FetchX509Context(w.ctx)
	wantStatus(t, err, codes.PermissionDenied, "no identity issued")
	_, err = c.FetchJWTBundles(w.ctx)
	wantStatus(t, err, codes.PermissionDenied, "no identity issued")
	_, err = c.FetchX509Bundles(w.ctx)
	wantStatus(t, err, codes.PermissionDenied, "no identity issued")
}

func TestAttestorFails(t *testing.T) {
	w := startWorld(t, WithAttestor(func(context.Context, Peer) ([]string, error) { return nil, errors.New("cannot look") }))
	_, err := w.client().FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	wantStatus(t, err, codes.Unknown, "cannot look")
}

func TestAttestorSeesThePeer(t *testing.T) {
	seen := make(chan Peer, 1)
	w := startWorld(t, WithAttestor(func(_ context.Context, p Peer) ([]string, error) {
		seen <- p
		return []string{fmt.Sprintf("unix:uid:%d", p.UID)}, nil
	}))
	w.fetch(w.client(), vaultAudience)
	if p := <-seen; int(p.PID) != os.Getpid() || int(p.UID) != os.Getuid() {
		t.Errorf("got %+v, want process %d of user %d", p, os.Getpid(), os.Getuid())
	}
}

func TestValidateJWTSVID(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	c := w.client()
	token := w.fetch(c, vaultAudience).Marshal()
	svid, err := c.ValidateJWTSVID(w.ctx, token, vaultAudience)
	if err != nil {
		t.Fatal(err)
	}
	if svid.ID.String() != botID {
		t.Errorf("got %v", svid.ID)
	}
	_, err = c.ValidateJWTSVID(w.ctx, token, "other")
	wantStatus(t, err, codes.InvalidArgument, `expected audience in ["other"] (audience=["vault.neural-hive.local"])`)
	_, err = c.ValidateJWTSVID(w.ctx, "rubbish", vaultAudience)
	wantStatus(t, err, codes.InvalidArgument, "unable to parse JWT token: go-jose/go-jose: compact JWS format must have three parts")
	clock.add(20*time.Second + time.Minute + time.Second)
	_, err = c.ValidateJWTSVID(w.ctx, token, vaultAudience)
	wantStatus(t, err, codes.InvalidArgument, "token has expired")
}

func TestValidateJWTSVIDOfUnknownKeys(t *testing.T) {
	w, other := startWorld(t), startWorld(t)
	foreign := other.fetch(other.client(), vaultAudience)
	_, err := w.client().ValidateJWTSVID(w.ctx, foreign.Marshal(), vaultAudience)
	kid := other.authority.jwtSigner().id
	wantStatus(t, err, codes.InvalidArgument, fmt.Sprintf(`public key %q not found in trust domain "neural-hive.local"`, kid))

	cfg := testConfig(t)
	cfg.TrustDomain = "other.test"
	elsewhere := startWith(t, cfg)
	_, err = w.client().ValidateJWTSVID(w.ctx, elsewhere.fetch(elsewhere.client(), vaultAudience).Marshal(), vaultAudience)
	wantStatus(t, err, codes.InvalidArgument, `no keys found for trust domain "other.test"`)
}

func TestValidateJWTSVIDClaims(t *testing.T) {
	w := startWorld(t)
	key := w.authority.jwtSigner()
	end := jwt.NewNumericDate(time.Now().Add(time.Minute))
	nameless := key
	nameless.id = ""
	forged := w.authority.jwtSigner()
	other, err := w.authority.newJWTKey()
	if err != nil {
		t.Fatal(err)
	}
	forged.signer = other.signer
	for _, tt := range []struct {
		name   string
		key    signingKey
		claims jwt.Claims
		want   string
	}{
		{"no key ID", nameless, jwt.Claims{Subject: workerID, Expiry: end}, "token header missing key id"},
		{"no subject", key, jwt.Claims{Expiry: end}, "token missing subject claim"},
		{"no end", key, jwt.Claims{Subject: workerID}, "token missing exp claim"},
		{"no SPIFFE ID", key, jwt.Claims{Subject: "worker", Expiry: end}, "token has in invalid subject claim: scheme is missing or invalid"},
		{"forged", forged, jwt.Claims{Subject: workerID, Audience: jwt.Audience{"a"}, Expiry: end}, "go-jose/go-jose: error in cryptographic primitive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token, err := w.issuer.sign(tt.key, tt.claims)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.client().ValidateJWTSVID(w.ctx, token, "a")
			wantStatus(t, err, codes.InvalidArgument, tt.want)
		})
	}
}

func TestX509BundlesFollowTheAuthorities(t *testing.T) {
	w := startWorld(t)
	c := w.client()
	roots := func() int {
		set, err := c.FetchX509Bundles(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		b, err := set.GetX509BundleForTrustDomain(w.td)
		if err != nil {
			t.Fatal(err)
		}
		return len(b.X509Authorities())
	}
	if roots() != 1 {
		t.Errorf("starts with %d", roots())
	}
	if _, err := w.authorityAPI().PrepareX509Authority(w.ctx, &localauthorityv1.PrepareX509AuthorityRequest{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("a second authority", func() bool { return roots() == 2 })
}

func TestX509SVIDMakesMutualTLS(t *testing.T) {
	w := startWorld(t)
	source, err := workloadapi.NewX509Source(w.ctx, workloadapi.WithClientOptions(workloadapi.WithAddr(w.WorkloadAddr())))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	id := spiffeid.RequireFromString(botID)
	l, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(id)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.WriteString(conn, "hello")
			err = errors.Join(err, conn.Close())
		}
		served <- err
	}()
	dialer := tls.Dialer{Config: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(id))}
	conn, err := dialer.DialContext(w.ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestX509SVIDIsRenewedAtHalfLife(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	updates := w.watchX509()
	first := updates.next()
	clock.add(11 * time.Second)
	second := updates.next()
	if first.SerialNumber.Cmp(second.SerialNumber) == 0 {
		t.Error("the same certificate was pushed")
	}
	if !second.NotAfter.After(first.NotAfter) {
		t.Errorf("ends at %v, the one before at %v", second.NotAfter, first.NotAfter)
	}
}

func TestX509AuthorityRotation(t *testing.T) {
	w := startWorld(t)
	updates := w.watchX509()
	first := updates.next()
	api := localauthorityv1.NewLocalAuthorityClient(w.dial(w.ServerAddr()))
	old := w.State().X509.Active
	prepared, err := api.PrepareX509Authority(w.ctx, &localauthorityv1.PrepareX509AuthorityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.ActivateX509Authority(w.ctx, &localauthorityv1.ActivateX509AuthorityRequest{AuthorityId: prepared.PreparedAuthority.AuthorityId}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.TaintX509Authority(w.ctx, &localauthorityv1.TaintX509AuthorityRequest{AuthorityId: old}); err != nil {
		t.Fatal(err)
	}
	for {
		got := updates.next()
		if !bytes.Equal(got.AuthorityKeyId, first.AuthorityKeyId) {
			return
		}
	}
}

func TestJWTBundlesArePushedOnRotation(t *testing.T) {
	w := startWorld(t)
	source, err := workloadapi.NewJWTSource(w.ctx, workloadapi.WithClientOptions(workloadapi.WithAddr(w.WorkloadAddr())))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	keys := func() int {
		b, err := source.GetJWTBundleForTrustDomain(w.td)
		if err != nil {
			t.Fatal(err)
		}
		return len(b.JWTAuthorities())
	}
	if keys() != 1 {
		t.Fatalf("starts with %d keys", keys())
	}
	old, err := source.FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	if err != nil {
		t.Fatal(err)
	}
	if code, body := w.http("POST", w.AdminURL()+"/admin/rotate-jwt", ""); code != 200 {
		t.Fatalf("rotate: %d %s", code, body)
	}
	w.eventually("a second key", func() bool { return keys() == 2 })
	fresh := w.fetch(w.client(), "fresh")
	for _, svid := range []*jwtsvid.SVID{old, fresh} {
		if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), source, svid.Audience); err != nil {
			t.Error(err)
		}
	}
	if code, body := w.http("POST", w.AdminURL()+"/admin/prune-jwt", ""); code != 200 {
		t.Fatalf("prune: %d %s", code, body)
	}
	w.eventually("the old key to go", func() bool { return keys() == 1 })
	if _, err := jwtsvid.ParseAndValidate(old.Marshal(), source, old.Audience); err == nil || !strings.Contains(err.Error(), "no JWT authority") {
		t.Errorf("the old key still verifies: %v", err)
	}
	if _, err := jwtsvid.ParseAndValidate(fresh.Marshal(), source, fresh.Audience); err != nil {
		t.Error(err)
	}
}

func TestAutomaticRotationKeepsTheBundleSmall(t *testing.T) {
	cfg := testConfig(t)
	cfg.RotateInterval = Duration(10 * time.Millisecond)
	w := startWith(t, cfg)
	seen := map[string]bool{}
	w.eventually("five keys, two at a time", func() bool {
		state := w.State()
		seen[state.JWT.Active] = true
		if n := len(state.Kids.Server); n > 3 {
			t.Fatalf("%d keys in the bundle", n)
		}
		return len(seen) >= 5
	})
}

func TestEntriesReachTheAgentAndLeaveIt(t *testing.T) {
	w := startWorld(t, WithAttestor(as("new", "comer")))
	c := w.client()
	fetch := func() error {
		_, err := c.FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
		return err
	}
	wantStatus(t, fetch(), codes.PermissionDenied, "no identity issued")
	api := entryv1.NewEntryClient(w.dial(w.ServerAddr()))
	created := w.create(api, entryFor(t, "/ns/new/sa/comer", "k8s:ns:new"))
	w.eventually("the new entry", func() bool { return fetch() == nil })

	stream := w.watchX509()
	stream.next()
	if _, err := api.BatchDeleteEntry(w.ctx, &entryv1.BatchDeleteEntryRequest{Ids: []string{created.Id}}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, <-stream.ended, codes.PermissionDenied, "no identity issued")
	wantStatus(t, fetch(), codes.PermissionDenied, "no identity issued")
}

func TestEntryWithAnotherParentNeverReachesTheAgent(t *testing.T) {
	w := startWorld(t, WithAttestor(as("new", "comer")))
	api := entryv1.NewEntryClient(w.dial(w.ServerAddr()))
	e := entryFor(t, "/ns/new/sa/comer", "k8s:ns:new")
	e.ParentId = protoID(t, "spiffe://neural-hive.local/cluster/other")
	w.create(api, e)
	w.agent.sync()
	_, err := w.client().FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	wantStatus(t, err, codes.PermissionDenied, "no identity issued")
}

func TestEntryLives(t *testing.T) {
	w := startWorld(t, WithAttestor(as("new", "comer")))
	api := entryv1.NewEntryClient(w.dial(w.ServerAddr()))
	e := entryFor(t, "/ns/new/sa/comer", "k8s:ns:new")
	e.JwtSvidTtl, e.X509SvidTtl, e.DnsNames, e.Hint = 7, 9, []string{"comer.test"}, "internal"
	w.create(api, e)
	w.agent.sync()
	svid := w.fetch(w.client(), vaultAudience)
	if life := svid.Claims["exp"].(float64) - svid.Claims["iat"].(float64); life != 7 || svid.Hint != "internal" {
		t.Errorf("JWT-SVID lives %v s with hint %q", life, svid.Hint)
	}
	cert := w.watchX509().next()
	if life := cert.NotAfter.Sub(cert.NotBefore) - backdate; life != 9*time.Second || cert.DNSNames[0] != "comer.test" {
		t.Errorf("X509-SVID lives %v for %v", life, cert.DNSNames)
	}
}

func TestJWTSVIDNeverOutlivesItsKey(t *testing.T) {
	cfg := testConfig(t)
	cfg.CATTL = Duration(5 * time.Second)
	w := startWith(t, cfg)
	svid := w.fetch(w.client(), vaultAudience)
	if end := w.authority.jwtSigner().notAfter; svid.Expiry.After(end) {
		t.Errorf("ends %v, the key %v", svid.Expiry, end)
	}
}

func TestOneEntryForAHint(t *testing.T) {
	cfg := testConfig(t)
	cfg.Entries = []Entry{
		{SPIFFEID: "spiffe://neural-hive.local/a", Selectors: []string{"k8s:ns:new"}, Hint: "x"},
		{SPIFFEID: "spiffe://neural-hive.local/b", Selectors: []string{"k8s:ns:new"}, Hint: "x"},
		{SPIFFEID: "spiffe://neural-hive.local/c", Selectors: []string{"k8s:ns:new"}},
		{SPIFFEID: "spiffe://neural-hive.local/d", Selectors: []string{"k8s:ns:new"}},
	}
	w := startWith(t, cfg, WithAttestor(as("new", "comer")))
	svids, err := w.client().FetchJWTSVIDs(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, svid := range svids {
		got = append(got, svid.ID.Path())
	}
	if strings.Join(got, " ") != "/a /c /d" {
		t.Errorf("got %v", got)
	}
}

func TestDiscoveryDocument(t *testing.T) {
	w := startWorld(t)
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	w.getJSON(w.OIDCURL()+"/.well-known/openid-configuration", &doc)
	if doc.Issuer != w.OIDCURL() || doc.JWKSURI != w.OIDCURL()+"/keys" {
		t.Errorf("got %+v", doc)
	}
	var set jose.JSONWebKeySet
	w.getJSON(doc.JWKSURI, &set)
	if len(set.Keys) != 1 || set.Keys[0].Use != "sig" || set.Keys[0].Algorithm != "ES256" || set.Keys[0].KeyID == "" || !set.Keys[0].IsPublic() {
		t.Errorf("got %+v", set)
	}
	if code, body := w.http("POST", doc.JWKSURI, ""); code != 405 || body != "method not allowed\n" {
		t.Errorf("got %d %q", code, body)
	}
}

func TestStaleSocketFileIsReplaced(t *testing.T) {
	cfg := testConfig(t)
	if err := os.MkdirAll(strings.TrimSuffix(cfg.WorkloadSocket, "/api.sock"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", cfg.WorkloadSocket)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w := startWith(t, cfg)
	w.fetch(w.client(), vaultAudience)
}
