// Package probes asks Vault, SPIFFE and SPIRE, Prometheus, the logs, PostgreSQL,
// MongoDB and Kubernetes, and answers with typed facts.
//
// What every probe promises: it changes nothing; it ends before its context
// does; it keeps evidence of each question, also when it fails, as a command
// that a person can paste; it says that it was blind (a
// *diagnostics.BlindError) rather than guess. What was seen to be broken (a
// refused connection of the thing under diagnosis, a missing secret) is a fact;
// what kept the probe from seeing (a timeout, its own missing right, a throttle,
// an answer of something else) is blindness.
//
// Facts have no field that could hold a secret value, and every text from
// outside passes through redaction.
package probes

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/jackc/pgx/v5"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"google.golang.org/grpc/credentials"

	"tandem/diagnostics"
)

// Deps are the systems that the probes may ask. A zero part makes its probes
// blind, with the configuration key to set.
type Deps struct {
	Vault      Vault
	SPIFFE     SPIFFE
	Prometheus Prometheus
	Logs       LogSource
	Postgres   Postgres
	// MongoURIs read the MongoDB URI of a service, from a reference in the
	// configuration; the key is the service's name.
	MongoURIs map[string]func(context.Context) (string, error)
	MongoTLS  *tls.Config // nil: plain connections
	// Kubernetes is the cluster that the services run in.
	Kubernetes Kubernetes
	Now        func() time.Time
	// Grants are what the loaded catalogue needs at Vault. Asked when
	// vault.rights runs, because the catalogue loads after the probes are made.
	Grants func() []diagnostics.Grant
}

// Vault is where to ask Vault.
type Vault struct {
	Client *api.Client // the bot's identity, kept logged in by its owner
	Nodes  []string    // the address of every node; empty: the client's address
	// CLIAddr is written as VAULT_ADDR before the commands of the evidence;
	// empty: people have their own.
	CLIAddr string
}

// SPIFFE is where to ask the SPIFFE Workload API and the SPIRE server.
type SPIFFE struct {
	WorkloadSocket string // unix:///run/spire/agent/api.sock or tcp://127.0.0.1:8000
	ServerAddress  string // unix:///tmp/spire-server/private/api.sock, or host:port of a read-only proxy
	// ServerCredentials secure the connection to ServerAddress; nil: none, as
	// on the server's local socket.
	ServerCredentials credentials.TransportCredentials
	JWKSURL           string       // the OIDC provider's keys, like https://oidc.example.org/keys
	JWKSClient        *http.Client // nil: the default one
	TrustDomain       string       // like example.org
}

// Prometheus is where to ask Prometheus.
type Prometheus struct {
	API promv1.API
	URL string // for the evidence, without credentials
}

// Postgres is where to ask PostgreSQL.
type Postgres struct {
	Connect func(context.Context) (*pgx.Conn, error) // as a read-only role
	DSN     string                                   // for the evidence, without the password
}

// slowTimeout is for probes that search logs: a busy log server reads for
// seconds.
const slowTimeout = 10 * time.Second

func slowly(p diagnostics.Probe) diagnostics.Probe {
	p.Timeout = slowTimeout
	return p
}

// None are the arguments of a probe that takes none.
type None struct{}

// All are the probes there are.
func All(deps Deps) []diagnostics.Probe {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Grants == nil {
		deps.Grants = func() []diagnostics.Grant { return nil }
	}
	v := vaultProbes{Vault: deps.Vault, logs: deps.Logs, grants: deps.Grants, now: deps.Now}
	pg := postgresProbes{Postgres: deps.Postgres, now: deps.Now}
	w := spiffeProbes{SPIFFE: deps.SPIFFE, now: deps.Now}
	s := spireProbes{SPIFFE: deps.SPIFFE, now: deps.Now}
	p := prometheusProbes{Prometheus: deps.Prometheus, now: deps.Now}
	l := logProbes{source: deps.Logs, now: deps.Now}
	k := kubernetesProbes{Kubernetes: deps.Kubernetes, now: deps.Now}
	m := mongodbProbes{uris: deps.MongoURIs, tls: deps.MongoTLS, now: deps.Now}
	return []diagnostics.Probe{
		diagnostics.NewProbe("vault.health", "Asks every Vault node for its health, without a token.", v.health),
		diagnostics.NewProbe("vault.rights", "Asks Vault whether the bot's own token lives and may do what the checks need.", v.rights),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.secrets", "Reads the metadata and key names of KV version 2 secrets, never their values.", v.secrets), secretsGrants),
		slowly(diagnostics.WithGrants(diagnostics.NewProbe("vault.token", "Looks up the Vault tokens of the service's pods by their accessors.", v.token), tokenGrants)),
		slowly(diagnostics.WithGrants(diagnostics.NewProbe("vault.access", "Asks what the Vault tokens of the service's pods may do on paths.", v.access), accessGrants)),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.policy", "Reads whether Vault policies exist, and the digest of their text.", v.policy), policyGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.login_role", "Reads the role that the service logs in to Vault with.", v.loginRole), loginRoleGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.database_role", "Reads the role of Vault's database engine.", v.databaseRole), databaseRoleGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.database_config", "Reads the connection of Vault's database engine, without its URL.", v.databaseConfig), databaseConfigGrants),
		diagnostics.NewProbe("postgres.server", "Asks PostgreSQL whether it serves and how full it is.", pg.server),
		diagnostics.NewProbe("postgres.roles", "Counts the PostgreSQL users that Vault made for a role, and how long they are valid.", pg.roles),
		diagnostics.NewProbe("spiffe.workload_api", "Fetches the bot's own identity and bundles from the SPIFFE Workload API.", w.workloadAPI),
		diagnostics.NewProbe("spiffe.jwt_svid", "Fetches the bot's own JWT-SVID and checks it against the agent's bundle.", w.jwtSVID),
		diagnostics.NewProbe("spiffe.jwks", "Reads the keys that the OIDC provider publishes.", w.jwks),
		diagnostics.NewProbe("spire.server", "Asks the SPIRE server for its health, bundle and signing key.", s.server),
		diagnostics.NewProbe("spire.entries", "Lists the SPIRE entries of an identity and compares their selectors with the workload's.", s.entries),
		diagnostics.NewProbe("spire.agents", "Lists the SPIRE agents.", s.agents),
		diagnostics.NewProbe("prometheus.query", "Asks Prometheus an instant query.", p.query),
		diagnostics.NewProbe("prometheus.range", "Asks Prometheus a query over a span of time.", p.queryRange),
		diagnostics.NewProbe("prometheus.targets", "Asks Prometheus how its scrapes of a job go.", p.targets),
		slowly(diagnostics.NewProbe("logs.volume", "Counts the service's log lines, and tries to read the newest.", l.volume)),
		slowly(diagnostics.NewProbe("logs.events", "Searches the service's logs for events.", l.events)),
		diagnostics.NewProbe("mongodb.hosts", "Greets MongoDB hosts without logging in.", m.hosts),
		diagnostics.NewProbe("kubernetes.workload", "Reads a workload of the cluster and its pods.", k.workload),
		diagnostics.NewProbe("mongodb.uri", "Checks the form of the service's MongoDB URI, in memory.", m.uri),
	}
}
