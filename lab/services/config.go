package services

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"
)

// The services that Run knows.
const (
	Orchestrator    = "orchestrator"
	Worker          = "worker"
	ServiceRegistry = "service-registry"
)

// Config is all that one service needs to know. Addresses are host:port, paths are paths of files.
type Config struct {
	// Name is one of orchestrator, worker and service-registry.
	Name string `json:"name"`
	// Pod labels the logs. Default: the name with "-0".
	Pod string `json:"pod,omitempty"`
	// AdminAddr serves /metrics, /healthz and /lab/behaviour.
	AdminAddr string `json:"admin_addr"`
	// GRPCAddr is where the service-registry listens. The others do not listen.
	GRPCAddr string `json:"grpc_addr,omitempty"`

	// TrustDomain defaults to neural-hive.local.
	TrustDomain string `json:"trust_domain,omitempty"`
	// WorkloadSocket is the path of the Workload API's socket.
	WorkloadSocket string `json:"workload_socket"`

	// VaultAddr is a URL. Without it the service keeps no Vault session, which only the service-registry may do.
	VaultAddr string `json:"vault_addr,omitempty"`
	// VaultMount is the JWT auth mount. Default: jwt.
	VaultMount string `json:"vault_mount,omitempty"`
	// VaultRole defaults to orchestrator-dynamic, worker-agents or service-registry.
	VaultRole string `json:"vault_role,omitempty"`
	// VaultAudience defaults to vault.<trust domain>.
	VaultAudience string `json:"vault_audience,omitempty"`

	// RegistryAddr is the service-registry's gRPC address, for the other two.
	RegistryAddr string `json:"registry_addr,omitempty"`
	// RegistryAudience defaults to service-registry.<trust domain>.
	RegistryAudience string `json:"registry_audience,omitempty"`
	// JWTOptional lets calls to the registry go out without a token when none can be fetched.
	JWTOptional bool `json:"jwt_optional,omitempty"`
	// AllowList are the SPIFFE IDs that the service-registry lets in. Default: orchestrator and worker.
	AllowList []string `json:"allow_list,omitempty"`

	// MongoMount, MongoPath and MongoKey say where the orchestrator finds its MongoDB URI. Default: secret,
	// orchestrator/mongodb, uri.
	MongoMount string `json:"mongo_mount,omitempty"`
	MongoPath  string `json:"mongo_path,omitempty"`
	MongoKey   string `json:"mongo_key,omitempty"`

	// DatabaseMount and DatabaseRole give the dynamic credentials. Default: database, temporal-orchestrator.
	DatabaseMount string `json:"database_mount,omitempty"`
	DatabaseRole  string `json:"database_role,omitempty"`
	// PostgresAddr and PostgresDatabase are where those credentials are used. Without an address there is no pool.
	PostgresAddr     string `json:"postgres_addr,omitempty"`
	PostgresDatabase string `json:"postgres_database,omitempty"`

	// LogFile gets the events, one JSON object a line. LokiURL (the base of it) gets them too. Either may be empty.
	LogFile string `json:"log_file,omitempty"`
	LokiURL string `json:"loki_url,omitempty"`
	// LogLevel is debug, info, warn or error. Default: debug.
	LogLevel string `json:"log_level,omitempty"`
	// AccessorFile gets the accessor of the present Vault token at each login.
	AccessorFile string `json:"accessor_file,omitempty"`

	// TTL is about what tokens, SVIDs and leases live for. Work that no lease times is timed by it. Default: 60s.
	TTL Duration `json:"ttl,omitempty"`
	// Tick is the pace of calls and queries, and of what is tried again. Default: 1s.
	Tick Duration `json:"tick,omitempty"`

	// Behaviour is what the service starts with.
	Behaviour Behaviour `json:"behaviour,omitzero"`
}

// Duration is a time.Duration that JSON spells as text, like "20s".
type Duration time.Duration

// MarshalText spells d as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q: want a number with a unit, like 20s", text)
	}
	*d = Duration(parsed)
	return nil
}

// vaultRoles are the names that the public system gives its roles.
func vaultRoles(service string) string {
	switch service {
	case Orchestrator:
		return "orchestrator-dynamic"
	case Worker:
		return "worker-agents"
	default:
		return "service-registry"
	}
}

func (c Config) withDefaults() Config {
	orDefault(&c.Pod, c.Name+"-0")
	orDefault(&c.TrustDomain, "neural-hive.local")
	orDefault(&c.VaultMount, "jwt")
	orDefault(&c.VaultRole, vaultRoles(c.Name))
	orDefault(&c.VaultAudience, "vault."+c.TrustDomain)
	orDefault(&c.RegistryAudience, "service-registry."+c.TrustDomain)
	orDefault(&c.MongoMount, "secret")
	orDefault(&c.MongoPath, "orchestrator/mongodb")
	orDefault(&c.MongoKey, "uri")
	orDefault(&c.DatabaseMount, "database")
	orDefault(&c.DatabaseRole, "temporal-orchestrator")
	orDefault(&c.PostgresDatabase, "postgres")
	orDefault(&c.LogLevel, "debug")
	orDefault(&c.TTL, Duration(time.Minute))
	orDefault(&c.Tick, Duration(time.Second))
	if c.AllowList == nil {
		c.AllowList = []string{
			"spiffe://" + c.TrustDomain + "/ns/neural-hive-orchestration/sa/orchestrator-dynamic",
			"spiffe://" + c.TrustDomain + "/ns/neural-hive-execution/sa/worker-agents",
		}
	}
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports every fault of a configuration whose defaults are filled in.
func (c Config) Validate() error {
	var errs []error
	if !slices.Contains([]string{Orchestrator, Worker, ServiceRegistry}, c.Name) {
		errs = append(errs, fmt.Errorf("name %q: want %s, %s or %s", c.Name, Orchestrator, Worker, ServiceRegistry))
	}
	errs = append(errs, c.validateAddresses()...)
	if c.WorkloadSocket == "" || strings.Contains(c.WorkloadSocket, "://") {
		errs = append(errs, fmt.Errorf("workload_socket %q: want a path", c.WorkloadSocket))
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.LogLevel)); err != nil {
		errs = append(errs, fmt.Errorf("log_level %q: want debug, info, warn or error", c.LogLevel))
	}
	if c.TTL < 0 || c.Tick < 0 {
		errs = append(errs, errors.New("ttl and tick: want durations above zero"))
	}
	return errors.Join(errs...)
}

func (c Config) validateAddresses() []error {
	needed := map[string]string{"admin_addr": c.AdminAddr}
	if c.Name == ServiceRegistry {
		needed["grpc_addr"] = c.GRPCAddr
	} else {
		needed["registry_addr"] = c.RegistryAddr
	}
	if c.PostgresAddr != "" {
		needed["postgres_addr"] = c.PostgresAddr
	}
	var errs []error
	for field, addr := range needed {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("%s %q: want host:port", field, addr))
		}
	}
	if c.VaultAddr == "" && c.Name != ServiceRegistry {
		errs = append(errs, errors.New("vault_addr is empty: want a URL such as http://127.0.0.1:8200"))
	}
	return errs
}

// tick paces calls and retries.
func (c Config) tick() time.Duration { return time.Duration(c.Tick) }

// ttl is what work without a lease of its own is timed by.
func (c Config) ttl() time.Duration { return time.Duration(c.TTL) }

// callTimeout bounds one call over the network: well under a TTL, and never so long that shutdown would wait for it.
func (c Config) callTimeout() time.Duration {
	return min(c.ttl()/10+500*time.Millisecond, 3*time.Second)
}
