package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"go.uber.org/goleak"

	"tandem/config"
	"tandem/diagnostics"
)

const canary = "hvs.CANARY-hunter2"

// standIn is a Vault that gives tokens of a second's life.
type standIn struct {
	*httptest.Server

	logins  chan string // path of each login
	renewed chan struct{}
	revoked chan string // tokens

	mu     sync.Mutex
	status int // of a login; 0: 200
	renews bool
	ttl    int
	dead   bool // no token is known
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{logins: make(chan string, 100), renewed: make(chan struct{}, 100), revoked: make(chan string, 10), ttl: 1}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) set(change func(*standIn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status, renews, ttl, dead := s.status, s.renews, s.ttl, s.dead
	s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/login"):
		s.logins <- r.URL.Path
		if status != 0 {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"errors":["permission denied: ` + canary + `"]}`))
			return
		}
		s.auth(w, renews, ttl)
	case strings.HasSuffix(r.URL.Path, "/renew-self"):
		select {
		case s.renewed <- struct{}{}:
		default: // nobody reads that many
		}
		if !renews {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.auth(w, renews, ttl)
	case strings.HasSuffix(r.URL.Path, "/revoke-self"):
		s.revoked <- r.Header.Get("X-Vault-Token")
		w.WriteHeader(http.StatusNoContent)
	case dead:
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":["permission denied","invalid token"]}`))
	default:
		_, _ = w.Write([]byte(`{"data":{"ok":true}}`))
	}
}

func (s *standIn) auth(w http.ResponseWriter, renewable bool, ttl int) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"auth": map[string]any{"client_token": canary, "lease_duration": ttl, "renewable": renewable},
	})
}

// byAppRoleAt is a configuration whose identity is an AppRole of the stand-in.
func byAppRoleAt(t *testing.T, address string) *config.Config {
	t.Helper()
	file := config.Path(filepath.Join(t.TempDir(), "credential"))
	if err := os.WriteFile(string(file), []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	return &config.Config{Vault: &config.Vault{Address: address, Identity: config.Identity{
		AppRole: &config.AppRole{RoleID: config.Ref{File: file}, SecretID: config.Ref{File: file}, Mount: "approle"},
	}}}
}

func identityOf(t *testing.T, c *config.Config, log *slog.Logger) *identity {
	t.Helper()
	id, err := newIdentity(c, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(id.client.CloneConfig().HttpClient.CloseIdleConnections)
	return id
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestOneLoginForOneDiagnosisIsGivenBack(t *testing.T) {
	vault := newStandIn(t)
	id := identityOf(t, byAppRoleAt(t, vault.URL), quiet())
	if _, err := id.client.Logical().Read("secret/metadata/x"); err == nil || id.why() == nil {
		t.Fatalf("a request passed before the login: %v", err)
	}
	id.once(t.Context())
	if got := wait(t, vault.logins, "the login"); got != "/v1/auth/approle/login" {
		t.Errorf("logged in at %s", got)
	}
	if _, err := id.client.Logical().Read("secret/metadata/x"); err != nil {
		t.Errorf("read after the login: %v", err)
	}
	id.release(t.Context())
	if got := wait(t, vault.revoked, "the revocation"); got != canary {
		t.Error("another token was revoked")
	}
}

func TestAFailedLoginIsToldToTheChecks(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   diagnostics.Reason
	}{
		"denied":    {http.StatusForbidden, diagnostics.ReasonDenied},
		"wrong":     {http.StatusBadRequest, diagnostics.ReasonDenied},
		"throttled": {http.StatusTooManyRequests, diagnostics.ReasonThrottled},
		"sealed":    {http.StatusServiceUnavailable, diagnostics.ReasonUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			vault := newStandIn(t)
			vault.set(func(s *standIn) { s.status = tt.status })
			id := identityOf(t, byAppRoleAt(t, vault.URL), quiet())
			id.once(t.Context())
			assertBlind(t, id, tt.want)
			id.release(t.Context()) // there is nothing to give back
			if len(vault.revoked) > 0 {
				t.Error("a token was revoked that never was")
			}
		})
	}
}

// assertBlind asks something with the identity's client, as a probe does, and
// wants to be told why that cannot be.
func assertBlind(t *testing.T, id *identity, want diagnostics.Reason) {
	t.Helper()
	_, err := id.client.Logical().Read("secret/metadata/x")
	var blind *diagnostics.BlindError
	if !errors.As(err, &blind) || blind.Reason != want || blind.Next.EN == "" || blind.Next.PT == "" {
		t.Fatalf("got %v, want reason %s with a next step", err, want)
	}
	if strings.Contains(blind.Detail+blind.Next.EN+blind.Next.PT+blind.Error(), "CANARY") {
		t.Errorf("the reason repeats a secret: %+v", blind)
	}
	if _, err := id.client.Sys().Health(); err != nil && errors.As(err, &blind) {
		t.Errorf("the health of Vault, which needs no token, is hidden: %v", err)
	}
}

func TestLoginsThatCannotBeTried(t *testing.T) {
	absent := config.Path(filepath.Join(t.TempDir(), "absent"))
	nobody := unusedAddress(t)
	for name, tt := range map[string]struct {
		config *config.Config
		want   diagnostics.Reason
	}{
		"no token file": {
			&config.Config{Vault: &config.Vault{Address: nobody, Identity: config.Identity{TokenFile: absent}}},
			diagnostics.ReasonNotConfigured,
		},
		"no service account": {
			&config.Config{Vault: &config.Vault{Address: nobody, Identity: config.Identity{
				Kubernetes: &config.Kubernetes{Mount: "kubernetes", Role: "r", TokenFile: absent},
			}}},
			diagnostics.ReasonNotConfigured,
		},
		"no Workload API": {
			&config.Config{
				Vault:  &config.Vault{Address: nobody, Identity: config.Identity{JWTSVID: &config.JWTSVID{Mount: "jwt", Role: "r", Audience: "a"}}},
				SPIFFE: &config.SPIFFE{WorkloadAPISocket: config.Endpoint("unix://" + string(absent))},
			},
			diagnostics.ReasonUnreachable,
		},
		"nobody listens": {byAppRoleAt(t, nobody), diagnostics.ReasonUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			id := identityOf(t, tt.config, quiet())
			id.once(t.Context())
			assertBlind(t, id, tt.want)
		})
	}
}

