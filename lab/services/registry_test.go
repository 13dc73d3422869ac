package services

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tandem/lab/spiffe"
)

const (
	workerID   = "spiffe://neural-hive.local/ns/neural-hive-execution/sa/worker-agents"
	workerNS   = "k8s:ns:neural-hive-execution"
	workerSA   = "k8s:sa:worker-agents"
	registryID = "service-registry.neural-hive.local"
)

// registryBench is a real registry and a real client, with a real Workload API between them.
type registryBench struct {
	t           *testing.T
	spire       *spiffe.Server
	client      *registryClient
	guard       *verifier
	bundle      *trustBundle
	clientLog   *recorder
	registryLog *recorder

	mu        sync.Mutex
	selectors []string
}

func (b *registryBench) attest(context.Context, spiffe.Peer) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.selectors), nil
}

func newRegistryBench(t *testing.T) *registryBench {
	t.Helper()
	b := &registryBench{t: t, clientLog: &recorder{}, registryLog: &recorder{}, selectors: []string{workerNS, workerSA}}
	cfg := Config{
		Name: Worker, WorkloadSocket: filepath.Join(t.TempDir(), "w.sock"), RegistryAddr: freeAddr(t), Tick: Duration(50 * time.Millisecond),
	}.withDefaults()
	spire, err := spiffe.Start(t.Context(), spiffe.Config{
		TrustDomain: cfg.TrustDomain, WorkloadSocket: cfg.WorkloadSocket, ServerSocket: filepath.Join(t.TempDir(), "s.sock"),
		OIDCAddr: freeAddr(t), AdminAddr: freeAddr(t), JWTTTL: spiffe.Duration(2 * time.Second), SyncInterval: spiffe.Duration(20 * time.Millisecond),
	}, spiffe.WithAttestor(b.attest))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spire.Close() })
	b.spire = spire
	b.startRegistry(cfg)
	b.startClient(cfg)
	until(t, "the verifier has a bundle", func() bool { return b.bundle.current() != nil })
	return b
}

func (b *registryBench) startRegistry(cfg Config) {
	m, log := newMetrics(ServiceRegistry), b.registryLog.logger()
	behaviour := mustSwitches(b.t, Behaviour{})
	b.bundle = &trustBundle{socket: cfg.WorkloadSocket, retry: cfg.tick(), behaviour: behaviour, metrics: m, log: log}
	b.guard = &verifier{bundles: b.bundle, behaviour: behaviour, metrics: m, log: log, cfg: cfg, now: time.Now}
	listener, err := net.Listen("tcp", cfg.RegistryAddr)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context) error{
		b.bundle.run, b.bundle.follow,
		func(ctx context.Context) error { return serveRegistry(ctx, listener, b.guard, log) },
	} {
		loops.Go(func() {
			if err := loop(ctx); err != nil {
				b.t.Error(err)
			}
		})
	}
	b.t.Cleanup(func() { cancel(); loops.Wait() })
}

func (b *registryBench) startClient(cfg Config) {
	m, log := newMetrics(Worker), b.clientLog.logger()
	id := newIdentity(cfg, m, log)
	client, err := newRegistryClient(cfg, id, mustSwitches(b.t, Behaviour{}), m, log)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client = client
	b.t.Cleanup(func() { client.close(); id.close() })
}

func (b *registryBench) call() bool {
	_, ok := b.client.call(b.t.Context(), methodDiscover, "", flow{requestID: "req-1", planID: "plan-1"})
	return ok
}

// wantRefused calls until the verifier refuses for the reason, and checks what both sides say of it.
func (b *registryBench) wantRefused(reason, clientEvent, clientReason, serverReason string) map[string]any {
	b.t.Helper()
	until(b.t, "refused as "+reason, func() bool {
		if b.call() {
			return false
		}
		events := b.registryLog.events(b.t, "jwt_invalid")
		return len(events) > 0 && events[len(events)-1]["reason"] == reason
	})
	b.wantCounted(clientEvent, clientReason, serverReason)
	return b.registryLog.last(b.t, "jwt_invalid")
}

