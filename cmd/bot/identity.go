package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/vault/api"

	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/throttle"
)

const (
	loginTimeout   = 5 * time.Second  // of one login, with all that it takes
	onceTimeout    = 3 * time.Second  // of the login before a single diagnosis
	farewell       = time.Second      // of giving a token back
	longestBackoff = 30 * time.Second // between two logins that fail
	rereadEvery    = 15 * time.Second // of a token file, which somebody else renews
)

// identity keeps the bot logged in to Vault. While it is not, requests that
// need a token end with the reason and the next step, so that the checks that
// depend on them are unknown; nothing else of the bot stops.
type identity struct {
	client *api.Client
	way    loginWay
	log    *slog.Logger

	refused chan struct{} // holds a sign when Vault refused something

	mu   sync.Mutex
	lost *diagnostics.BlindError // why there is no token; nil while there is one
}

// loginWay is one way to get a token.
type loginWay struct {
	name string // the key in the configuration
	// login returns the token, in Secret.Auth.
	login func(ctx context.Context, client *api.Client) (*api.Secret, error)
	// borrowed is true for a token that is not the bot's to renew or revoke.
	borrowed bool
}

// newIdentity makes the client for Vault, which is not logged in yet.
func newIdentity(c *config.Config, bound *throttle.Throttle, log *slog.Logger) (*identity, error) {
	id := &identity{log: log, way: wayOf(c), refused: make(chan struct{}, 1), lost: notYet()}
	transport, err := vaultTransport(c.Vault.CAFile)
	if err != nil {
		return nil, err
	}
	id.client, err = vaultClient(c.Vault, &gate{next: bound.Over(transport), identity: id})
	return id, err
}

func notYet() *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonUnavailable,
		Detail: "the bot is still logging in to Vault",
		Next:   diagnostics.Both("ask again in a few seconds", "peça de novo em alguns segundos"),
	}
}

// gate lets no request without a token through to what needs one.
type gate struct {
	next     http.RoundTripper
	identity *identity
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get(api.AuthHeaderName) == "" && needsToken(req.URL.Path) {
		if lost := g.identity.why(); lost != nil {
			return nil, lost
		}
	}
	resp, err := g.next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusForbidden && !strings.HasSuffix(req.URL.Path, "/lookup-self") {
		select {
		case g.identity.refused <- struct{}{}:
		default:
		}
	}
	return resp, err
}

func needsToken(path string) bool {
	isLogin := strings.HasPrefix(path, "/v1/auth/") && (strings.HasSuffix(path, "/login") || strings.Contains(path, "/login/"))
	return !isLogin && path != "/v1/sys/health" && path != "/v1/sys/seal-status"
}

// why says why there is no token, or nil when there is one.
func (id *identity) why() *diagnostics.BlindError {
	id.mu.Lock()
	defer id.mu.Unlock()
	return id.lost
}

func (id *identity) lose(why *diagnostics.BlindError) {
	id.mu.Lock()
	id.lost = why
	id.mu.Unlock()
	id.client.ClearToken()
}

func (id *identity) take(secret *api.Secret) {
	id.client.SetToken(secret.Auth.ClientToken)
	id.mu.Lock()
	id.lost = nil
	id.mu.Unlock()
}

// once logs in for a single diagnosis. A failure is kept for the checks.
func (id *identity) once(ctx context.Context) {
	if id == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, onceTimeout)
	defer cancel()
	_, _ = id.login(ctx)
}

// release gives the token of a single diagnosis back.
func (id *identity) release(ctx context.Context) {
	if id == nil || id.way.borrowed || id.why() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := id.client.Auth().Token().RevokeSelfWithContext(ctx, ""); err != nil {
		id.log.DebugContext(ctx, "the token was not revoked and lives until its end")
	}
}

// login gets a token and takes it up, or keeps why not.
func (id *identity) login(ctx context.Context) (*api.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	secret, err := id.way.login(ctx, id.client)
	if err == nil && (secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "") {
		err = errors.New("the answer has no token")
	}
	if err != nil {
		id.lose(lostBy(id.way, err))
		return nil, err
	}
	id.take(secret)
	return secret, nil
}

// lostBy says why a login failed and what to do. It tells Vault's status, not
// its words, which can repeat a part of what was sent.
func lostBy(way loginWay, err error) *diagnostics.BlindError {
	doing := "log in to Vault by vault.identity." + way.name
	var (
		answer *api.ResponseError
		blind  *diagnostics.BlindError
	)
	switch {
	case errors.As(err, &blind):
		return blind
	case errors.As(err, &answer):
		return answered(doing, way, answer)
	case errors.Is(err, context.DeadlineExceeded):
		return &diagnostics.BlindError{
			Reason: diagnostics.ReasonTimeout, Detail: doing + ": no answer in time", Err: err,
			Next: diagnostics.Both("check that Vault answers at vault.address: vault status", "verifique se o Vault responde em vault.address: vault status"),
		}
	default:
		return &diagnostics.BlindError{
			Reason: diagnostics.ReasonUnreachable, Detail: doing + ": " + err.Error(), Err: err,
			Next: diagnostics.Both("check vault.address and vault.identity."+way.name+" in the configuration, and: vault status",
				"confira vault.address e vault.identity."+way.name+" na configuração, e: vault status"),
		}
	}
}

