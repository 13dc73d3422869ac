// Package config reads the bot's configuration: one YAML file, strictly.
//
// Load gives a valid Config or every error at once, each with file, line,
// column and YAML path. Secrets are never in the file: a Ref names the file or
// the environment variable that holds one, and reading it gives a Secret, which
// prints, marshals and logs as [redacted]. Paths are relative to the folder of
// the file. The package imports nothing else of Tandem.
package config

import "time"

// Defaults, where the file says nothing.
const (
	DefaultLanguage      = "en"
	DefaultCommand       = "/vault"
	DefaultTimeout       = 30 * time.Second
	DefaultWindow        = 5 * time.Minute
	DefaultSince         = 30 * time.Minute
	DefaultWidth         = 64
	DefaultJWTMount      = "jwt"
	DefaultAppRoleMount  = "approle"
	DefaultKubeMount     = "kubernetes"
	DefaultKubeTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	DefaultSSLMode       = "prefer"
	DefaultPostgresPort  = 5432
	DefaultSample        = 1.0
	DefaultPerMinute     = 10
	DefaultKeepRuns      = 200
	DefaultKeepFor       = 30 * 24 * time.Hour
)

// Config is the whole file. A section that is not there is nil or empty, and
// the checks that need it are unknown.
type Config struct {
	// Language for readers whose own is not known: en or pt-BR.
	Language string `yaml:"language"`
	// Vault is where Vault answers and who the bot is to it.
	Vault *Vault `yaml:"vault"`
	// SPIFFE is where the Workload API and the SPIRE server answer.
	SPIFFE *SPIFFE `yaml:"spiffe"`
	// Prometheus is where metrics are asked.
	Prometheus *Prometheus `yaml:"prometheus"`
	// Logs is where the services' logs are read: from Loki, from files, or from the pods.
	Logs *Logs `yaml:"logs"`
	// Postgres is a read-only login to the database whose users Vault makes.
	Postgres *Postgres `yaml:"postgres"`
	// MongoDB has the URIs whose form may be checked.
	MongoDB *MongoDB `yaml:"mongodb"`
	// Slack is the workspace that `bot run` serves.
	Slack *Slack `yaml:"slack"`
	// Health is where operators look at a bot that runs.
	Health *Health `yaml:"health"`
	// Traces is where `bot run` sends what a diagnosis did.
	Traces *Traces `yaml:"traces"`
	// Catalog adds checks to the built-in ones.
	Catalog Catalog `yaml:"catalog"`
	// Diagnosis bounds a diagnosis.
	Diagnosis Diagnosis `yaml:"diagnosis"`
	// Kubernetes is the cluster that the services run in.
	Kubernetes *Cluster `yaml:"kubernetes"`
	// Store is the database of what outlives the process.
	Store *Store `yaml:"store"`
	// Watch bounds what `bot run` looks at from time to time.
	Watch Watching `yaml:"watch"`
	// Alertmanager sends alerts, which open a thread with a diagnosis.
	Alertmanager *Alertmanager `yaml:"alertmanager"`
	// Approvals let people ask for remedies, and say who approves them.
	Approvals *Approvals `yaml:"approvals"`
	// Remedies are what may be carried out after an approval, and by which privilege.
	Remedies *Remedies `yaml:"remedies"`
	// Services are what can be diagnosed, by name.
	Services map[string]*Service `yaml:"services"`
}

// Vault is where Vault answers and who the bot is to it.
type Vault struct {
	// Address that the bot's questions go to.
	Address string `yaml:"address" check:"required,url"`
	// Nodes are the addresses of all nodes, each asked for its health.
	Nodes []string `yaml:"nodes" check:"url"`
	// Namespace of Vault Enterprise, usually empty.
	Namespace string `yaml:"namespace"`
	// CAFile has the certificates that Vault's listener is trusted by.
	CAFile Path `yaml:"ca_file"`
	// RequestsPerSecond to Vault, in the long run; 50 unless set.
	RequestsPerSecond float64 `yaml:"requests_per_second" check:"rate"`
	// Identity is how the bot logs in: exactly one way.
	Identity Identity `yaml:"identity"`
}

