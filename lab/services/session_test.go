package services

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
)

// fakeTokens is a Vault whose tokens live for ttl and at most for most.
type fakeTokens struct {
	ttl, most time.Duration

	mu       sync.Mutex
	logins   int
	roles    []string
	born     time.Time
	expires  time.Time
	renewals int
	revoked  bool
	loginErr error
	renewErr error
	svidErr  error
}

func (f *fakeTokens) svid(context.Context, string) (*jwtsvid.SVID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &jwtsvid.SVID{}, f.svidErr
}

func (f *fakeTokens) login(_ context.Context, role, _ string) (token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roles = append(f.roles, role)
	if f.loginErr != nil {
		return token{}, f.loginErr
	}
	f.logins++
	f.born, f.expires = time.Now(), time.Now().Add(f.ttl)
	return token{accessor: "accessor-of-login", ttl: f.ttl, renewable: true}, nil
}

func (f *fakeTokens) renewSelf(context.Context) (token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewals++
	if f.renewErr != nil {
		return token{}, f.renewErr
	}
	if !time.Now().Before(f.expires) {
		return token{}, &api.ResponseError{StatusCode: 403, Errors: []string{"permission denied", "invalid token"}}
	}
	left := min(f.ttl, time.Until(f.born.Add(f.most)))
	f.expires = time.Now().Add(left)
	return token{ttl: left, renewable: true}, nil
}

func (f *fakeTokens) revokeSelf(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = true
	return nil
}

func (f *fakeTokens) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// counts returns logins, renewals and whether the token lives.
func (f *fakeTokens) counts() (logins, renewals int, alive bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins, f.renewals, time.Now().Before(f.expires)
}

type sessionBench struct {
	*session
	vault *fakeTokens
	log   *recorder
}

// inSession runs a session in a bubble, where time costs nothing.
func inSession(t *testing.T, start Behaviour, body func(t *testing.T, b *sessionBench)) {
	synctest.Test(t, func(t *testing.T) {
		log := &recorder{}
		b := &sessionBench{vault: &fakeTokens{ttl: time.Minute, most: time.Hour}, log: log}
		cfg := Config{Name: Worker, AccessorFile: filepath.Join(t.TempDir(), "accessor")}.withDefaults()
		b.session = &session{
			vault: b.vault, behaviour: mustSwitches(t, start), metrics: newMetrics(Worker), log: log.logger(), cfg: cfg,
			renewed: make(chan struct{}),
			svid:    b.vault.svid,
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx) }()
		synctest.Wait()
		body(t, b)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run() = %v, want nil", err)
		}
		if !b.vault.revoked {
			t.Error("the token was not revoked at the end")
		}
	})
}

func TestSessionKeepsItsTokenAliveByRenewing(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		time.Sleep(10*time.Minute + time.Second)
		logins, renewals, alive := b.vault.counts()
		if logins != 1 || renewals != 15 || !alive {
			t.Errorf("after 10 TTLs: %d logins, %d renewals, alive %v; want 1, 15 (every 40 s), true", logins, renewals, alive)
		}
		first := b.log.last(t, "vault_integration_initialized")
		if first["token_accessor"] != "accessor-of-login" || first["ttl"] != 60.0 {
			t.Errorf("vault_integration_initialized = %v, want its accessor and ttl", first)
		}
		if got := testutil.ToFloat64(b.metrics.tokenRenewals.WithLabelValues(statusSuccess)); got != 15 {
			t.Errorf("vault_token_renewals_total{success} = %v, want 15", got)
		}
		accessor, err := os.ReadFile(b.cfg.AccessorFile)
		if err != nil || strings.TrimSpace(string(accessor)) != "accessor-of-login" {
			t.Errorf("accessor file = %q, %v", accessor, err)
		}
	})
}

func TestSessionLogsInAgainBeforeTheTokensMaximum(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		time.Sleep(65 * time.Minute)
		if logins, _, alive := b.vault.counts(); logins != 2 || !alive {
			t.Errorf("past the maximum: %d logins, alive %v; want 2, true", logins, alive)
		}
		if failures := b.log.events(t, "vault_token_renewal_failed"); len(failures) != 0 {
			t.Errorf("renewals failed: %v", failures)
		}
	})
}

