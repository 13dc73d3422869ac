package config

import "go.yaml.in/yaml/v3"

// Store is the database of everything that outlives the process: requests and
// their audit, reports that are kept, watches and suppressions. Exactly one field
// is set.
type Store struct {
	// SQLite is a file that only this bot uses.
	SQLite Path `yaml:"sqlite"`
	// Postgres is a URL of a database, like postgres://user:password@host/tandem; for several replicas.
	Postgres Ref `yaml:"postgres"`
}

// validateStore holds that there is a database for what needs one.
func validateStore(c *Config, root *yaml.Node, found *findings) {
	if c.Store == nil {
		if c.Approvals != nil {
			found.add(at(root, "approvals"), "approvals", "need a database: set store.sqlite or store.postgres")
		}
		return
	}
	if ways := count(c.Store.SQLite != "", !c.Store.Postgres.IsZero()); ways != 1 {
		found.add(at(root, "store"), "store", "expected exactly one of sqlite and postgres, found %d", ways)
	}
}
