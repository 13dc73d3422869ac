// Package sqlite stands in for zombiezen.com/go/sqlite, one of the two stores
// of Loki's requests to delete logs. The lab deletes none, and the real module
// brings SQLite translated to Go, the largest single thing that Loki compiles.
// Here no connection can be opened.
package sqlite

import "errors"

// ErrAbsent is the answer to every call.
var ErrAbsent = errors.New("SQLite is not in the lab's Loki: keep delete_request_store_db_type at boltdb")

// OpenFlags say how to open.
type OpenFlags uint

// The flags that Loki uses.
const (
	OpenReadWrite OpenFlags = 1 << iota
	OpenCreate
)

// Conn is a connection.
type Conn struct{}

// OpenConn refuses.
func OpenConn(string, ...OpenFlags) (*Conn, error) { return nil, ErrAbsent }

// Changes counts what the last statement changed.
func (*Conn) Changes() int { return 0 }

// Close closes nothing.
func (*Conn) Close() error { return nil }

// Stmt is a row.
type Stmt struct{}

// ColumnInt reads a column by place.
func (*Stmt) ColumnInt(int) int { return 0 }

// GetInt64 reads a column by name.
func (*Stmt) GetInt64(string) int64 { return 0 }

// GetText reads a column by name.
func (*Stmt) GetText(string) string { return "" }

// Backup is a copy under way.
type Backup struct{}

// NewBackup refuses.
func NewBackup(_ *Conn, _ string, _ *Conn, _ string) (*Backup, error) { return nil, ErrAbsent }

// Step refuses.
func (*Backup) Step(int) (bool, error) { return false, ErrAbsent }

// Close closes nothing.
func (*Backup) Close() error { return nil }
