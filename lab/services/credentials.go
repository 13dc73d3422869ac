package services

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

const kindPostgres = "postgres"

// leaseAPI is what the renewal of database credentials needs of Vault.
type leaseAPI interface {
	issue(ctx context.Context) (credential, error)
	renew(ctx context.Context, leaseID string) (credential, error)
}

// credentials keeps a dynamic database account alive: it renews its lease at two thirds of its TTL, and takes a new
// account when the lease nears its maximum, is gone, or hangs on a token of the past.
type credentials struct {
	vault     leaseAPI
	epoch     func() (int, <-chan struct{})
	use       func(ctx context.Context, cred credential)
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger
	cfg       Config

	held      credential
	heldEpoch int
	first     time.Duration // TTL of held when it was issued
	inPool    string        // lease of the account that the pool uses
}

// run renews until ctx ends.
func (c *credentials) run(ctx context.Context) error {
	for ctx.Err() == nil {
		epoch, login := c.epoch()
		behaviour, changed := c.behaviour.get()
		if epoch == 0 || (behaviour.RenewalTask == behaveDead && c.inPool != "") {
			wait(ctx, forever, login, changed)
			continue
		}
		due := c.cfg.tick()
		if err := c.tick(ctx, behaviour, epoch); err == nil {
			due = max(orTTL(c.held.ttl, c.cfg.ttl())*2/3, min(c.cfg.tick(), time.Second))
		}
		c.waitDue(ctx, due, behaviour, login)
	}
	return nil
}

// waitDue returns when a renewal is due: by time, after a login, or when the behaviour that matters here is another.
func (c *credentials) waitDue(ctx context.Context, due time.Duration, was Behaviour, login <-chan struct{}) {
	deadline := time.Now().Add(due)
	for ctx.Err() == nil {
		behaviour, changed := c.behaviour.get()
		left := time.Until(deadline)
		if left <= 0 || closed(login) || behaviour.RenewalTask != was.RenewalTask || behaviour.Pool != was.Pool {
			return
		}
		wait(ctx, left, login, changed)
	}
}

// tick is one run of the renewal task. The very first fetch belongs to the start of the service and is no run.
func (c *credentials) tick(ctx context.Context, behaviour Behaviour, epoch int) error {
	initial := c.held.leaseID == ""
	reissue := initial || epoch != c.heldEpoch || behaviour.Pool == behaveStale || c.inPool != c.held.leaseID
	if !initial {
		c.log.InfoContext(ctx, "renewing_postgres_credentials", "new_account", reissue)
	}
	var err error
	if !reissue {
		reissue, err = c.extend(ctx)
	}
	if err == nil && reissue {
		err = c.replace(ctx, behaviour, epoch)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !initial {
		c.metrics.renewalRun(kindPostgres, err)
	}
	if err != nil {
		c.log.ErrorContext(ctx, "postgres_credentials_renewal_failed", "initial", initial, vaultFields(err))
	}
	return err
}

// extend renews the lease. It asks for a new account when the lease is gone or has met its maximum.
func (c *credentials) extend(ctx context.Context) (reissue bool, err error) {
	if !c.held.renewable {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.callTimeout())
	defer cancel()
	renewed, err := c.vault.renew(ctx, c.held.leaseID)
	if vaultStatus(err) == http.StatusBadRequest {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	c.held.ttl = renewed.ttl
	return renewed.ttl < c.first/2, nil
}

// replace takes a new account and gives it to the pool. A stale pool is not given it.
func (c *credentials) replace(ctx context.Context, behaviour Behaviour, epoch int) error {
	call, cancel := context.WithTimeout(ctx, c.cfg.callTimeout())
	defer cancel()
	cred, err := c.vault.issue(call)
	c.metrics.credentialFetched(kindPostgres, err)
	if err != nil {
		return err
	}
	replacing := c.held.leaseID != ""
	c.held, c.heldEpoch, c.first = cred, epoch, cred.ttl
	if replacing {
		c.log.WarnContext(ctx, "postgres_credentials_renewed_connection_pool_update_required", "db_user", cred.username)
	} else {
		c.log.InfoContext(ctx, "postgres_credentials_fetched", "db_user", cred.username, "ttl", int(cred.ttl.Seconds()))
	}
	if behaviour.Pool == behaveStale && c.inPool != "" {
		return nil
	}
	c.use(ctx, cred)
	c.inPool = cred.leaseID
	return nil
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
