package config

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v3"
)

// Store is the database of everything that outlives the process: requests and
// their audit, reports that are kept, watches and suppressions. Exactly one of
// SQLite and Postgres is set.
type Store struct {
	// SQLite is a file that only this bot uses.
	SQLite Path `yaml:"sqlite"`
	// Postgres is a URL of a database, like postgres://user:password@host/tandem; for several replicas.
	Postgres Ref `yaml:"postgres"`
	// KeepRuns is how many diagnoses of each service are kept; 200 unless set.
	KeepRuns int `yaml:"keep_runs" check:"keepruns"`
	// KeepFor is how long a diagnosis is kept; 720h, 30 days, unless set.
	KeepFor time.Duration `yaml:"keep_for" check:"keepfor"`
}

func (s *Store) setDefaults() {
	s.KeepRuns = cmp.Or(s.KeepRuns, DefaultKeepRuns)
	s.KeepFor = cmp.Or(s.KeepFor, DefaultKeepFor)
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
