package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// migrationLock is the number of the advisory lock under which tables are made.
const migrationLock = 0x7461_6e64_656d // "tandem"

// serverSettings keep a replica that hangs from holding the chain's head for
// long, and have a commit wait for the disk whatever the server's default is.
var serverSettings = map[string]string{
	"application_name":                    "tandem",
	"synchronous_commit":                  "on",
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "30s",
}

func (s *Store) openPostgres(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(s.opts.Postgres)
	if err != nil { // which may repeat the URL
		return errors.New("the URL of PostgreSQL cannot be read: write it as postgres://USER:PASSWORD@HOST/DATABASE")
	}
	for name, value := range serverSettings {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.ConnConfig.ConnectTimeout = min(max(config.ConnConfig.ConnectTimeout, 0), s.opts.Deadline)
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = s.opts.Deadline / 2
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return explain("open PostgreSQL", err)
	}
	s.db = stdlib.OpenDBFromPool(s.pool)
	s.reader = s.db
	s.driver = riverdatabasesql.NewWithPgxListener(s.db, s.pool)
	s.kind = dialect{name: goose.DialectPostgres, files: "migrations/postgres", lock: " FOR UPDATE"}
	return s.migrateAlone(ctx)
}

// migrateAlone keeps two replicas from making the tables at the same time.
func (s *Store) migrateAlone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return explain("connect to PostgreSQL", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return explain("wait for another replica that makes the tables", err)
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}()
	return s.migrate(ctx)
}