func answered(doing string, way loginWay, answer *api.ResponseError) *diagnostics.BlindError {
	blind := &diagnostics.BlindError{
		Detail: fmt.Sprintf("%s: Vault answers %d", doing, answer.StatusCode), Err: errStatus(answer.StatusCode),
	}
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		blind.Reason, blind.Next = diagnostics.ReasonThrottled,
			diagnostics.Both("wait, or raise the quota: vault list sys/quotas/rate-limit", "aguarde, ou aumente a cota: vault list sys/quotas/rate-limit")
	case answer.StatusCode >= 500:
		blind.Reason, blind.Next = diagnostics.ReasonUnavailable,
			diagnostics.Both("check whether Vault is sealed or without a leader: vault status", "veja se o Vault está selado ou sem líder: vault status")
	default:
		blind.Reason, blind.Next = diagnostics.ReasonDenied,
			diagnostics.Both("check the role, mount and credentials of vault.identity."+way.name+"; Vault's audit log has its reason",
				"confira o role, o mount e as credenciais de vault.identity."+way.name+"; o log de auditoria do Vault diz o motivo")
	}
	return blind
}

// errStatus is a status of Vault's as an error without Vault's words.
type errStatus int

func (e errStatus) Error() string { return fmt.Sprintf("status %d", int(e)) }

// keep stays logged in until the context is done: it logs in, renews for as
// long as Vault lets it, and logs in again when the token is lost.
func (id *identity) keep(ctx context.Context) {
	if id == nil {
		return
	}
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = longestBackoff
	for ctx.Err() == nil {
		begun := time.Now()
		secret, err := id.login(ctx)
		if err != nil {
			why := id.why()
			id.log.WarnContext(ctx, "not logged in to vault", "reason", why.Reason, "detail", why.Detail, "next", why.Next.EN)
		} else {
			id.log.DebugContext(ctx, "logged in to vault", "by", id.way.name, "ttl_s", secret.Auth.LeaseDuration)
			id.hold(ctx, secret)
		}
		if time.Since(begun) > longestBackoff {
			pause.Reset()
			continue
		}
		sleep(ctx, pause.NextBackOff()) // also after tokens that hold for a moment only
	}
}

// hold returns when the token has to be got anew: at its end, when it can no
// longer be renewed, or when Vault no longer knows it.
func (id *identity) hold(ctx context.Context, secret *api.Secret) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stop()
		id.doubt(ctx)
	})
	switch {
	case id.way.borrowed:
		sleep(ctx, rereadEvery)
	case secret.Auth.Renewable:
		id.renew(ctx, secret)
	case secret.Auth.LeaseDuration > 0:
		sleep(ctx, time.Duration(secret.Auth.LeaseDuration)*time.Second*2/3)
	default: // it has no end
		<-ctx.Done()
	}
	stop()
	wg.Wait()
}

// renew renews for as long as Vault lets it. Any error ends it, to log in again
// with pauses: left to itself, the watcher of vault/api v1.23.0 renews without
// any pause in the last seconds of a token that Vault refuses to renew.
func (id *identity) renew(ctx context.Context, secret *api.Secret) {
	watcher, err := id.client.NewLifetimeWatcher(&api.LifetimeWatcherInput{
		Secret: secret, RenewBehavior: api.RenewBehaviorErrorOnErrors,
	})
	if err != nil {
		id.log.WarnContext(ctx, "the vault token is not watched", "error", err)
		return
	}
	var wg sync.WaitGroup
	wg.Go(watcher.Start)
	defer wg.Wait()
	defer watcher.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-watcher.DoneCh():
			if err != nil { // its text repeats Vault's, which is foreign
				id.log.WarnContext(ctx, "vault does not renew the token; logging in again", "error_type", fmt.Sprintf("%T", err))
			}
			return
		case <-watcher.RenewCh():
			id.log.DebugContext(ctx, "vault token renewed")
		}
	}
}

// doubt returns when Vault no longer knows the token, or when the context is
// done. It asks whenever Vault has refused something: a token that was revoked
// is noticed at once, not at its next renewal.
func (id *identity) doubt(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-id.refused:
		}
		var answer *api.ResponseError
		if _, err := id.client.Auth().Token().LookupSelfWithContext(ctx); errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden {
			id.log.WarnContext(ctx, "vault no longer knows the token; logging in again")
			return
		}
	}
}

// sleep waits, or until the context is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
