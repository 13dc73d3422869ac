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
		diagnostics.NewProbe("vault.health", diagnostics.Both("Asks every Vault node for its health, without a token.",
			"Pergunta a cada nó do Vault como está, sem token."), v.health),
		diagnostics.NewProbe("vault.rights", diagnostics.Both("Asks Vault whether the bot's own token lives and may do what the checks need.",
			"Pergunta ao Vault se o token do próprio bot vale e pode fazer o que as verificações precisam."), v.rights),
		diagnostics.NewProbe("vault.mount", diagnostics.Both("Asks Vault how a secrets engine is mounted: its kind, version and longest lease.",
			"Pergunta ao Vault como um engine de segredos está montado: tipo, versão e lease mais longo."), v.mount),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.secrets", diagnostics.Both("Reads the metadata and key names of KV version 2 secrets, never their values.",
			"Lê os metadados e os nomes das chaves de segredos do KV versão 2, nunca os valores."), v.secrets), secretsGrants),
		slowly(diagnostics.WithGrants(diagnostics.NewProbe("vault.token", diagnostics.Both("Looks up the Vault tokens of the service's pods by their accessors.",
			"Consulta, pelos accessors, os tokens dos pods do serviço no Vault."), v.token), tokenGrants)),
		slowly(diagnostics.WithGrants(diagnostics.NewProbe("vault.access", diagnostics.Both("Asks what the Vault tokens of the service's pods may do on paths.",
			"Pergunta o que os tokens dos pods do serviço no Vault podem fazer em certos caminhos."), v.access), accessGrants)),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.policy", diagnostics.Both("Reads whether Vault policies exist, and the digest of their text.",
			"Lê se as políticas existem no Vault, e o resumo criptográfico do texto delas."), v.policy), policyGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.login_role", diagnostics.Both("Reads the role that the service logs in to Vault with.",
			"Lê o role com que o serviço faz login no Vault."), v.loginRole), loginRoleGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.database_role", diagnostics.Both("Reads the role of Vault's database engine.",
			"Lê o role do engine de banco de dados do Vault."), v.databaseRole), databaseRoleGrants),
		diagnostics.WithGrants(diagnostics.NewProbe("vault.database_config", diagnostics.Both("Reads the connection of Vault's database engine, without its URL.",
			"Lê a conexão do engine de banco de dados do Vault, sem a URL."), v.databaseConfig), databaseConfigGrants),
		diagnostics.NewProbe("postgres.server", diagnostics.Both("Asks PostgreSQL whether it serves and how full it is.",
			"Pergunta ao PostgreSQL se está atendendo e quão cheio está."), pg.server),
		diagnostics.NewProbe("postgres.roles", diagnostics.Both("Counts the PostgreSQL users that Vault made for a role, and how long they are valid.",
			"Conta os usuários que o Vault criou no PostgreSQL para um role, e vê até quando valem."), pg.roles),
		diagnostics.NewProbe("spiffe.workload_api", diagnostics.Both("Fetches the bot's own identity and bundles from the SPIFFE Workload API.",
			"Busca na Workload API do SPIFFE a identidade e os bundles do próprio bot."), w.workloadAPI),
		diagnostics.NewProbe("spiffe.jwt_svid", diagnostics.Both("Fetches the bot's own JWT-SVID and checks it against the agent's bundle.",
			"Busca o JWT-SVID do próprio bot e o confere com o bundle do agente."), w.jwtSVID),
		diagnostics.NewProbe("spiffe.jwks", diagnostics.Both("Reads the keys that the OIDC provider publishes.",
			"Lê as chaves que o provedor OIDC publica."), w.jwks),
		diagnostics.NewProbe("spiffe.jwks_replicas", diagnostics.Both("Reads the keys that the OIDC provider publishes over several connections, and compares them.",
			"Lê por várias conexões as chaves que o provedor OIDC publica e as compara."), w.jwksReplicas),
		diagnostics.NewProbe("spire.server", diagnostics.Both("Asks the SPIRE server for its health, bundle and signing key.",
			"Pergunta ao servidor do SPIRE como está, e pelo bundle e pela chave de assinatura dele."), s.server),
		diagnostics.NewProbe("spire.entries", diagnostics.Both("Lists the SPIRE entries of an identity and compares their selectors with the workload's.",
			"Lista as entries de uma identidade no SPIRE e compara os seletores delas com os do workload."), s.entries),
		diagnostics.NewProbe("spire.agents", diagnostics.Both("Lists the SPIRE agents.",
			"Lista os agentes do SPIRE."), s.agents),
		diagnostics.NewProbe("prometheus.query", diagnostics.Both("Asks Prometheus an instant query.",
			"Faz ao Prometheus uma consulta instantânea."), p.query),
		diagnostics.NewProbe("prometheus.range", diagnostics.Both("Asks Prometheus a query over a span of time.",
			"Faz ao Prometheus uma consulta sobre um intervalo de tempo."), p.queryRange),
		diagnostics.NewProbe("prometheus.targets", diagnostics.Both("Asks Prometheus how its scrapes of a job go.",
			"Pergunta ao Prometheus como vão as coletas de um job."), p.targets),
		slowly(diagnostics.NewProbe("logs.volume", diagnostics.Both("Counts the service's log lines, and tries to read the newest.",
			"Conta as linhas de log do serviço e tenta ler as mais recentes."), l.volume)),
		slowly(diagnostics.NewProbe("logs.events", diagnostics.Both("Searches the service's logs for events.",
			"Procura eventos nos logs do serviço."), l.events)),
		diagnostics.NewProbe("mongodb.hosts", diagnostics.Both("Greets MongoDB hosts without logging in.",
			"Cumprimenta os hosts do MongoDB, sem fazer login."), m.hosts),
		diagnostics.NewProbe("kubernetes.workload", diagnostics.Both("Reads a workload of the cluster and its pods.",
			"Lê um workload do cluster e os pods dele."), k.workload),
		diagnostics.NewProbe("mongodb.uri", diagnostics.Both("Checks the form of the service's MongoDB URI, in memory.",
			"Confere, na memória, a forma da URI do MongoDB do serviço."), m.uri),
	}
}
