package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// canaries stand for what must never be said.
const (
	canaryToken    = "hvs.CAESICANARYCANARYCANARYCANARY"
	canaryPassword = "canary-database-password"
	canaryURI      = "mongodb://orchestrator:canary-mongo-password@127.0.0.1:1/?authSource=admin"
)

// stubVault answers as Vault 1.21 does, for the few paths that a service asks.
type stubVault struct {
	*httptest.Server
	kv func(w http.ResponseWriter)
}

func newStubVault(t *testing.T) *stubVault {
	t.Helper()
	stub := &stubVault{kv: func(w http.ResponseWriter) { answer(w, 200, secretBody(fmt.Sprintf(`{"uri":%q}`, canaryURI))) }}
	mux := http.NewServeMux()
	auth := fmt.Sprintf(`{"auth":{"client_token":%q,"accessor":"the-accessor","lease_duration":20,"renewable":true}}`, canaryToken)
	mux.HandleFunc("PUT /v1/auth/jwt/login", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Role, JWT string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.JWT == "" || r.Header.Get("X-Vault-Token") != "" {
			answer(w, 400, `{"errors":["missing jwt, or a token was sent to log in with"]}`)
			return
		}
		if body.Role == "mistyped" {
			answer(w, 400, `{"errors":["role \"mistyped\" could not be found"]}`)
			return
		}
		answer(w, 200, auth)
	})
	mux.HandleFunc("PUT /v1/auth/token/renew-self", authenticated(func(w http.ResponseWriter) { answer(w, 200, auth) }))
	mux.HandleFunc("PUT /v1/auth/token/revoke-self", authenticated(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }))
	mux.HandleFunc("GET /v1/database/creds/temporal-orchestrator", authenticated(func(w http.ResponseWriter) {
		answer(w, 200, fmt.Sprintf(`{"lease_id":"database/creds/x/1","lease_duration":20,"renewable":true,"data":{"username":"v-x","password":%q}}`, canaryPassword))
	}))
	mux.HandleFunc("PUT /v1/sys/leases/renew", authenticated(func(w http.ResponseWriter) {
		answer(w, 200, `{"lease_id":"database/creds/x/1","lease_duration":20,"renewable":true}`)
	}))
	mux.HandleFunc("GET /v1/secret/data/orchestrator/mongodb", authenticated(func(w http.ResponseWriter) { stub.kv(w) }))
	stub.Server = httptest.NewServer(mux)
	t.Cleanup(stub.Close)
	return stub
}

func authenticated(next func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != canaryToken {
			answer(w, 403, `{"errors":["permission denied","invalid token"]}`)
			return
		}
		next(w)
	}
}

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body))
}

func secretBody(data string) string {
	return `{"data":{"data":` + data + `,"metadata":{"version":3,"destroyed":false,"deletion_time":""}}}`
}

func newTestVaultClient(t *testing.T, addr string) *vaultClient {
	t.Helper()
	v, err := newVaultClient(Config{Name: Orchestrator, VaultAddr: addr}.withDefaults(), newMetrics(Orchestrator))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.api.CloneConfig().HttpClient.CloseIdleConnections)
	return v
}

func TestVaultClientSpeaksVaultsAPI(t *testing.T) {
	v := newTestVaultClient(t, newStubVault(t).URL)
	if _, err := v.renewSelf(t.Context()); vaultStatus(err) != http.StatusForbidden {
		t.Errorf("renew before login = %v, want 403", err)
	}
	tok, err := v.login(t.Context(), "orchestrator-dynamic", "jwt")
	if want := (token{accessor: "the-accessor", ttl: 20 * time.Second, renewable: true}); err != nil || tok != want {
		t.Fatalf("login = %+v, %v; want %+v", tok, err, want)
	}
	if tok, err = v.renewSelf(t.Context()); err != nil || tok.ttl != 20*time.Second {
		t.Errorf("renewSelf = %+v, %v", tok, err)
	}
	cred, err := v.issue(t.Context())
	if want := (credential{username: "v-x", password: canaryPassword, leaseID: "database/creds/x/1", ttl: 20 * time.Second, renewable: true}); err != nil || cred != want {
		t.Errorf("issue: error %v, or not the account that Vault gave", err)
	}
	if cred, err = v.renew(t.Context(), cred.leaseID); err != nil || cred.ttl != 20*time.Second {
		t.Errorf("renew: ttl %v, %v", cred.ttl, err)
	}
	if got := testutil.ToFloat64(v.metrics.vaultRequests.WithLabelValues(opDatabaseCredentials, statusSuccess)); got != 1 {
		t.Errorf("vault_requests_total{get_database_credentials} = %v, want 1", got)
	}
	if err := v.revokeSelf(t.Context()); err != nil {
		t.Errorf("revokeSelf = %v", err)
	}
}

