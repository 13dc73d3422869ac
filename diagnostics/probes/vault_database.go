package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// DatabaseRoleArgs name a role of a database engine.
type DatabaseRoleArgs struct {
	Mount string `cel:"mount"`
	Role  string `cel:"role"`
}

// DatabaseRole is a role of a database engine. All but Exists is zero when
// there is no such role.
type DatabaseRole struct {
	Exists               bool          `cel:"exists"`
	DBName               string        `cel:"db_name"`
	DefaultTTL           time.Duration `cel:"default_ttl"`
	MaxTTL               time.Duration `cel:"max_ttl"`
	CreationStatements   bool          `cel:"creation_statements"` // whether there are any
	RenewStatements      bool          `cel:"renew_statements"`
	RevocationStatements bool          `cel:"revocation_statements"`
}

// DatabaseConfigArgs name a connection of a database engine, and the role that
// must be allowed to use it.
type DatabaseConfigArgs struct {
	Mount string `cel:"mount"`
	Name  string `cel:"name"`
	Role  string `cel:"role"`
}

// DatabaseConfig is a connection of a database engine. All but Exists is zero
// when there is no such connection.
type DatabaseConfig struct {
	Exists       bool     `cel:"exists"`
	Plugin       string   `cel:"plugin"`
	AllowsRole   bool     `cel:"allows_role"`
	AllowedRoles []string `cel:"allowed_roles"`
	Verify       bool     `cel:"verify"` // whether Vault tries the connection when it is written
}

func databaseRoleGrants(args DatabaseRoleArgs) []diagnostics.Grant { return nil }

func databaseConfigGrants(args DatabaseConfigArgs) []diagnostics.Grant { return nil }

func (v vaultProbes) databaseRole(ctx context.Context, args DatabaseRoleArgs) (DatabaseRole, []diagnostics.Evidence, error) {
	return DatabaseRole{}, nil, notReady()
}

func (v vaultProbes) databaseConfig(ctx context.Context, args DatabaseConfigArgs) (DatabaseConfig, []diagnostics.Evidence, error) {
	return DatabaseConfig{}, nil, notReady()
}