func TestSessionThatNeverLogsInAgainStorms(t *testing.T) {
	inSession(t, Behaviour{TokenRenewal: behaveNeverLogin}, func(t *testing.T, b *sessionBench) {
		time.Sleep(61 * time.Minute)
		before := testutil.ToFloat64(b.metrics.tokenRenewals.WithLabelValues(statusError))
		time.Sleep(time.Minute)
		after := testutil.ToFloat64(b.metrics.tokenRenewals.WithLabelValues(statusError))
		if perSecond := (after - before) / 60; perSecond < 4 {
			t.Errorf("%.1f failing renewals a second, want a storm", perSecond)
		}
		if logins, _, _ := b.vault.counts(); logins != 1 {
			t.Errorf("%d logins, want 1", logins)
		}
		if event := b.log.last(t, "vault_token_renewal_failed"); event["status_code"] != 403.0 {
			t.Errorf("vault_token_renewal_failed = %v, want status_code 403", event)
		}
		change(t, b.behaviour, `{"token_renewal":"ok"}`)
		time.Sleep(5 * time.Second)
		if logins, _, alive := b.vault.counts(); logins != 2 || !alive {
			t.Errorf("after the fault: %d logins, alive %v; want 2, true", logins, alive)
		}
	})
}

func TestSessionWithDeadRenewalLetsItsTokenDie(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		change(t, b.behaviour, `{"token_renewal":"dead"}`)
		time.Sleep(5 * time.Minute)
		if logins, renewals, alive := b.vault.counts(); logins != 1 || renewals != 0 || alive {
			t.Errorf("%d logins, %d renewals, alive %v; want 1, 0, false", logins, renewals, alive)
		}
		change(t, b.behaviour, `{"token_renewal":"ok"}`)
		time.Sleep(5 * time.Second)
		if logins, _, alive := b.vault.counts(); logins != 2 || !alive {
			t.Errorf("after the fault: %d logins, alive %v; want 2, true", logins, alive)
		}
	})
}

func TestSessionTakesThreeRefusalsForADeadToken(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		b.vault.set(func() { b.vault.renewErr = &api.ResponseError{StatusCode: 403, Errors: []string{"permission denied"}} })
		time.Sleep(45 * time.Second)
		if logins, renewals, _ := b.vault.counts(); logins != 2 || renewals != refusals {
			t.Errorf("%d logins, %d renewals; want 2, %d", logins, renewals, refusals)
		}
	})
}

func TestSessionOutlastsAVaultThatDoesNotAnswer(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		b.vault.set(func() { b.vault.renewErr = &api.ResponseError{StatusCode: 503, Errors: []string{"Vault is sealed"}} })
		time.Sleep(50 * time.Second)
		if logins, renewals, _ := b.vault.counts(); logins != 1 || renewals < 5 {
			t.Errorf("sealed: %d logins, %d renewals; want 1 and a try each second", logins, renewals)
		}
		b.vault.set(func() { b.vault.renewErr = nil })
		time.Sleep(5 * time.Second)
		if logins, _, alive := b.vault.counts(); logins != 1 || !alive {
			t.Errorf("unsealed in time: %d logins, alive %v; want 1, true", logins, alive)
		}
	})
}

func TestSessionTriesToLogInForEver(t *testing.T) {
	inSession(t, Behaviour{VaultRole: "mistyped"}, func(t *testing.T, b *sessionBench) {
		b.vault.set(func() {
			b.vault.loginErr = &api.ResponseError{StatusCode: 400, Errors: []string{`role "mistyped" could not be found`}}
		})
		change(t, b.behaviour, `{"vault_role":"other"}`)
		time.Sleep(time.Minute)
		event := b.log.last(t, "vault_initialization_failed")
		if event["status_code"] != 400.0 || event["error_class"] != "invalid_request" || event["role"] != "other" {
			t.Errorf("vault_initialization_failed = %v", event)
		}
		if n := len(b.log.events(t, "vault_initialization_failed")); n < 50 {
			t.Errorf("%d failures logged in a minute, want one a second", n)
		}
		b.vault.set(func() { b.vault.loginErr = nil })
		change(t, b.behaviour, `{"vault_role":""}`)
		synctest.Wait()
		if last := b.vault.roles[len(b.vault.roles)-1]; last != "worker-agents" || b.vault.logins != 2 {
			t.Errorf("logged in %d times, last as %q; want twice, the second time as the configured role", b.vault.logins, last)
		}
	})
}

func TestSessionWithoutIdentitySaysSo(t *testing.T) {
	inSession(t, Behaviour{}, func(t *testing.T, b *sessionBench) {
		b.vault.set(func() { b.vault.svidErr = errors.New("no identity issued") })
		change(t, b.behaviour, `{"vault_role":"other"}`)
		time.Sleep(time.Second)
		if event := b.log.last(t, "vault_initialization_failed"); event["error_class"] != "identity" {
			t.Errorf("vault_initialization_failed = %v, want class identity", event)
		}
	})
}
