package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pool is the service's use of PostgreSQL: a query a tick, over connections that live for a small part of a TTL, so that
// a dead credential shows as failing logins soon.
type pool struct {
	cfg Config
	log *slog.Logger

	mu      sync.Mutex // held for the length of a query: a swap waits for it
	current *pgxpool.Pool
	healthy bool
}

// use swaps the pool for one with cred. Connections of the old one are closed.
func (p *pool) use(ctx context.Context, cred credential) {
	next, err := p.open(ctx, cred)
	if err != nil {
		p.log.ErrorContext(ctx, "postgres_pool_failed", "db_user", cred.username, "error", "pool settings are not usable")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		p.current.Close()
	}
	p.current, p.healthy = next, false
}

func (p *pool) open(ctx context.Context, cred credential) (*pgxpool.Pool, error) {
	host, port, err := net.SplitHostPort(p.cfg.PostgresAddr)
	if err != nil {
		return nil, fmt.Errorf("postgres_addr: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("postgres_addr: %w", err)
	}
	settings, err := pgxpool.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("pool settings: %w", err)
	}
	settings.ConnConfig.Host, settings.ConnConfig.Port = host, uint16(number)
	settings.ConnConfig.Database = p.cfg.PostgresDatabase
	settings.ConnConfig.User, settings.ConnConfig.Password = cred.username, cred.password
	settings.ConnConfig.ConnectTimeout = p.cfg.callTimeout()
	settings.ConnConfig.Fallbacks = nil
	settings.ConnConfig.RuntimeParams["application_name"] = p.cfg.Name
	settings.MaxConns, settings.MinConns = 2, 0
	settings.MaxConnLifetime = max(p.cfg.ttl()/10, p.cfg.tick())
	return pgxpool.NewWithConfig(context.WithoutCancel(ctx), settings)
}

// run queries until ctx ends.
func (p *pool) run(ctx context.Context) error {
	defer p.close()
	for wait(ctx, p.cfg.tick()) {
		p.query(ctx)
	}
	return nil
}

func (p *pool) query(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		return
	}
	call, cancel := context.WithTimeout(ctx, p.cfg.callTimeout())
	defer cancel()
	var one int
	err := p.current.QueryRow(call, "select 1").Scan(&one)
	if ctx.Err() != nil {
		return
	}
	user := p.current.Config().ConnConfig.User
	switch {
	case err != nil:
		p.failed(ctx, user, err)
	case !p.healthy:
		p.log.InfoContext(ctx, "postgres_connected", "db_user", user)
	}
	p.healthy = err == nil
}

func (p *pool) failed(ctx context.Context, user string, err error) {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		p.log.ErrorContext(ctx, "postgres_login_failed", "db_user", user, "sqlstate", refused.Code, "error", clean(refused.Message))
		return
	}
	class := "unreachable"
	if errors.Is(err, context.DeadlineExceeded) {
		class = "timeout"
	}
	p.log.ErrorContext(ctx, "postgres_connection_failed", "db_user", user, "error_class", class)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		p.current.Close()
	}
	p.current = nil
}