// Identity is how the bot logs in to Vault; exactly one field is set.
type Identity struct {
	// TokenFile holds a token that somebody else renews, like a Vault agent.
	TokenFile Path `yaml:"token_file"`
	// AppRole logs in with a role id and a secret id.
	AppRole *AppRole `yaml:"approle"`
	// JWTSVID logs in with a JWT-SVID from the Workload API.
	JWTSVID *JWTSVID `yaml:"jwt_svid"`
	// Kubernetes logs in with the pod's service account.
	Kubernetes *Kubernetes `yaml:"kubernetes"`
}

// AppRole is a login with a role id and a secret id.
type AppRole struct {
	// RoleID names the role.
	RoleID Ref `yaml:"role_id" check:"required"`
	// SecretID is the secret half.
	SecretID Ref `yaml:"secret_id" check:"required"`
	// Mount of the auth method; approle unless set.
	Mount string `yaml:"mount" check:"vault"`
}

// JWTSVID is a login with the bot's own SPIFFE identity.
type JWTSVID struct {
	// Mount of the auth method; jwt unless set.
	Mount string `yaml:"mount" check:"vault"`
	// Role to log in to.
	Role string `yaml:"role" check:"required,vault"`
	// Audience that the role expects in the JWT-SVID.
	Audience string `yaml:"audience" check:"required"`
}

// Kubernetes is a login with the pod's service account.
type Kubernetes struct {
	// Mount of the auth method; kubernetes unless set.
	Mount string `yaml:"mount" check:"vault"`
	// Role to log in to.
	Role string `yaml:"role" check:"required,vault"`
	// TokenFile is the service account's token; the usual place unless set.
	TokenFile Path `yaml:"token_file"`
}

// SPIFFE is where the Workload API and the SPIRE server answer.
type SPIFFE struct {
	// WorkloadAPISocket of the SPIRE agent, like unix:///run/spire/agent/api.sock.
	WorkloadAPISocket Endpoint `yaml:"workload_api_socket"`
	// TrustDomain of the services, like neural-hive.local.
	TrustDomain string `yaml:"trust_domain"`
	// JWKSURL of the OIDC provider, which publishes the keys of JWT-SVIDs.
	JWKSURL string `yaml:"jwks_url" check:"url"`
	// ServerAddress of the SPIRE server, a local socket or a read-only proxy.
	ServerAddress Endpoint `yaml:"server_address"`
}

// Prometheus is where metrics are asked.
type Prometheus struct {
	// URL of the server, without credentials.
	URL string `yaml:"url" check:"required,url"`
	// BearerToken for the Authorization header, if the server wants one.
	BearerToken Ref `yaml:"bearer_token"`
	// RequestsPerSecond to Prometheus, in the long run; 50 unless set.
	RequestsPerSecond float64 `yaml:"requests_per_second" check:"rate"`
}

// Logs is where the services' logs are read; exactly one field is set.
type Logs struct {
	// Loki answers LogQL.
	Loki *Loki `yaml:"loki"`
	// Files are patterns of log files, by service.
	Files map[string][]Path `yaml:"files"`
	// Kubernetes keeps the logs of the pods of each service's workload.
	Kubernetes *PodLogs `yaml:"kubernetes"`
}

// PodLogs are the logs that the cluster of the section kubernetes keeps.
type PodLogs struct {
	// Container that is read of each pod; the one that kubectl reads unless set.
	Container string `yaml:"container"`
}

// Loki answers LogQL.
type Loki struct {
	// URL of the server, without credentials.
	URL string `yaml:"url" check:"required,url"`
	// Selector of a service's streams; $service stands for its name.
	Selector string `yaml:"selector" check:"required"`
	// BearerToken for the Authorization header, if the server wants one.
	BearerToken Ref `yaml:"bearer_token"`
	// RequestsPerSecond to Loki, in the long run; 50 unless set.
	RequestsPerSecond float64 `yaml:"requests_per_second" check:"rate"`
}

