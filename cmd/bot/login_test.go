package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.uber.org/goleak"

	"tandem/config"
	"tandem/lab/spiffe"
)

// TestLoginByJWTSVID logs in with an identity from a real Workload API.
func TestLoginByJWTSVID(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir, err := os.MkdirTemp("", "tandem") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	agent, err := spiffe.Start(context.Background(), spiffe.Config{
		TrustDomain: "neural-hive.local", WorkloadSocket: filepath.Join(dir, "w.sock"), ServerSocket: filepath.Join(dir, "s.sock"),
		OIDCAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = agent.Close() }()

	logins := make(chan map[string]string, 1)
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		body["path"] = r.URL.Path
		logins <- body
		_, _ = w.Write([]byte(`{"auth":{"client_token":"` + canary + `","lease_duration":60,"renewable":true}}`))
	}))
	defer vault.Close()
	id := identityOf(t, &config.Config{
		Vault: &config.Vault{Address: vault.URL, Identity: config.Identity{
			JWTSVID: &config.JWTSVID{Mount: "jwt", Role: "tandem", Audience: "vault.neural-hive.local"},
		}},
		SPIFFE: &config.SPIFFE{WorkloadAPISocket: config.Endpoint("unix://" + filepath.Join(dir, "w.sock"))},
	}, quiet())
	id.once(t.Context())
	if why := id.why(); why != nil {
		t.Fatalf("not logged in: %+v", why)
	}
	login := wait(t, logins, "the login")
	if login["path"] != "/v1/auth/jwt/login" || login["role"] != "tandem" {
		t.Errorf("logged in at %s as %s", login["path"], login["role"])
	}
	assertSVID(t, login["jwt"])
	id.client.CloneConfig().HttpClient.CloseIdleConnections()
}

func assertSVID(t *testing.T, token string) {
	t.Helper()
	var claims jwt.Claims
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(claims.Subject, "spiffe://neural-hive.local/") || !claims.Audience.Contains("vault.neural-hive.local") {
		t.Errorf("claims %+v", claims)
	}
}
