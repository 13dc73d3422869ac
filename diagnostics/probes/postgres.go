package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// PostgresServer is the state of a PostgreSQL server. The numbers are zero when
// it is not reachable.
type PostgresServer struct {
	Reachable      bool   `cel:"reachable"`
	Problem        string `cel:"problem"`     // "", refused, starting, too_many_connections
	InRecovery     bool   `cel:"in_recovery"` // a standby, or replaying after a crash
	Connections    int64  `cel:"connections"`
	MaxConnections int64  `cel:"max_connections"`
	Version        string `cel:"version"`
}

// PostgresRolesArgs name the role of Vault's database engine.
type PostgresRolesArgs struct {
	Role string `cel:"role"`
}

// PostgresRoles are the users that Vault made for a role of its database
// engine, in numbers.
type PostgresRoles struct {
	Users            int64     `cel:"users"`
	Valid            int64     `cel:"valid"` // may still log in
	NewestValidUntil time.Time `cel:"newest_valid_until"`
	NewestCreated    time.Time `cel:"newest_created"`
	Connected        int64     `cel:"connected"`         // users with a connection
	ConnectedExpired int64     `cel:"connected_expired"` // of those, with VALID UNTIL in the past
	ConnectedLatest  bool      `cel:"connected_latest"`  // the newest user has a connection
	ServerVersion    string    `cel:"server_version"`
}

type postgresProbes struct {
	Postgres
	now func() time.Time
}

func (p postgresProbes) server(ctx context.Context, _ None) (PostgresServer, []diagnostics.Evidence, error) {
	return PostgresServer{}, nil, notReady()
}

func (p postgresProbes) roles(ctx context.Context, args PostgresRolesArgs) (PostgresRoles, []diagnostics.Evidence, error) {
	return PostgresRoles{}, nil, notReady()
}
