package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"tandem/approvals"
)

// page is how many entries are read at once.
const page = 1000

const (
	selectEntry   = "SELECT number, note, before, hash FROM audit"
	selectTrail   = selectEntry + " WHERE number > $1 ORDER BY number LIMIT $2"
	selectTrailOf = selectEntry + " WHERE number > $1 AND request = $3 ORDER BY number LIMIT $2"
)

func scanEntry(scan func(...any) error) (approvals.Entry, error) {
	var e approvals.Entry
	var note string
	if err := scan(&e.Number, &note, &e.Before, &e.Hash); err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(note), &e.Note); err != nil {
		return e, fmt.Errorf("audit entry %d is not what was written: run bot audit verify: %w", e.Number, err)
	}
	return e, nil
}

// Trail implements approvals.Store. All entries of a long chain are better read
// page by page, with After and Limit.
func (s *Store) Trail(ctx context.Context, f approvals.TrailFilter) ([]approvals.Entry, error) {
	var trail []approvals.Entry
	for {
		size := page
		if f.Limit > 0 {
			size = min(page, f.Limit-len(trail))
		}
		entries, err := s.trailPage(ctx, f.Request, f.After, size)
		if err != nil {
			return nil, explain("read the audit", err)
		}
		if trail = append(trail, entries...); len(entries) < size || len(trail) == f.Limit {
			return trail, nil
		}
		f.After = trail[len(trail)-1].Number
	}
}

func (s *Store) trailPage(ctx context.Context, request string, after int64, size int) ([]approvals.Entry, error) {
	query, args := selectTrail, []any{after, size}
	if request != "" {
		query, args = selectTrailOf, append(args, safeText(request))
	}
	var entries []approvals.Entry
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		entries, err = collect(ctx, s.reader, scanEntry, query, args...)
		return err
	})
	return entries, err
}

// lastEntry is the end of the chain; zero when there is none.
func lastEntry(ctx context.Context, q querier) (approvals.Entry, error) {
	e, err := scanEntry(q.QueryRowContext(ctx, selectEntry+" ORDER BY number DESC LIMIT 1").Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return approvals.Entry{}, nil
	}
	return e, err
}