func (b *registryBench) wantCounted(clientEvent, clientReason, serverReason string) {
	b.t.Helper()
	if event := b.clientLog.last(b.t, clientEvent); event["request_id"] != "req-1" {
		b.t.Errorf("%s = %v, want the request_id", clientEvent, event)
	}
	if testutil.ToFloat64(b.client.metrics.clientFailures.WithLabelValues(ServiceRegistry, clientReason)) == 0 {
		b.t.Errorf("client counted no failure %q", clientReason)
	}
	if testutil.ToFloat64(b.guard.metrics.serverFailures.WithLabelValues(methodDiscover, serverReason)) == 0 {
		b.t.Errorf("verifier counted no failure %q", serverReason)
	}
	if strings.Contains(b.clientLog.text()+b.registryLog.text(), "eyJ") {
		b.t.Error("a token is in the log")
	}
}

func TestRegistryLetsAFreshTokenIn(t *testing.T) {
	b := newRegistryBench(t)
	if !b.call() {
		t.Fatalf("call failed:\n%s\n%s", b.clientLog.text(), b.registryLog.text())
	}
	if got := testutil.ToFloat64(b.guard.metrics.serverAttempts.WithLabelValues(methodDiscover, statusSuccess)); got != 1 {
		t.Errorf("grpc_auth_attempts_total{success} = %v, want 1", got)
	}
	if got := testutil.ToFloat64(b.client.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusSuccess)); got != 1 {
		t.Errorf("grpc_jwt_auth_attempts_total{success} = %v, want 1", got)
	}
	event := b.clientLog.last(t, "jwt_svid_added_to_metadata")
	if event["spiffe_id"] != workerID || event["kid"] == "" || event["request_id"] != "req-1" {
		t.Errorf("jwt_svid_added_to_metadata = %v", event)
	}
}

func TestRegistryCarriesPlansFromOrchestratorToWorker(t *testing.T) {
	b := newRegistryBench(t)
	if _, ok := b.client.call(t.Context(), methodAnnounce, "plan-7", flow{requestID: "req-7", planID: "plan-7"}); !ok {
		t.Fatal("announce failed")
	}
	plan, ok := b.client.call(t.Context(), methodDiscover, "", flow{requestID: "req-8"})
	if !ok || plan != "plan-7" {
		t.Errorf("discover = %q, %v; want plan-7", plan, ok)
	}
	if event := b.registryLog.last(t, "service_discovered"); event["plan_id"] != "plan-7" || event["request_id"] != "req-8" {
		t.Errorf("service_discovered = %v", event)
	}
}

