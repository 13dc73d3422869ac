package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tandem/approvals"
)

// tries bounds how often a call is tried on another connection.
const tries = 3

// querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// again calls f, within the deadline of one call, and once more while what
// failed was the connection and nothing was written.
func (s *Store) again(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Deadline)
	defer cancel()
	for try := 1; ; try++ {
		err := f(ctx)
		if err == nil || try == tries || named(err) || !transient(err) || sleep(ctx, time.Duration(try)*20*time.Millisecond) != nil {
			return err
		}
	}
}

// transact writes in one transaction. ErrUnsure: whether it is written is not known.
func (s *Store) transact(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return s.again(ctx, func(ctx context.Context) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // of what is not committed
		if err := do(ctx, tx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := tx.Commit(); unsure(err) {
			return &failure{approvals.ErrUnsure.Error(), errors.Join(approvals.ErrUnsure, err)}
		} else if err != nil {
			return err
		}
		return nil
	})
}

// exec writes one statement, and says how many rows it changed.
func exec(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q querier, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
