package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tandem/approvals"
	"tandem/watches"
)

// failure is an error of the database in words of our own: what a driver says
// may hold an address, a name or a value.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }

// Unwrap returns what it comes of, to be told apart and never to be shown.
func (f *failure) Unwrap() error { return f.err }

// explain says what failed while doing something, and the next step. The errors
// that approvals names pass as they are.
func explain(doing string, err error) error {
	var said *failure
	switch {
	case err == nil, errors.As(err, &said), named(err):
		return err
	case errors.Is(err, context.Canceled):
		return &failure{doing + ": it was cancelled", err}
	default:
		return &failure{doing + ": " + reason(err), err}
	}
}

func named(err error) bool {
	return errors.Is(err, approvals.ErrConflict) || errors.Is(err, approvals.ErrNotFound) ||
		errors.Is(err, approvals.ErrUnsure) || errors.Is(err, approvals.ErrWhole) ||
		errors.Is(err, watches.ErrNone) || errors.Is(err, watches.ErrTooMany)
}

func reason(err error) string {
	var ofPostgres *pgconn.PgError
	var ofSQLite *sqlite.Error
	switch {
	case errors.As(err, &ofPostgres):
		return postgresReason(ofPostgres.Code)
	case errors.As(err, &ofSQLite):
		return sqliteReason(ofSQLite.Code())
	case errors.Is(err, context.DeadlineExceeded):
		return "the database did not answer in time: look whether it runs and is not overloaded"
	case broken(err):
		return "the database cannot be reached: look whether it runs, and at host and port of its URL"
	default:
		return "the database failed"
	}
}

func postgresReason(code string) string {
	hint := map[string]string{
		"28P01": "it refuses the password: look at the user and password of its URL",
		"28000": "it refuses the user: look at the user of its URL, and at pg_hba.conf",
		"3D000": "there is no such database: createdb it, or look at the URL",
		"42501": "the user may not do that: it must own the schema (GRANT ALL ON SCHEMA)",
		"53300": "it has no connection left: raise max_connections",
		"53100": "its disk is full",
		"25006": "it is read-only: the URL must name the primary",
		"55P03": "a lock was not free in time",
		"57P03": "it is starting up or shutting down",
	}[code]
	if hint == "" {
		hint = "it refused"
	}
	return fmt.Sprintf("PostgreSQL: %s (SQLSTATE %s)", hint, code)
}

func sqliteReason(code int) string {
	hint := map[int]string{
		sqlite3.SQLITE_BUSY:     "another process writes for too long",
		sqlite3.SQLITE_FULL:     "the disk is full",
		sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
		sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: look at its rights and its folder's",
		sqlite3.SQLITE_NOTADB:   "the file is no SQLite database: name another",
		sqlite3.SQLITE_CORRUPT:  "the file is damaged: restore it from a backup",
		sqlite3.SQLITE_IOERR:    "the disk does not work",
	}[code&0xff]
	if hint == "" {
		hint = "it refused"
	}
	return fmt.Sprintf("SQLite: %s (code %d)", hint, code)
}

// broken says whether the connection, and not the database, is the trouble.
func broken(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &refused) ||
		errors.As(err, &network) || pgconn.SafeToRetry(err) || errors.Is(err, pgconn.ErrConnClosed)
}

// transient says whether the same may work at once on another connection, or
// when somebody else is done. Nothing was written.
func transient(err error) bool {
	var ofPostgres *pgconn.PgError
	if errors.As(err, &ofPostgres) {
		return strings.HasPrefix(ofPostgres.Code, "57P") || strings.HasPrefix(ofPostgres.Code, "08") ||
			ofPostgres.Code == "40001" || ofPostgres.Code == "40P01"
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && broken(err)
}

// unsure says whether a COMMIT that failed may have been carried out: the
// server did not say that it was not. pgx calls a connection that broke after
// the COMMIT was sent safe to retry: it is not.
func unsure(err error) bool {
	var ofPostgres *pgconn.PgError
	var ofSQLite *sqlite.Error
	switch {
	case err == nil, errors.Is(err, sql.ErrTxDone), errors.Is(err, pgx.ErrTxCommitRollback):
		return false
	case errors.As(err, &ofPostgres):
		return ofPostgres.SeverityUnlocalized != "ERROR"
	case errors.As(err, &ofSQLite):
		code := ofSQLite.Code() & 0xff
		return code == sqlite3.SQLITE_IOERR || code == sqlite3.SQLITE_CORRUPT
	default:
		return true
	}
}

// taken says whether a unique index refused a row.
func taken(err error) bool {
	var ofPostgres *pgconn.PgError
	var ofSQLite *sqlite.Error
	return errors.As(err, &ofPostgres) && ofPostgres.Code == "23505" ||
		errors.As(err, &ofSQLite) && ofSQLite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}