func TestVaultClientLogsInAfreshAlthoughItsTokenIsDead(t *testing.T) {
	v := newTestVaultClient(t, newStubVault(t).URL)
	v.api.SetToken("dead")
	if _, err := v.login(t.Context(), "orchestrator-dynamic", "jwt"); err != nil {
		t.Errorf("login = %v: the dead token must not be sent along", err)
	}
}

func TestSecretValueTellsItsFaultsApart(t *testing.T) {
	tests := []struct {
		name, body, reason string
		code               int
	}{
		{"there", secretBody(`{"uri":"x"}`), "", 200},
		{"never written", `{"errors":[]}`, "secret_missing", 404},
		{"deleted", `{"data":{"data":null,"metadata":{"version":3,"deletion_time":"2026-01-01T00:00:00Z"}}}`, "secret_missing", 404},
		{"no such key", secretBody(`{"url":"x"}`), "key_missing", 200},
		{"empty value", secretBody(`{"uri":""}`), "key_missing", 200},
		{"value of another kind", secretBody(`{"uri":{"a":1}}`), "key_missing", 200},
		{"denied", `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`, "secret_denied", 403},
		{"sealed", `{"errors":["Vault is sealed"]}`, "vault_unavailable", 503},
		{"garbage", `<html>`, "vault_unavailable", 200},
		{"v1 mount", `{"data":{"uri":"x"}}`, "secret_missing", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub := newStubVault(t)
			stub.kv = func(w http.ResponseWriter) { answer(w, tt.code, tt.body) }
			v := newTestVaultClient(t, stub.URL)
			if _, err := v.login(t.Context(), "orchestrator-dynamic", "jwt"); err != nil {
				t.Fatal(err)
			}
			value, state := v.secretValue(t.Context(), "secret", "orchestrator/mongodb", "uri")
			if state.reason != tt.reason || (value == "") != (tt.reason != "") {
				t.Errorf("reason %q (%v), want %q", state.reason, state.fields, tt.reason)
			}
		})
	}
}

func TestDeletedSecretSaysWhen(t *testing.T) {
	stub := newStubVault(t)
	stub.kv = func(w http.ResponseWriter) {
		answer(w, 404, `{"data":{"data":null,"metadata":{"version":3,"destroyed":false,"deletion_time":"2026-01-01T00:00:00Z"}}}`)
	}
	v := newTestVaultClient(t, stub.URL)
	if _, err := v.login(t.Context(), "orchestrator-dynamic", "jwt"); err != nil {
		t.Fatal(err)
	}
	_, state := v.secretValue(t.Context(), "secret", "orchestrator/mongodb", "uri")
	log := &recorder{}
	log.logger().Error("mongodb_connection_failed", state.fields...)
	event := log.last(t, "mongodb_connection_failed")
	if event["status_code"] != 404.0 || event["deletion_time"] != "2026-01-01T00:00:00Z" || event["version"] != 3.0 {
		t.Errorf("event = %v", event)
	}
}

func TestErrorClasses(t *testing.T) {
	stub := newStubVault(t)
	v := newTestVaultClient(t, stub.URL)
	_, mistyped := v.login(t.Context(), "mistyped", "jwt")
	_, unreachable := newTestVaultClient(t, "http://"+freeAddr(t)).login(t.Context(), "x", "jwt")
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(html.Close)
	_, garbage := newTestVaultClient(t, html.URL).login(t.Context(), "x", "jwt")
	for want, err := range map[string]error{
		"invalid_request": mistyped, "unreachable": unreachable, "malformed_answer": garbage,
		"identity": fmt.Errorf("%w: %w", errIdentity, errors.New("socket missing")),
	} {
		if got := errorClass(err); err == nil || got != want {
			t.Errorf("errorClass(%v) = %q, want %q", err, got, want)
		}
	}
	if text := vaultText(mistyped); text != `role "mistyped" could not be found` {
		t.Errorf("vaultText = %q, want Vault's own words and nothing else", text)
	}
	if strings.Contains(vaultText(garbage), canaryToken) {
		t.Error("a token is in the text")
	}
}
