// Package sqlitex stands in for zombiezen.com/go/sqlite/sqlitex.
package sqlitex

import (
	"context"

	"zombiezen.com/go/sqlite"
)

// ExecOptions go with one statement.
type ExecOptions struct {
	Args       []any
	Named      map[string]any
	ResultFunc func(*sqlite.Stmt) error
}

// PoolOptions go with a pool.
type PoolOptions struct{}

// Pool is a set of connections.
type Pool struct{}

// NewPool refuses.
func NewPool(string, PoolOptions) (*Pool, error) { return nil, sqlite.ErrAbsent }

// Take refuses.
func (*Pool) Take(context.Context) (*sqlite.Conn, error) { return nil, sqlite.ErrAbsent }

// Put takes a connection back.
func (*Pool) Put(*sqlite.Conn) {}

// Close closes nothing.
func (*Pool) Close() error { return nil }

// Execute refuses.
func Execute(*sqlite.Conn, string, *ExecOptions) error { return sqlite.ErrAbsent }

// Transaction begins nothing.
func Transaction(*sqlite.Conn) func(*error) { return func(*error) {} }
