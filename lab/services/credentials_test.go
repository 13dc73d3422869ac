package services

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fakeLeases is a Vault whose leases live for ttl and at most for most.
type fakeLeases struct {
	ttl, most time.Duration

	mu     sync.Mutex
	born   map[string]time.Time
	ends   map[string]time.Time
	issues int
	err    error
}

func (f *fakeLeases) issue(context.Context) (credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return credential{}, f.err
	}
	f.issues++
	id := fmt.Sprintf("lease-%d", f.issues)
	f.born[id], f.ends[id] = time.Now(), time.Now().Add(f.ttl)
	return credential{username: "v-" + id, leaseID: id, ttl: f.ttl, renewable: true}, nil
}

func (f *fakeLeases) renew(_ context.Context, id string) (credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return credential{}, f.err
	}
	if !time.Now().Before(f.ends[id]) {
		return credential{}, &api.ResponseError{StatusCode: 400, Errors: []string{"lease not found"}}
	}
	left := min(f.ttl, time.Until(f.born[id].Add(f.most)))
	f.ends[id] = time.Now().Add(left)
	return credential{leaseID: id, ttl: left, renewable: true}, nil
}

func (f *fakeLeases) alive(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.ends[id])
}

type credentialsBench struct {
	*credentials
	leases *fakeLeases
	log    *recorder
	t      *testing.T

	mu      sync.Mutex
	pooled  []string
	logins  int
	renewed chan struct{}
}

func (b *credentialsBench) current() (int, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.logins, b.renewed
}

func (b *credentialsBench) login() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logins++
	close(b.renewed)
	b.renewed = make(chan struct{})
}

// pool is the lease that the pool uses.
func (b *credentialsBench) pool() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pooled) == 0 {
		return ""
	}
	return b.pooled[len(b.pooled)-1]
}

func (b *credentialsBench) runs(status string) float64 {
	return testutil.ToFloat64(b.metrics.renewalRuns.WithLabelValues(status))
}

func (b *credentialsBench) want(pool string, alive bool) {
	b.t.Helper()
	if got := b.pool(); got != pool || b.leases.alive(got) != alive {
		b.t.Errorf("pool uses %q, alive %v; want %q, alive %v", got, b.leases.alive(got), pool, alive)
	}
}

func inCredentials(t *testing.T, body func(b *credentialsBench)) {
	synctest.Test(t, func(t *testing.T) {
		log := &recorder{}
		b := &credentialsBench{
			t: t, log: log, renewed: make(chan struct{}),
			leases: &fakeLeases{ttl: time.Minute, most: time.Hour, born: map[string]time.Time{}, ends: map[string]time.Time{}},
		}
		b.credentials = &credentials{
			vault: b.leases, epoch: b.current, behaviour: mustSwitches(t, Behaviour{}), metrics: newMetrics(Orchestrator),
			log: log.logger(), cfg: Config{Name: Orchestrator}.withDefaults(),
			use: func(_ context.Context, cred credential) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.pooled = append(b.pooled, cred.leaseID)
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx) }()
		synctest.Wait()
		body(b)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run() = %v, want nil", err)
		}
	})
}

func TestCredentialsWaitForALogin(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		time.Sleep(time.Hour)
		if b.pool() != "" {
			b.t.Error("credentials were taken before there was a token")
		}
		b.login()
		synctest.Wait()
		b.want("lease-1", true)
	})
}

func TestCredentialsAreRenewedAndReplacedAtTheirMaximum(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.login()
		time.Sleep(10*time.Minute + time.Second)
		b.want("lease-1", true)
		if got := b.runs(statusSuccess); got != 15 {
			b.t.Errorf("%v runs in 10 TTLs, want 15: the first fetch is no run", got)
		}
		time.Sleep(time.Hour)
		b.want("lease-2", true)
		if b.runs(statusError) != 0 {
			b.t.Error("a run failed")
		}
		b.log.last(b.t, "renewing_postgres_credentials")
		if event := b.log.last(b.t, "postgres_credentials_renewed_connection_pool_update_required"); event["db_user"] != "v-lease-2" {
			b.t.Errorf("event = %v, want the new account", event)
		}
	})
}

func TestDeadRenewalTaskLetsTheCredentialDie(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.login()
		time.Sleep(90 * time.Second)
		change(b.t, b.behaviour, `{"renewal_task":"dead"}`)
		ticks := b.runs(statusSuccess)
		b.login() // not even a new token wakes it
		time.Sleep(10 * time.Minute)
		b.want("lease-1", false)
		if b.runs(statusSuccess) != ticks {
			b.t.Error("the dead task ticked")
		}
		change(b.t, b.behaviour, `{"renewal_task":"ok"}`)
		synctest.Wait()
		b.want("lease-2", true)
	})
}

func TestStalePoolFailsWhileRenewalsSucceed(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.login()
		time.Sleep(10 * time.Second)
		change(b.t, b.behaviour, `{"pool":"stale"}`)
		time.Sleep(2 * time.Minute)
		b.want("lease-1", false)
		if b.runs(statusSuccess) < 3 || b.runs(statusError) != 0 {
			b.t.Errorf("%v good and %v bad runs, want only good ones", b.runs(statusSuccess), b.runs(statusError))
		}
		change(b.t, b.behaviour, `{"pool":"ok"}`)
		synctest.Wait()
		if pool := b.pool(); pool == "lease-1" || !b.leases.alive(pool) {
			b.t.Errorf("after the fault the pool uses %q", pool)
		}
	})
}

func TestNewTokenBringsNewCredentials(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.login()
		time.Sleep(10 * time.Second)
		b.login()
		synctest.Wait()
		b.want("lease-2", true)
	})
}

func TestFailingRenewalsAreCountedAndTriedAgain(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.leases.err = &api.ResponseError{StatusCode: 400, Errors: []string{`unknown role: temporal-orchestrator`}}
		b.login()
		time.Sleep(10 * time.Second)
		event := b.log.last(b.t, "postgres_credentials_renewal_failed")
		if event["status_code"] != 400.0 || event["initial"] != true || b.runs(statusError) != 0 {
			b.t.Errorf("first fetch failing: %v, %v bad runs; want status 400 and no run", event, b.runs(statusError))
		}
		b.leases.mu.Lock()
		b.leases.err = nil
		b.leases.mu.Unlock()
		time.Sleep(2 * time.Second)
		b.want("lease-1", true)
		b.leases.mu.Lock()
		b.leases.err = &api.ResponseError{StatusCode: 503, Errors: []string{"Vault is sealed"}}
		b.leases.mu.Unlock()
		time.Sleep(50 * time.Second)
		if b.runs(statusError) < 5 {
			b.t.Errorf("%v bad runs while sealed, want one a second", b.runs(statusError))
		}
	})
}

func TestUnrelatedBehaviourCausesNoRun(t *testing.T) {
	inCredentials(t, func(b *credentialsBench) {
		b.login()
		time.Sleep(time.Second)
		change(b.t, b.behaviour, `{"audience":"elsewhere"}`)
		synctest.Wait()
		if b.runs(statusSuccess) != 0 {
			b.t.Error("a change of audience ran the renewal task")
		}
	})
}