func TestATokenFileIsReadAgainAndNeverRevoked(t *testing.T) {
	vault := newStandIn(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := identityOf(t, &config.Config{Vault: &config.Vault{Address: vault.URL, Identity: config.Identity{TokenFile: config.Path(file)}}}, quiet())
	id.once(t.Context())
	if id.client.Token() != "hvs.first" {
		t.Error("the token of the file was not taken up")
	}
	if err := os.WriteFile(file, []byte("hvs.second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id.once(t.Context())
	if id.client.Token() != "hvs.second" {
		t.Error("the new token of the file was not taken up")
	}
	id.release(t.Context())
	if len(vault.revoked) > 0 {
		t.Error("a borrowed token was revoked")
	}
}

func TestKeepRenewsAndLogsInAgain(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	vault := newStandIn(t)
	defer vault.Close()
	vault.set(func(s *standIn) { s.renews = true })
	var log syncBuffer
	id := identityOf(t, byAppRoleAt(t, vault.URL), slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		id.keep(ctx)
	}()
	wait(t, vault.logins, "the first login")
	wait(t, vault.renewed, "a renewal")
	vault.set(func(s *standIn) { s.renews = false }) // the token is lost
	wait(t, vault.logins, "the second login")
	stop()
	<-done
	id.client.CloneConfig().HttpClient.CloseIdleConnections()
	if strings.Contains(log.String(), "CANARY") {
		t.Errorf("the log has a secret:\n%s", log.String())
	}
}

// TestKeepDoesNotStorm holds that a token which Vault refuses to renew is asked
// for again with pauses only.
func TestKeepDoesNotStorm(t *testing.T) {
	vault := newStandIn(t)
	id := identityOf(t, byAppRoleAt(t, vault.URL), quiet())
	id.once(t.Context())
	secret := &api.Secret{Auth: &api.SecretAuth{ClientToken: canary, LeaseDuration: 1, Renewable: true}}
	id.hold(t.Context(), secret)
	if n := len(vault.renewed); n != 1 {
		t.Errorf("asked %d times to renew", n)
	}
}

func TestKeepNoticesARevokedToken(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	vault := newStandIn(t)
	defer vault.Close()
	vault.set(func(s *standIn) { s.ttl = 3600 })
	id := identityOf(t, byAppRoleAt(t, vault.URL), quiet())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		id.keep(ctx)
	}()
	wait(t, vault.logins, "the login")
	vault.set(func(s *standIn) { s.dead = true })
	for len(vault.logins) == 0 && t.Context().Err() == nil {
		if _, err := id.client.Logical().Read("secret/metadata/x"); err == nil {
			t.Fatal("a dead token passes")
		}
	}
	stop()
	<-done
	id.client.CloneConfig().HttpClient.CloseIdleConnections()
}

func TestKeepTriesAgainAfterAFailedLogin(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	vault := newStandIn(t)
	defer vault.Close()
	vault.set(func(s *standIn) { s.status = http.StatusServiceUnavailable })
	var log syncBuffer
	id := identityOf(t, byAppRoleAt(t, vault.URL), slog.New(slog.NewJSONHandler(&log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		id.keep(ctx)
	}()
	wait(t, vault.logins, "a login")
	vault.set(func(s *standIn) { s.status = 0 })
	wait(t, vault.logins, "another login")
	stop()
	<-done
	id.client.CloneConfig().HttpClient.CloseIdleConnections()
	if !strings.Contains(log.String(), "not logged in to vault") || strings.Contains(log.String(), "CANARY") {
		t.Errorf("the log says:\n%s", log.String())
	}
}

// wait receives from a channel, with a deadline that only a broken test meets.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(30 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

// syncBuffer is a buffer that goroutines may write to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
