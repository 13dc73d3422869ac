package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Defaults of what is kept of runs.
const (
	DefaultKeepRuns = 200                 // of each service
	DefaultKeepFor  = 30 * 24 * time.Hour // of any
)

const (
	runColumns = "id, service, at, status, causes, source, who, place, since, whole"
	insertRun  = "INSERT INTO runs (" + runColumns + `, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`
	selectRun  = "SELECT " + runColumns + ", body FROM runs WHERE id = $1"
	selectRuns = "SELECT " + runColumns + " FROM runs WHERE service = $1 ORDER BY at DESC, id DESC LIMIT $2"
	pruneOld   = "DELETE FROM runs WHERE at < $1"
	pruneMany  = `DELETE FROM runs WHERE service = $1 AND id NOT IN
		(SELECT id FROM runs WHERE service = $1 ORDER BY at DESC, id DESC LIMIT $2)`
)

// SaveRun keeps a run, and returns the id that it gets. Runs that are too many of
// their service or too old go in the same transaction. The errors are
// diagnostics.ErrRunTooLarge, approvals.ErrUnsure and those of the database.
func (s *Store) SaveRun(ctx context.Context, run diagnostics.Run) (id string, err error) {
	body, err := json.Marshal(run.Report)
	if err != nil {
		return "", fmt.Errorf("marshal the report of %q: %w", run.Service, err)
	}
	if len(body) > diagnostics.MaxRun {
		return "", diagnostics.ErrRunTooLarge
	}
	err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if id, err = putRun(ctx, tx, run, string(body)); err != nil {
			return err
		}
		return s.pruneRuns(ctx, tx, run.Service)
	})
	if err != nil {
		return "", explain("keep a run", err)
	}
	return id, nil
}

// idTries bounds how many ids are tried: two runs of one second may get the same.
const idTries = 20

func putRun(ctx context.Context, tx querier, run diagnostics.Run, body string) (string, error) {
	whole := 0
	if run.Whole {
		whole = 1
	}
	for range idTries {
		id := diagnostics.NewRunID(run.At, rand.Uint32())
		put, err := exec(ctx, tx, insertRun,
			id, safeText(run.Service), run.At.UnixMilli(), safeText(string(run.Status)), safeText(strings.Join(run.Causes, " ")),
			safeText(string(run.Source)), safeText(run.Who), safeText(run.Where), run.Since.Milliseconds(), whole, body)
		if err != nil || put == 1 {
			return id, err
		}
	}
	return "", errors.New("too many runs began in this second")
}

func (s *Store) pruneRuns(ctx context.Context, tx querier, service string) error {
	if _, err := exec(ctx, tx, pruneOld, s.opts.Now().Add(-s.opts.KeepFor).UnixMilli()); err != nil {
		return err
	}
	_, err := exec(ctx, tx, pruneMany, safeText(service), s.opts.KeepRuns)
	return err
}

// FindRun returns a run that is kept; the error is diagnostics.ErrNoRun when none of
// that id is.
func (s *Store) FindRun(ctx context.Context, id string) (diagnostics.Run, error) {
	var found []diagnostics.Run
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		found, err = collect(ctx, s.reader, scanRun, selectRun, safeText(id))
		return err
	})
	switch {
	case err != nil:
		return diagnostics.Run{}, explain("read a run", err)
	case len(found) == 0:
		return diagnostics.Run{}, diagnostics.ErrNoRun
	}
	return found[0], nil
}

// ListRuns lists the runs of a service that are kept, the latest first.
func (s *Store) ListRuns(ctx context.Context, service string, limit int) ([]diagnostics.RunInfo, error) {
	var found []diagnostics.RunInfo
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		found, err = collect(ctx, s.reader, scanRunInfo, selectRuns, safeText(service), limit)
		return err
	})
	return found, explain("read the runs", err)
}

func scanRun(scan func(...any) error) (diagnostics.Run, error) {
	var run diagnostics.Run
	var body string
	info, err := scanRunInfo(func(into ...any) error { return scan(append(into, &body)...) })
	if err != nil {
		return run, err
	}
	run.RunInfo = info
	if err := json.Unmarshal([]byte(body), &run.Report); err != nil {
		return run, &failure{"a run that is kept is not what was written: keep another, with bot diagnose SERVICE --keep", err}
	}
	return run, nil
}

func scanRunInfo(scan func(...any) error) (diagnostics.RunInfo, error) {
	var r diagnostics.RunInfo
	var at, since int64
	var causes string
	var whole int
	err := scan(&r.ID, &r.Service, &at, &r.Status, &causes, &r.Source, &r.Who, &r.Where, &since, &whole)
	r.At, r.Since, r.Whole = time.UnixMilli(at).UTC(), time.Duration(since)*time.Millisecond, whole == 1
	if causes != "" {
		r.Causes = strings.Fields(causes)
	}
	return r, err
}
