package probes

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ryanuber/go-glob"

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

func databaseRoleGrants(args DatabaseRoleArgs) []diagnostics.Grant {
	return []diagnostics.Grant{reads(below(args.Mount, "roles", args.Role))}
}

func databaseConfigGrants(args DatabaseConfigArgs) []diagnostics.Grant {
	return []diagnostics.Grant{reads(below(args.Mount, "config", args.Name))}
}

func (v vaultProbes) databaseRole(ctx context.Context, args DatabaseRoleArgs) (DatabaseRole, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	var data struct {
		DBName     string   `json:"db_name"`
		DefaultTTL seconds  `json:"default_ttl"`
		MaxTTL     seconds  `json:"max_ttl"`
		Creation   []string `json:"creation_statements"`
		Renew      []string `json:"renew_statements"`
		Revocation []string `json:"revocation_statements"`
	}
	path := below(args.Mount, "roles", args.Role)
	q := vaultQuestion{path: path, mount: args.Mount, show: v.command("read", path)}
	found, err := v.read(ctx, t, q, &data)
	if err != nil || !found {
		return DatabaseRole{}, t.list, err
	}
	facts := DatabaseRole{
		Exists:               true,
		DBName:               clean(data.DBName, maxDetail),
		DefaultTTL:           data.DefaultTTL.duration(),
		MaxTTL:               data.MaxTTL.duration(),
		CreationStatements:   anyText(data.Creation),
		RenewStatements:      anyText(data.Renew),
		RevocationStatements: anyText(data.Revocation),
	}
	t.add(q.show, "connection %s, ttl %s, at most %s; statements: creation %t, renewal %t, revocation %t",
		facts.DBName, facts.DefaultTTL, facts.MaxTTL, facts.CreationStatements, facts.RenewStatements, facts.RevocationStatements)
	return facts, t.list, nil
}

// databaseConfig decodes neither the connection's URL nor its other details:
// they can hold a password.
func (v vaultProbes) databaseConfig(ctx context.Context, args DatabaseConfigArgs) (DatabaseConfig, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	var data struct {
		Plugin       string   `json:"plugin_name"`
		AllowedRoles []string `json:"allowed_roles"`
		Verify       bool     `json:"verify_connection"`
	}
	path := below(args.Mount, "config", args.Name)
	q := vaultQuestion{path: path, mount: args.Mount, show: v.command("read", "-field=allowed_roles", path)}
	found, err := v.read(ctx, t, q, &data)
	if err != nil || !found {
		return DatabaseConfig{}, t.list, err
	}
	facts := DatabaseConfig{Exists: true, Plugin: clean(data.Plugin, maxDetail), AllowedRoles: cleanAll(data.AllowedRoles), Verify: data.Verify}
	facts.AllowsRole = slices.ContainsFunc(data.AllowedRoles, func(pattern string) bool { return glob.Glob(pattern, args.Role) })
	t.add(q.show, "plugin %s, allowed roles: %s", facts.Plugin, list(facts.AllowedRoles))
	return facts, t.list, nil
}

// anyText reports whether there is a statement that is not blank.
func anyText(statements []string) bool {
	return slices.ContainsFunc(statements, func(s string) bool { return strings.TrimSpace(s) != "" })
}
