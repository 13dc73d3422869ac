package store

import (
	"context"
	"time"
)

// leaseGarbage is how long a lease that nobody released is kept.
const leaseGarbage = 24 * time.Hour

const (
	holdLease = `INSERT INTO leases (name, owner, ends) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, ends = excluded.ends
		WHERE leases.owner = excluded.owner OR leases.ends <= $4`
	releaseLease = "DELETE FROM leases WHERE name = $1 AND owner = $2"
)

// Hold implements approvals.Leases. A lease ends by the clock of the replica
// that wants it next: the clocks of replicas must agree within seconds.
func (s *Store) Hold(ctx context.Context, name, owner string, until time.Time) (bool, error) {
	var held int64
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		held, err = exec(ctx, s.db, holdLease,
			safeText(name), safeText(owner), until.UnixMilli(), s.opts.Now().UnixMilli())
		return err
	})
	return held == 1, explain("take a lease", err)
}

// Release implements approvals.Leases.
func (s *Store) Release(ctx context.Context, name, owner string) error {
	return s.exec(ctx, "release a lease", releaseLease, safeText(name), safeText(owner))
}

// forgetLeases drops what ended long ago.
func (s *Store) forgetLeases(ctx context.Context) error {
	return s.exec(ctx, "forget old leases", "DELETE FROM leases WHERE ends < $1", s.opts.Now().Add(-leaseGarbage).UnixMilli())
}

func (s *Store) exec(ctx context.Context, doing, query string, args ...any) error {
	err := s.again(ctx, func(ctx context.Context) error {
		_, err := exec(ctx, s.db, query, args...)
		return err
	})
	return explain(doing, err)
}