// Postgres is a read-only login: either DSN, or the single fields.
type Postgres struct {
	// DSN has all in one secret, like postgres://user:password@host/name.
	DSN Ref `yaml:"dsn"`
	// Host name, address or folder of the Unix socket.
	Host string `yaml:"host"`
	// Port; 5432 unless set.
	Port int `yaml:"port" check:"port"`
	// User to log in as, who needs pg_monitor and nothing else.
	User string `yaml:"user"`
	// Password of the user, if one is wanted.
	Password Ref `yaml:"password"`
	// DBName is the database to log in to.
	DBName string `yaml:"dbname"`
	// SSLMode as libpq knows it; prefer unless set.
	SSLMode string `yaml:"sslmode" check:"oneof=disable allow prefer require verify-ca verify-full"`
}

// MongoDB has the URIs whose form may be checked.
type MongoDB struct {
	// URIs by service; each is only parsed, in memory.
	URIs map[string]Ref `yaml:"uris"`
}

// Slack is the workspace that `bot run` serves.
type Slack struct {
	// BotToken begins with xoxb-.
	BotToken Ref `yaml:"bot_token" check:"required"`
	// AppToken begins with xapp- and opens Socket Mode. Either it or HTTP is there.
	AppToken Ref `yaml:"app_token"`
	// HTTP is where Slack sends requests to without Socket Mode.
	HTTP *SlackHTTP `yaml:"http"`
	// APIURL of another Slack, for tests; Slack's own unless set.
	APIURL string `yaml:"api_url" check:"url"`
	// Command is the slash command; /vault unless set.
	Command string `yaml:"command"`
	// Access lists who may ask what, and where. Without it every full member of
	// the workspace may ask everything; with it, what one entry allows.
	Access []Access `yaml:"access" check:"filled"`
	// DiagnosesPerMinute are those that one person may ask for; 10 unless set.
	DiagnosesPerMinute int `yaml:"diagnoses_per_minute" check:"perminute"`
	// Channels say by id which service a channel is about: it may be left out there.
	Channels map[ChannelID]string `yaml:"channels"`
}

// ChannelID is how Slack calls a channel, like C0123456789.
type ChannelID string

// Access lets some people ask some things in some places. A key that is left
// out stands for all.
type Access struct {
	// Commands that it is about; help, whoami and version are always allowed.
	Commands []string `yaml:"commands" check:"filled,oneof=diagnose explain checks logs trace metrics fix run requests audit"`
	// Services that it is about.
	Services []string `yaml:"services" check:"filled"`
	// Channels where it holds, by id; direct stands for direct messages.
	Channels []string `yaml:"channels" check:"filled,slackid=C G direct"`
	// People whom it is for, by id.
	People []string `yaml:"people" check:"filled,slackid=U W"`
	// Groups whose members it is for as well, by the ids of user groups.
	Groups []string `yaml:"groups" check:"filled,slackid=S"`
}

// SlackHTTP is where Slack sends requests to.
type SlackHTTP struct {
	// Listen is the address behind your proxy, which ends TLS, like 127.0.0.1:3000.
	Listen string `yaml:"listen" check:"required,listen"`
	// SigningSecret of the app proves that a request is Slack's.
	SigningSecret Ref `yaml:"signing_secret" check:"required"`
	// PreviousSigningSecret is good too, while the signing secret is being replaced.
	PreviousSigningSecret Ref `yaml:"previous_signing_secret"`
}

// Health is where operators look at a bot that runs.
type Health struct {
	// Listen is the address of /healthz, /readyz and /metrics, like 127.0.0.1:9464.
	Listen string `yaml:"listen" check:"required,listen"`
}

// Traces is where `bot run` sends what a diagnosis did.
type Traces struct {
	// Endpoint that takes OTLP over HTTP, like http://otel:4318.
	Endpoint string `yaml:"endpoint" check:"required,url"`
	// Sample is the share of diagnoses that are traced; 1.0, all, unless set.
	Sample float64 `yaml:"sample" check:"share"`
}

// Catalog adds checks to the built-in ones.
type Catalog struct {
	// Folders of YAML files, one check each.
	Folders []Path `yaml:"folders"`
}

