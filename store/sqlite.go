package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
)

// sqliteReaders is how many connections read beside the one that writes.
const sqliteReaders = 4

// openSQLite opens one connection for writes, which River shares, since SQLite
// has one writer anyway, and some for reads, which never wait for it.
func (s *Store) openSQLite(ctx context.Context) error {
	path, err := privateFile(s.opts.SQLite)
	if err != nil {
		return err
	}
	unlock, err := lockFolder(ctx, filepath.Dir(path), s.opts.Deadline)
	if err != nil {
		return err
	}
	defer unlock()
	if s.db, err = openFile(path, 1, url.Values{"_txlock": {"immediate"}}); err != nil {
		return err
	}
	if s.reader, err = openFile(path, sqliteReaders, url.Values{"_query_only": {"1"}}); err != nil {
		return err
	}
	s.driver = riversqlite.New(s.db)
	s.kind = dialect{name: goose.DialectSQLite3, files: "migrations/sqlite"}
	return s.migrate(ctx)
}

// privateFile makes the file with its mode. A file that is there is not opened:
// closing it again would drop the locks that this process has on it.
func privateFile(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the database file: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		return path, file.Close()
	case errors.Is(err, fs.ErrExist):
		return path, private(path)
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the folder of the database file is not there: mkdir -p %s", filepath.Dir(path))
	default:
		return "", fmt.Errorf("make the database file: %w", err)
	}
}

func private(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("keep others from reading the database file: %w", err)
	}
	return nil
}

// lockFolder keeps two processes from making the tables at the same time.
func lockFolder(ctx context.Context, folder string, patience time.Duration) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of the database file: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which unlocks it
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock the folder %s: %w", folder, err), f.Close())
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return nil, errors.Join(fmt.Errorf("another process holds the folder %s: is another bot starting?", folder), f.Close())
		}
	}
}

func openFile(path string, connections int, more url.Values) (*sql.DB, error) {
	query := url.Values{
		"_pragma":    {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_dqs":       {"0"},
		"_defensive": {"1"},
	}
	for k, v := range more {
		query[k] = v
	}
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	plain, err := sqlite.NewConnector(address.String())
	if err != nil {
		return nil, explain("open the database file", err)
	}
	db := sql.OpenDB(connector{plain})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// safeText is text as a column can hold it, on both databases.
func safeText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
