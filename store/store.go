// Package store keeps requests, the audit chain, freezes, leases, watches,
// suppressions, jobs and runs in one database: SQLite for one replica, PostgreSQL
// for several.
//
// The same SQL runs on both. What a Change holds is written in one transaction,
// under the lock of the chain's head: so the chain has no gaps and no forks,
// however many replicas write. Jobs are River's, in the same transaction; they
// only remind of what the rows say. No error and no line of the log holds the
// address of the database or the text of a foreign server.
//
// Several processes may use one SQLite file on one machine at the same time:
// each write begins by taking SQLite's own lock on the file.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"

	"tandem/approvals"
	"tandem/watches"
)

// Store is an approvals.Store, approvals.Leases and approvals.Chain, and a
// watches.Store and watches.Hushes. It is safe for use by several goroutines.
type Store struct {
	opts   Options
	owner  string // of the leases that the store takes itself
	kind   dialect
	db     *sql.DB       // that is written to, by River too
	reader *sql.DB       // that is read from; the same as db on PostgreSQL
	pool   *pgxpool.Pool // nil on SQLite
	queue  queue         // of changes that wait to be written
	driver riverdriver.Driver[*sql.Tx]
	jobs   *river.Client[*sql.Tx] // inserts only
}

var (
	_ approvals.Store  = (*Store)(nil)
	_ approvals.Leases = (*Store)(nil)
	_ approvals.Chain  = (*Store)(nil)
	_ watches.Store    = (*Store)(nil)
	_ watches.Hushes   = (*Store)(nil)
)

// Options say where the database is. Either SQLite or Postgres is set; all else
// has a value that suits when it is zero.
type Options struct {
	SQLite   string // file, made with mode 0600; its folder must exist
	Postgres string // URL; it is a secret
	Log      *slog.Logger
	Now      func() time.Time

	Deadline time.Duration // of one call; zero: 10 s
	Poll     time.Duration // how long a job may lie unnoticed when its notice is lost; zero: 1 s
	Retry    time.Duration // before a job that failed is done again; doubles up to a minute; zero: 1 s
	Sweep    time.Duration // between two sweeps; zero: 5 s
	KeepRuns int           // how many runs of each service are kept; zero: DefaultKeepRuns
	KeepFor  time.Duration // how long any run is kept; zero: DefaultKeepFor
	Grace    time.Duration // how long Run waits for jobs that run when it is told to end, before it cancels them; zero: 20 s
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{
		{&o.Deadline, 10 * time.Second},
		{&o.Poll, time.Second},
		{&o.Retry, time.Second},
		{&o.Sweep, 5 * time.Second},
		{&o.Grace, 20 * time.Second},
		{&o.KeepFor, DefaultKeepFor},
	} {
		if *d.value <= 0 {
			*d.value = d.zero
		}
	}
	if o.KeepRuns <= 0 {
		o.KeepRuns = DefaultKeepRuns
	}
	return o
}

// Open opens the database and brings its tables up to date. The error says what
// to do next, and holds no part of the URL.
func Open(ctx context.Context, o Options) (*Store, error) {
	if (o.SQLite == "") == (o.Postgres == "") {
		return nil, errors.New("there is no database: name a file for SQLite or a URL for PostgreSQL, not both")
	}
	s := &Store{opts: o.withDefaults(), owner: "store/" + rand.Text()[:8]}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	connect := s.openPostgres
	if s.opts.SQLite != "" {
		connect = s.openSQLite
	}
	if err := connect(ctx); err != nil {
		return err
	}
	var err error
	s.jobs, err = river.NewClient(s.driver, s.riverConfig())
	return err
}

// Close lets go of the database. Run must have returned.
func (s *Store) Close() error {
	var errs []error
	if s.reader != nil && s.reader != s.db {
		errs = append(errs, s.reader.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return errors.Join(errs...)
}