func TestWrongAudienceIsRefusedWithBothAudiences(t *testing.T) {
	for name, breakIt := range map[string]func(*registryBench){
		"client":   func(b *registryBench) { change(b.t, b.client.behaviour, `{"audience":"other.audience"}`) },
		"verifier": func(b *registryBench) { change(b.t, b.guard.behaviour, `{"verifier_audience":"other.audience"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newRegistryBench(t)
			breakIt(b)
			event := b.wantRefused("audience", "authentication_failed", "unauthenticated", "invalid_token")
			expected, actual := event["expected_audience"], event["actual_audience"].([]any)[0]
			if got := []any{expected, actual}; !slices.Contains(got, any("other.audience")) || !slices.Contains(got, any(registryID)) {
				t.Errorf("expected %v, actual %v", expected, actual)
			}
			if n := len(b.clientLog.events(t, "grpc_discovery_error")); n != 0 {
				t.Errorf("%d grpc_discovery_error: it excludes refused callers", n)
			}
		})
	}
}

func TestCachedTokenIsRefusedOnceItExpires(t *testing.T) {
	b := newRegistryBench(t)
	change(t, b.client.behaviour, `{"svid":"cached"}`)
	if !b.call() {
		t.Fatal("the cached token is refused while it is valid")
	}
	b.wantRefused("expired", "authentication_failed", "unauthenticated", "invalid_token")
	change(t, b.client.behaviour, `{"svid":"ok"}`)
	until(t, "a fresh token is taken", b.call)
}

func TestFrozenBundleDoesNotKnowTheNextKey(t *testing.T) {
	b := newRegistryBench(t)
	change(t, b.guard.behaviour, `{"verifier_bundle":"frozen"}`)
	until(t, "the bundle is frozen", func() bool { b.bundle.mu.Lock(); defer b.bundle.mu.Unlock(); return b.bundle.frozen != nil })
	if err := b.spire.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	event := b.wantRefused("unknown_key", "authentication_failed", "unauthenticated", "invalid_token")
	if known := kids(b.bundle.current()); event["kid"] == "" || slices.Contains(known, event["kid"].(string)) {
		t.Errorf("kid %v, verifier knows %v: want an unknown one", event["kid"], known)
	}
	change(t, b.guard.behaviour, `{"verifier_bundle":"live"}`)
	until(t, "the live bundle knows it", b.call)
}

func TestPlaceholderIsMalformedWhileClientMetricsAreGreen(t *testing.T) {
	b := newRegistryBench(t)
	change(t, b.client.behaviour, `{"svid":"placeholder"}`)
	b.wantRefused("malformed", "authentication_failed", "unauthenticated", "invalid_token")
	b.clientLog.last(t, "jwt_svid_is_placeholder")
	if got := testutil.ToFloat64(b.client.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusError)); got != 0 {
		t.Errorf("grpc_jwt_auth_attempts_total{error} = %v, want 0: success means attached", got)
	}
}

func TestSPIFFEIDOffTheListIsDenied(t *testing.T) {
	b := newRegistryBench(t)
	change(t, b.guard.behaviour, `{"verifier_allow_list":[]}`)
	if b.call() {
		t.Fatal("let in although nobody is on the list")
	}
	b.wantCounted("authorization_failed", "permission_denied", "unauthorized")
	if event := b.registryLog.last(t, "authorization_failed"); event["spiffe_id"] != workerID || event["grpc_code"] != "PERMISSION_DENIED" {
		t.Errorf("authorization_failed = %v", event)
	}
	change(t, b.guard.behaviour, `{"verifier_allow_list":null}`)
	if !b.call() {
		t.Error("not let in with the configured list")
	}
}

func TestWithoutIdentityTheCallIsNotMade(t *testing.T) {
	b := newRegistryBench(t)
	b.mu.Lock()
	b.selectors = []string{"k8s:ns:elsewhere"}
	b.mu.Unlock()
	if b.call() {
		t.Fatal("called without an identity")
	}
	b.clientLog.last(t, "jwt_auth_required_fallback_disabled")
	event := b.clientLog.last(t, "spiffe_initialization_failed")
	if event["code"] != "PermissionDenied" || !strings.Contains(event["error"].(string), "no identity issued") {
		t.Errorf("spiffe_initialization_failed = %v", event)
	}
	if got := testutil.ToFloat64(b.client.metrics.clientFailures.WithLabelValues(ServiceRegistry, "fetch_failed")); got != 1 {
		t.Errorf("grpc_jwt_auth_failures_total{fetch_failed} = %v, want 1", got)
	}
}

func TestOptionalJWTFallsBackAndIsMissing(t *testing.T) {
	b := newRegistryBench(t)
	b.client.cfg.JWTOptional = true
	b.mu.Lock()
	b.selectors = []string{"k8s:ns:elsewhere"}
	b.mu.Unlock()
	if b.call() {
		t.Fatal("let in without a token")
	}
	b.wantCounted("authentication_failed", "unauthenticated", "missing_token")
	if got := testutil.ToFloat64(b.client.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusFallback)); got != 1 {
		t.Errorf("grpc_jwt_auth_attempts_total{fallback} = %v, want 1", got)
	}
}

func TestUnreachableRegistryIsADiscoveryError(t *testing.T) {
	b := newRegistryBench(t)
	cfg := b.client.cfg
	cfg.RegistryAddr = freeAddr(t)
	b.startClient(cfg)
	if b.call() {
		t.Fatal("called nobody with success")
	}
	if event := b.clientLog.last(t, "grpc_discovery_error"); event["grpc_code"] != "UNAVAILABLE" {
		t.Errorf("grpc_discovery_error = %v, want UNAVAILABLE", event)
	}
}

// verdict asks a verifier without a network: the reason that it logs, and the error that the caller gets.
func verdict(t testing.TB, set *jwtbundle.Set, token string) (string, error) {
	t.Helper()
	behaviour, err := newSwitches(Behaviour{})
	if err != nil {
		t.Fatal(err)
	}
	log := &recorder{}
	v := &verifier{
		bundles: &trustBundle{live: set}, behaviour: behaviour, metrics: newMetrics(ServiceRegistry),
		log: log.logger(), cfg: Config{Name: ServiceRegistry}.withDefaults(), now: time.Now,
	}
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs(headerAuthorization, "Bearer "+token))
	err = v.admit(ctx, methodDiscover)
	for _, event := range eventsIn(t, log.text(), "jwt_invalid") {
		return event["reason"].(string), err
	}
	return "", err
}

func FuzzVerifier(f *testing.F) {
	key := newKey(f)
	td := spiffeid.RequireTrustDomainFromString("neural-hive.local")
	set := jwtbundle.NewSet(jwtbundle.FromJWTAuthorities(td, map[string]crypto.PublicKey{"kid-1": key.Public()}))
	f.Add(placeholderToken)
	f.Add("")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(sign(f, newKey(f), "kid-1", jwt.Claims{Subject: workerID, Audience: jwt.Audience{registryID}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour))}))
	f.Fuzz(func(t *testing.T, token string) {
		reason, err := verdict(t, set, token)
		if err == nil {
			t.Errorf("let in a token that nobody signed: %q", token)
		}
		if token != "" && reason == "" {
			t.Errorf("refused without a reason: %v", err)
		}
	})
}

func TestVerifierTellsTheRarerFaultsApart(t *testing.T) {
	key, other := newKey(t), newKey(t)
	td := spiffeid.RequireTrustDomainFromString("neural-hive.local")
	set := jwtbundle.NewSet(jwtbundle.FromJWTAuthorities(td, map[string]crypto.PublicKey{"kid-1": key.Public()}))
	now := time.Now()
	good := jwt.Claims{Subject: workerID, Audience: jwt.Audience{registryID}, Expiry: jwt.NewNumericDate(now.Add(time.Minute))}
	tests := []struct {
		name, reason string
		code         codes.Code
		set          *jwtbundle.Set
		key          *ecdsa.PrivateKey
		kid          string
		change       func(*jwt.Claims)
	}{
		{"right", "", codes.OK, set, key, "kid-1", func(*jwt.Claims) {}},
		{"forged", "signature", codes.Unauthenticated, set, other, "kid-1", func(*jwt.Claims) {}},
		{"no bundle yet", "no_bundle", codes.Unavailable, nil, key, "kid-1", func(*jwt.Claims) {}},
		{"other trust domain", "unknown_key", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.Subject = "spiffe://elsewhere/x" }},
		{"no subject", "malformed", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.Subject = "" }},
		{"no expiry", "malformed", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.Expiry = nil }},
		{"expired a second ago", "expired", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Second)) }},
		{"expired long ago", "expired", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Hour)) }},
		{"from the future", "not_yet_valid", codes.Unauthenticated, set, key, "kid-1", func(c *jwt.Claims) { c.IssuedAt = jwt.NewNumericDate(now.Add(time.Hour)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims := good
			tt.change(&claims)
			reason, err := verdict(t, tt.set, sign(t, tt.key, tt.kid, claims))
			if reason != tt.reason || status.Code(err) != tt.code {
				t.Errorf("reason %q, code %v; want %q, %v", reason, status.Code(err), tt.reason, tt.code)
			}
		})
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key *ecdsa.PrivateKey, kid string, claims jwt.Claims) string {
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
