package services

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
)

const (
	// refusals is how often in a row Vault must refuse to renew before the token is taken for dead.
	refusals = 3
	// stormEvery is the pace of a renewal loop that never logs in again, once its token is dead.
	stormEvery = 200 * time.Millisecond
	// farewell is what shutdown allows for revoking the token.
	farewell = time.Second
)

// tokenAPI is what a session needs of Vault.
type tokenAPI interface {
	login(ctx context.Context, role, jwt string) (token, error)
	renewSelf(ctx context.Context) (token, error)
	revokeSelf(ctx context.Context) error
}

// session keeps the service logged in to Vault: it renews its token at two thirds of its TTL, and logs in again when the
// token nears its maximum or is dead. A login starts a new epoch; what hangs on the old token dies with it.
type session struct {
	vault     tokenAPI
	svid      func(ctx context.Context, audience string) (*jwtsvid.SVID, error)
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger
	cfg       Config

	mu      sync.Mutex
	epoch   int
	renewed chan struct{} // closed at the next login
}

func newSession(cfg Config, vault tokenAPI, id *identity, behaviour *switches, m *metrics, log *slog.Logger) *session {
	return &session{
		vault: vault, svid: id.jwt, behaviour: behaviour, metrics: m, log: log, cfg: cfg,
		renewed: make(chan struct{}),
	}
}

// current is the number of logins so far and a channel that is closed at the next.
func (s *session) current() (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch, s.renewed
}

// run keeps a token until ctx ends, and revokes it then.
func (s *session) run(ctx context.Context) error {
	defer s.leave(ctx)
	for {
		tok, role, ok := s.logIn(ctx)
		if !ok {
			return nil
		}
		if !s.hold(ctx, role, tok) {
			return nil
		}
	}
}

func (s *session) role() string {
	if role := s.behaviour.now().VaultRole; role != "" {
		return role
	}
	return s.cfg.VaultRole
}

// logIn tries until it succeeds, and says as which role. It is false when ctx ended.
func (s *session) logIn(ctx context.Context) (token, string, bool) {
	for {
		_, changed := s.behaviour.get()
		role := s.role()
		tok, err := s.attempt(ctx, role)
		if ctx.Err() != nil {
			return token{}, "", false
		}
		if err == nil {
			s.entered(ctx, role, tok)
			return tok, role, true
		}
		s.log.ErrorContext(ctx, "vault_initialization_failed", "role", role, vaultFields(err))
		if !wait(ctx, s.cfg.tick(), changed) {
			return token{}, "", false
		}
	}
}

func (s *session) attempt(ctx context.Context, role string) (token, error) {
	svid, err := s.svid(ctx, s.cfg.VaultAudience)
	if err != nil {
		return token{}, fmt.Errorf("%w: %w", errIdentity, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.callTimeout())
	defer cancel()
	return s.vault.login(ctx, role, svid.Marshal())
}

func (s *session) entered(ctx context.Context, role string, tok token) {
	s.metrics.tokenTTL.Set(tok.ttl.Seconds())
	if err := writeAccessor(s.cfg.AccessorFile, tok.accessor); err != nil {
		s.log.ErrorContext(ctx, "accessor_file_failed", "error", clean(err.Error()))
	}
	s.log.InfoContext(ctx, "vault_integration_initialized",
		"role", role, "token_accessor", tok.accessor, "ttl", int(tok.ttl.Seconds()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	close(s.renewed)
	s.renewed = make(chan struct{})
}

// hold renews the token until there must be a new login, and is false when ctx ended.
func (s *session) hold(ctx context.Context, role string, first token) bool {
	refused := 0
	due := orTTL(first.ttl, s.cfg.ttl()) * 2 / 3
	for {
		if !s.waitDue(ctx, role, due) {
			return false
		}
		if s.role() != role || !first.renewable {
			return true
		}
		renewed, err := s.renew(ctx)
		if ctx.Err() != nil {
			return false
		}
		if vaultStatus(err) == http.StatusForbidden {
			refused++
		} else {
			refused = 0
		}
		storming := s.behaviour.now().TokenRenewal == behaveNeverLogin
		// A renewal that gives much less than the login did has met the token's maximum.
		ending := err == nil && renewed.ttl < first.ttl/2
		if !storming && (ending || refused >= refusals) {
			return true
		}
		due = s.nextRenewal(renewed, err, storming)
	}
}

func (s *session) nextRenewal(renewed token, err error, storming bool) time.Duration {
	switch {
	case err == nil:
		return max(orTTL(renewed.ttl, s.cfg.ttl())*2/3, stormEvery)
	case storming:
		return stormEvery
	default:
		return s.cfg.tick()
	}
}

// waitDue returns when a renewal is due, or the role is another. It is false when ctx ended. A dead renewal is never due.
func (s *session) waitDue(ctx context.Context, role string, due time.Duration) bool {
	deadline := time.Now().Add(due)
	for {
		behaviour, changed := s.behaviour.get()
		left := time.Until(deadline)
		if behaviour.TokenRenewal == behaveDead {
			left = forever
		}
		if left <= 0 || s.role() != role {
			return ctx.Err() == nil
		}
		if !wait(ctx, left, changed) {
			return false
		}
	}
}

func (s *session) renew(ctx context.Context) (token, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.callTimeout())
	defer cancel()
	tok, err := s.vault.renewSelf(call)
	if ctx.Err() != nil {
		return tok, ctx.Err()
	}
	s.metrics.tokenRenewals.WithLabelValues(statusOf(err)).Inc()
	if err != nil {
		s.log.ErrorContext(ctx, "vault_token_renewal_failed", vaultFields(err))
		return tok, err
	}
	s.metrics.tokenTTL.Set(tok.ttl.Seconds())
	s.log.InfoContext(ctx, "vault_token_renewed_successfully", "ttl", int(tok.ttl.Seconds()))
	return tok, nil
}

// leave revokes the token, and with it its leases. When that fails they expire by themselves.
func (s *session) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := s.vault.revokeSelf(ctx); err != nil {
		s.log.WarnContext(ctx, "vault_token_revocation_failed", vaultFields(err))
	}
}

// writeAccessor puts the accessor into a file in one step, so that a reader sees the old one or the new one.
func writeAccessor(file, accessor string) error {
	if file == "" {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".accessor-*")
	if err != nil {
		return fmt.Errorf("write accessor file: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already after the rename
	if _, err := temp.WriteString(accessor + "\n"); err != nil {
		_ = temp.Close()
		return fmt.Errorf("write accessor file: %w", err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("write accessor file: %w", err)
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return fmt.Errorf("write accessor file: %w", err)
	}
	return nil
}

// orTTL is what a lease lives for, and a stand-in for one that never ends.
func orTTL(lease, standIn time.Duration) time.Duration {
	if lease <= 0 {
		return standIn
	}
	return lease
}
