package remedies

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
)

// Database is the dynamic credential of a service.
type Database struct {
	Mount, Role string
	Config      string // name of the connection at Vault
}

func (b Database) roles() string  { return below(b.Mount, "roles", b.Role) }
func (b Database) creds() string  { return below(b.Mount, "creds", b.Role) }
func (b Database) config() string { return below(b.Mount, "config", b.Config) }

// DatabaseRole is a reviewed role of a database engine, whole.
type DatabaseRole struct {
	Mount, Name string
	DBName      string
	DefaultTTL  string // as Vault takes it, like 1h
	MaxTTL      string
	Creation    []string
	Renew       []string
	Revocation  []string
	Rollback    []string
}

// data is the role as it is written: with every field, since Vault keeps what a
// write leaves out.
func (r DatabaseRole) data() map[string]any {
	return map[string]any{
		"db_name": r.DBName, "default_ttl": r.DefaultTTL, "max_ttl": r.MaxTTL, "credential_type": "password",
		"creation_statements": whole(r.Creation), "renew_statements": whole(r.Renew),
		"revocation_statements": whole(r.Revocation), "rollback_statements": whole(r.Rollback),
	}
}

// allowed are the same values as the only ones that a role may send.
func (r DatabaseRole) allowed() map[string][]any {
	all := map[string][]any{}
	for name, value := range r.data() {
		all[name] = []any{value}
	}
	return all
}

// whole is a list that is never null.
func whole(list []string) []string { return append([]string{}, list...) }

// fields are the role as Vault would tell it, to compare.
func (r DatabaseRole) fields() storedRole {
	return storedRole{
		DBName: r.DBName, DefaultTTL: secondsOf(r.DefaultTTL), MaxTTL: secondsOf(r.MaxTTL), Type: "password",
		Creation: whole(r.Creation), Renew: whole(r.Renew), Revocation: whole(r.Revocation), Rollback: whole(r.Rollback),
	}
}

// secondsOf reads a duration as Vault takes it: 3600, 1h or 1d; -1 when it is
// none.
func secondsOf(text string) float64 {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return n * 24 * 3600
		}
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d.Seconds()
	}
	return -1
}

// storedRole is a role as Vault tells it.
type storedRole struct {
	DBName     string         `json:"db_name"`
	DefaultTTL float64        `json:"default_ttl"` // seconds
	MaxTTL     float64        `json:"max_ttl"`     // seconds
	Type       string         `json:"credential_type"`
	Config     map[string]any `json:"credential_config,omitempty"`
	Creation   []string       `json:"creation_statements"`
	Renew      []string       `json:"renew_statements"`
	Revocation []string       `json:"revocation_statements"`
	Rollback   []string       `json:"rollback_statements"`
}

// differences tell, field by field, how a role is not as reviewed.
func (r storedRole) differences(reviewed storedRole) []string {
	var all []string
	field := func(name string, is, should any) {
		if is, should := jsonOf(is), jsonOf(should); is != should {
			all = append(all, fmt.Sprintf("%s is %s, reviewed %s", name, is, should))
		}
	}
	field("db_name", r.DBName, reviewed.DBName)
	field("default_ttl", r.DefaultTTL, reviewed.DefaultTTL)
	field("max_ttl", r.MaxTTL, reviewed.MaxTTL)
	field("credential_type", r.Type, reviewed.Type)
	field("creation_statements", whole(r.Creation), reviewed.Creation)
	field("renew_statements", whole(r.Renew), reviewed.Renew)
	field("revocation_statements", whole(r.Revocation), reviewed.Revocation)
	field("rollback_statements", whole(r.Rollback), reviewed.Rollback)
	return all
}

// database is the dynamic credential that is wanted: only the one that the
// configuration names for the service.
func (d Deps) database(want approvals.Want) (Database, error) {
	s, err := d.service(want.Service)
	if err != nil {
		return Database{}, err
	}
	mount, role := want.Params["mount"], want.Params["role"]
	if s.Database == nil {
		return Database{}, refuse(approvals.WhyParameters, "the configuration names no database of "+s.Name)
	}
	if mount != "" && mount != s.Database.Mount || role != "" && role != s.Database.Role {
		return Database{}, refuse(approvals.WhyParameters, fmt.Sprintf("expected mount and role of the database of %s in the configuration: %s", s.Name, below(s.Database.Mount, s.Database.Role)))
	}
	return *s.Database, nil
}

// databases are those of all services, each once.
func (d Deps) databases() []Database {
	var all []Database
	for _, s := range d.Services {
		if s.Database != nil && !slices.Contains(all, *s.Database) {
			all = append(all, *s.Database)
		}
	}
	return all
}

// reviewed is the reviewed role of a database.
func (d Deps) reviewed(b Database) (DatabaseRole, error) {
	at := slices.IndexFunc(d.Vault.DatabaseRoles, func(r DatabaseRole) bool { return trim(r.Mount) == trim(b.Mount) && r.Name == b.Role })
	if at < 0 {
		return DatabaseRole{}, refuse(approvals.WhyParameters, "the configuration has no reviewed role "+b.roles())
	}
	r := d.Vault.DatabaseRoles[at]
	if r.DBName != b.Config {
		return DatabaseRole{}, refuse(approvals.WhyParameters, fmt.Sprintf("the reviewed role is for the connection %s, the service's is %s: correct the configuration", r.DBName, b.Config))
	}
	if secondsOf(r.DefaultTTL) < 0 || secondsOf(r.MaxTTL) < 0 {
		return DatabaseRole{}, refuse(approvals.WhyParameters, "the reviewed role has a TTL that is no duration: correct the configuration")
	}
	return r, nil
}

func (v Vault) storedRole(ctx context.Context, b Database) (r storedRole, found bool, err error) {
	found, err = v.read(ctx, b.roles(), nil, &r)
	return r, found, err
}

// connection is what the connection of a database lets through.
func (v Vault) connection(ctx context.Context, b Database) (roles []string, found bool, err error) {
	var answer struct {
		Roles []string `json:"allowed_roles"`
	}
	found, err = v.read(ctx, b.config(), nil, &answer)
	return answer.Roles, found, err
}

// lets says whether a list of allowed roles has the role. Its items may have *
// in them.
func lets(allowed []string, role string) bool {
	return slices.ContainsFunc(allowed, func(item string) bool {
		matches, err := path.Match(item, role)
		return err == nil && matches || item == role
	})
}