// Diagnosis bounds a diagnosis.
type Diagnosis struct {
	// Timeout of a whole diagnosis; 30s unless set.
	Timeout time.Duration `yaml:"timeout"`
	// Since is how far back metrics and logs are read; 30m unless set.
	Since time.Duration `yaml:"since"`
	// Width is how many questions are asked at once; 64 unless set.
	Width int `yaml:"width" check:"width"`
}

// Service is what can be diagnosed. A section that is not there means that the
// service has no such thing.
type Service struct {
	// SPIFFEID of the workload, like spiffe://neural-hive.local/ns/a/sa/b.
	SPIFFEID string `yaml:"spiffe_id" check:"spiffe,plain"`
	// Selectors that the live workload has, like k8s:ns:a.
	Selectors []string `yaml:"selectors" check:"plain"`
	// Job in Prometheus; the service's name unless set.
	Job string `yaml:"job" check:"plain"`
	// MetricPrefix of the renewal counters; from the service's name unless set.
	MetricPrefix string `yaml:"metric_prefix" check:"plain"`
	// Window is how far back "now" reaches for rates and log events, at least
	// four scrape intervals; 5m unless set.
	Window time.Duration `yaml:"window"`
	// AccessorFile holds the accessor of the service's Vault token; otherwise it is read from the logs.
	AccessorFile Path `yaml:"accessor_file"`
	// Login is how the service logs in to Vault.
	Login *Login `yaml:"login"`
	// Secrets that the service reads.
	Secrets []KVSecret `yaml:"secrets"`
	// Database is the dynamic credential that the service uses.
	Database *Database `yaml:"database"`
	// MongoDB is what the URI in the service's secret points to.
	MongoDB *ServiceMongoDB `yaml:"mongodb"`
	// Peer verifies the service's JWT-SVID over gRPC.
	Peer *Peer `yaml:"peer"`
	// Workload is the service's Deployment in the cluster.
	Workload *Workload `yaml:"workload"`
}

// Login is how a service logs in to Vault.
type Login struct {
	// Mount of the auth method, like jwt or kubernetes.
	Mount string `yaml:"mount" check:"required,vault"`
	// Role that the service logs in to.
	Role string `yaml:"role" check:"required,vault"`
	// Policies that the token must have.
	Policies []string `yaml:"policies" check:"vault"`
	// TTL of the token; windows of renewal follow it.
	TTL time.Duration `yaml:"ttl" check:"required"`
}

// KVSecret is a secret of the KV engine, version 2.
type KVSecret struct {
	// Mount of the engine, like secret.
	Mount string `yaml:"mount" check:"required,vault"`
	// Path below the mount, without data/ or metadata/.
	Path string `yaml:"path" check:"required,vault"`
	// Keys that must be there.
	Keys []string `yaml:"keys" check:"plain"`
}

// Database is a dynamic credential of Vault's database engine.
type Database struct {
	// Mount of the engine, like database.
	Mount string `yaml:"mount" check:"required,vault"`
	// Role that credentials are made of.
	Role string `yaml:"role" check:"required,vault"`
	// Config is the name of the connection in Vault.
	Config string `yaml:"config" check:"required,vault"`
	// Name of the PostgreSQL database.
	Name string `yaml:"name" check:"required,plain"`
	// TTL of the lease; windows of renewal follow it.
	TTL time.Duration `yaml:"ttl" check:"required"`
}

// ServiceMongoDB is what the URI in the service's secret points to.
type ServiceMongoDB struct {
	// Hosts as host:port.
	Hosts []string `yaml:"hosts" check:"hostport,plain"`
}

// Peer verifies a service's JWT-SVID over gRPC.
type Peer struct {
	// Name of the peer.
	Name string `yaml:"name" check:"required,plain"`
	// Job of the peer in Prometheus; its name unless set.
	Job string `yaml:"job" check:"plain"`
	// Audience that the peer expects in the JWT-SVID.
	Audience string `yaml:"audience" check:"required,plain"`
}
