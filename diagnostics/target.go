package diagnostics

import "time"

// Target is a service under diagnosis, as the operator described it in the
// configuration. CEL expressions of a check see it as `service`. An empty
// section (no database role, no secrets, no peer) means that the service has
// no such thing, and checks about it do not apply.
type Target struct {
	Name         string   `cel:"name"`
	SPIFFEID     string   `cel:"spiffe_id"`     // like spiffe://neural-hive.local/ns/a/sa/b
	Selectors    []string `cel:"selectors"`     // of the live workload, like k8s:ns:a
	Job          string   `cel:"job"`           // Prometheus job
	MetricPrefix string   `cel:"metric_prefix"` // of <prefix>_vault_renewal_task_runs_total
	AccessorFile string   `cel:"accessor_file"` // file with the accessor of the service's Vault token; empty: taken from its logs

	// Window is how far back "now" reaches: the range of rates and the age of a
	// log event that still counts. At least four scrape intervals.
	Window time.Duration `cel:"window"`

	Login    Login    `cel:"login"`
	Secrets  []Secret `cel:"secrets"`
	Database Database `cel:"database"`
	MongoDB  MongoDB  `cel:"mongodb"`
	Peer     Peer     `cel:"peer"`
	Workload Workload `cel:"workload"`
}

// Login is how the service logs in to Vault.
type Login struct {
	Mount    string        `cel:"mount"` // auth mount, like jwt or kubernetes
	Role     string        `cel:"role"`
	Policies []string      `cel:"policies"`
	TTL      time.Duration `cel:"ttl"` // of the token; renewal windows follow it
}

// Secret is one KV version 2 secret that the service reads.
type Secret struct {
	Mount string   `cel:"mount"`
	Path  string   `cel:"path"`
	Keys  []string `cel:"keys"` // the keys that must be there
}

// Database is the dynamic credential that the service uses.
type Database struct {
	Mount  string        `cel:"mount"`
	Role   string        `cel:"role"`
	Config string        `cel:"config"` // name of the connection in Vault
	Name   string        `cel:"name"`   // PostgreSQL database
	TTL    time.Duration `cel:"ttl"`    // of the lease; renewal windows follow it
}

// MongoDB is the database that the URI of the service's secret points to.
type MongoDB struct {
	Hosts []string `cel:"hosts"` // host:port
}

// Peer is the service that verifies this service's JWT-SVID over gRPC.
type Peer struct {
	Name     string `cel:"name"`
	Job      string `cel:"job"`
	Audience string `cel:"audience"`
}

// Workload is the Deployment that the service runs as.
type Workload struct {
	Namespace string `cel:"namespace"`
	Name      string `cel:"name"` // empty: it is not in a cluster
}
