package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

func TestOpenSaysWhatToDo(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	right, _ := postgres.get(t).schema(t)
	for name, tc := range map[string]struct {
		o    store.Options
		want string
	}{
		"nothing":        {store.Options{}, "name a file for SQLite or a URL for PostgreSQL"},
		"both":           {store.Options{SQLite: text, Postgres: right}, "not both"},
		"no folder":      {store.Options{SQLite: filepath.Join(folder, "none", "x.db")}, "mkdir -p " + filepath.Join(folder, "none")},
		"no database":    {store.Options{SQLite: text}, "no SQLite database"},
		"a folder":       {store.Options{SQLite: folder}, "cannot be opened"},
		"no URL":         {store.Options{Postgres: "postgres://u:" + password + "@[/x"}, "postgres://USER:PASSWORD@HOST/DATABASE"},
		"wrong password": {store.Options{Postgres: strings.Replace(right, password, password+"x", 1)}, "refuses the password"},
		"no such place":  {store.Options{Postgres: strings.Replace(right, "/postgres?", "/nowhere?", 1)}, "no such database"},
		"nobody answers": {store.Options{Postgres: "postgres://u:" + password + "@127.0.0.1:1/x?sslmode=disable"}, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			tc.o.Log = slog.New(slog.NewTextHandler(&logged, nil))
			s, err := store.Open(t.Context(), tc.o)
			if err == nil {
				s.Close()
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("it says %q, want %q", err, tc.want)
			}
			if said := err.Error() + logged.String(); strings.Contains(said, password) || strings.Contains(said, "127.0.0.1") {
				t.Errorf("it tells the URL: %s", said)
			}
		})
	}
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db") // nothing in a name means anything
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	db := &database{tb: t, opts: store.Options{SQLite: path}}
	insert(t, db.open(), request("r1", "vault:a"))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) < 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != fs.FileMode(0o600) || !strings.HasPrefix(e.Name(), filepath.Base(path)) {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				s, err := store.Open(t.Context(), db.opts)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				id := fmt.Sprint("r", i)
				r := request(id, "vault:"+id)
				if _, err := s.Commit(t.Context(), approvals.Change{Request: &r, Notes: []approvals.Note{note(id, approvals.DeedAsked)}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(trail(t, db.open(), approvals.TrailFilter{})); n != 6 {
			t.Errorf("there are %d entries", n)
		}
	})
}

func TestADatabaseOfANewerBotIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.open()
		raw := db.raw()
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO tandem_migrations (version_id, is_applied) VALUES (9999, true)"); err != nil {
			t.Fatal(err)
		}
		if s, err := store.Open(t.Context(), db.opts); err == nil || !strings.Contains(err.Error(), "newer bot") {
			t.Errorf("it says %v", err)
			s.Close()
		}
	})
}

// TestASecondProcessWritesToTheSameFile is a bot and, beside it, freezes at a
// terminal.
func TestASecondProcessWritesToTheSameFile(t *testing.T) {
	db := sqliteFile(t)
	s := db.open()
	r := insert(t, s, request("r1", "vault:a"))
	const freezes = 50
	ended := make(chan error, 1)
	go func() {
		_, err := child{SQLite: db.opts.SQLite, Freezes: freezes}.start("", 0)
		ended <- err
	}()
	votes := 0
	for done := false; !done; votes++ {
		select {
		case err := <-ended:
			if done = true; err != nil {
				t.Error(err)
			}
		default:
		}
		r = put(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
		if votes%20 == 0 {
			if b := verify(t, s); b != nil {
				t.Fatalf("the audit is broken: %+v", b)
			}
		}
	}
	if n := len(trail(t, s, approvals.TrailFilter{})); n != 1+freezes+votes {
		t.Errorf("there are %d entries, want %d and %d", n, freezes, votes)
	}
	if b := verify(t, s); b != nil {
		t.Errorf("the audit is broken: %+v", b)
	}
}

// TestNoSecretIsKept has everything around the store say a secret: errors of the
// work, panics, and a database that goes away while River looks at it.
func TestNoSecretIsKept(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const canary = "hvs.canary-of-a-face"
		var logged safeBuffer
		s := db.open(func(o *store.Options) { o.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
		var l log
		stop := run(t, s, worker{work: func(_ context.Context, j approvals.Job) error {
			if l.add(j) > 1 {
				panic(canary)
			}
			return errors.New(canary)
		}})
		commit(t, s, approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: "r1"}}})
		await(t, "failures", func() bool { return l.count(approvals.JobShow, "r1") > 2 })
		if db.schema != "" {
			postgres.cut(t, db.schema)
		}
		await(t, "more failures", func() bool { return l.count(approvals.JobShow, "r1") > 3 })
		stop()
		if strings.Contains(logged.String(), password) || strings.Contains(logged.String(), "127.0.0.1") {
			t.Errorf("the log tells the URL: %s", logged.String())
		}
		for table, text := range db.dump() {
			if strings.Contains(text, canary) || strings.Contains(text, password) {
				t.Errorf("%s keeps a secret: %s", table, text)
			}
		}
	})
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// dump is all that the database holds, by table or file.
func (db *database) dump() map[string]string {
	db.tb.Helper()
	all := map[string]string{}
	if db.schema == "" {
		files, err := filepath.Glob(db.opts.SQLite + "*")
		if err != nil || len(files) == 0 {
			db.tb.Fatal(files, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f) // nothing has it open any more but readers, whose locks may go
			if err != nil {
				db.tb.Fatal(err)
			}
			all[f] = string(raw)
		}
		return all
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rows, err := db.raw().QueryContext(ctx, "SELECT table_name, table_to_xml(table_name::regclass, true, true, '')::text FROM information_schema.tables WHERE table_schema = $1", db.schema)
	if err != nil {
		db.tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			db.tb.Fatal(err)
		}
		all[name] = text
	}
	if rows.Err() != nil || all["river_job"] == "" {
		db.tb.Fatal("nothing to look through: ", rows.Err())
	}
	return all
}
