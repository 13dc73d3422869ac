package store

import (
	"context"
	"time"

	"tandem/approvals"
)

const selectFreezes = "SELECT target, who, reason, since FROM freezes ORDER BY since, target"

// Freezes implements approvals.Store. The oldest comes first.
func (s *Store) Freezes(ctx context.Context) ([]approvals.Freeze, error) {
	var held []approvals.Freeze
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		held, err = collect(ctx, s.reader, scanFreeze, selectFreezes)
		return err
	})
	return held, explain("read the freezes", err)
}

func scanFreeze(scan func(...any) error) (approvals.Freeze, error) {
	var f approvals.Freeze
	var since int64
	err := scan(&f.Target, &f.By, &f.Reason, &since)
	f.At = time.UnixMilli(since).UTC()
	return f, err
}

func putFreezes(ctx context.Context, tx querier, c approvals.Change) error {
	if c.Unfreeze != "" {
		if _, err := exec(ctx, tx, "DELETE FROM freezes WHERE target = $1", safeText(c.Unfreeze)); err != nil {
			return err
		}
	}
	if c.Freeze == nil {
		return nil
	}
	_, err := exec(ctx, tx, `INSERT INTO freezes (target, who, reason, since) VALUES ($1, $2, $3, $4)
		ON CONFLICT (target) DO UPDATE SET who = excluded.who, reason = excluded.reason, since = excluded.since`,
		safeText(c.Freeze.Target), safeText(c.Freeze.By), safeText(c.Freeze.Reason), c.Freeze.At.UnixMilli())
	return err
}
