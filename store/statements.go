package store

import (
	"context"
	"database/sql/driver"
	"strings"
)

// statementLimit is how many statements one connection keeps parsed.
const statementLimit = 200

// connector makes connections to SQLite that keep their statements: it parses
// each anew otherwise, which takes longer than most of them run. pgx does the
// same for PostgreSQL by itself.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := plain.(ableConn)
	if !ok {
		return plain, nil
	}
	return &keepingConn{ableConn: able, kept: map[string]*keptStmt{}}, nil
}

// ableConn is what the driver's connections can do.
type ableConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type ableStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keepingConn is used by one goroutine at a time, as all connections are.
type keepingConn struct {
	ableConn
	kept map[string]*keptStmt
}

type keptStmt struct {
	ableStmt
	read bool // its rows are being read: it cannot run again meanwhile
}

// statement is the parsed statement, or nil when it is none to be kept.
func (c *keepingConn) statement(ctx context.Context, query string) *keptStmt {
	if s, ok := c.kept[query]; ok {
		if s.read {
			return nil
		}
		return s
	}
	if len(c.kept) == statementLimit || !worthKeeping(query) {
		return nil
	}
	parsed, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil // the same is said when it runs
	}
	able, ok := parsed.(ableStmt)
	if !ok {
		_ = parsed.Close()
		return nil
	}
	s := &keptStmt{ableStmt: able}
	c.kept[query] = s
	return s
}

// worthKeeping says whether it is one statement on rows.
func worthKeeping(query string) bool {
	for strings.HasPrefix(query, "--") { // River names its statements
		_, query, _ = strings.Cut(query, "\n")
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(strings.TrimSpace(first)) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
		return !strings.Contains(rest, ";")
	default:
		return false
	}
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if s := c.statement(ctx, query); s != nil {
		return s.ExecContext(ctx, args)
	}
	return c.ableConn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s := c.statement(ctx, query)
	if s == nil {
		return c.ableConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.read = true
	return &keptRows{rows, s}, nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	for _, s := range c.kept {
		_ = s.Close() // which only says again how it ran last
	}
	return c.ableConn.Close()
}

type keptRows struct {
	driver.Rows
	of *keptStmt
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	r.of.read = false
	return r.Rows.Close()
}
