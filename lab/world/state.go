package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// State is where everything is and how to enter it. It holds the lab's secrets:
// it is written to world.json for its owner only.
type State struct {
	Dir         string    `json:"dir"`
	PID         int       `json:"pid"`
	StartedAt   time.Time `json:"started_at"`
	TTL         string    `json:"ttl"` // as time.Duration prints it
	TrustDomain string    `json:"trust_domain"`
	ControlSock string    `json:"control_socket"`

	Vault      VaultState              `json:"vault"`
	Postgres   PostgresState           `json:"postgres"`
	Prometheus ServerState             `json:"prometheus"`
	Loki       ServerState             `json:"loki"`
	SPIFFE     SPIFFEState             `json:"spiffe"`
	MongoDB    MongoDBState            `json:"mongodb"`
	Kubernetes KubernetesState         `json:"kubernetes"`
	Slack      SlackState              `json:"slack"`
	Services   map[string]ServiceState `json:"services"` // by name
	Bot        BotState                `json:"bot"`
}

// ServerState is a server with an HTTP address and nothing else to know.
type ServerState struct {
	URL string `json:"url"`
}

// VaultState is Vault, with all that its operators know.
type VaultState struct {
	URL       string `json:"url"`
	RootToken string `json:"root_token"`
	UnsealKey string `json:"unseal_key"`
	JWTMount  string `json:"jwt_mount"`
	Audience  string `json:"audience"`
}

// PostgresState is PostgreSQL. Both DSNs name the services' database.
type PostgresState struct {
	Addr        string `json:"addr"`
	Database    string `json:"database"`
	AdminDSN    string `json:"admin_dsn"`
	ReadOnlyDSN string `json:"read_only_dsn"`
	DataDir     string `json:"data_dir"`
}

// SPIFFEState is the SPIRE server, its agent, and the OIDC provider.
type SPIFFEState struct {
	WorkloadSocket string `json:"workload_socket"`
	ServerSocket   string `json:"server_socket"`
	OIDCURL        string `json:"oidc_url"`
	AdminURL       string `json:"admin_url"`
}

// MongoDBState is the MongoDB wire server.
type MongoDBState struct {
	Addr     string `json:"addr"`
	AdminURL string `json:"admin_url"`
	URI      string `json:"uri"` // as in the orchestrator's secret
}

// KubernetesState is the API server. The kubeconfigs hold what they name.
type KubernetesState struct {
	URL             string `json:"url"` // empty in a world without
	CAFile          string `json:"ca_file"`
	AdminKubeconfig string `json:"admin_kubeconfig"`
	BotKubeconfig   string `json:"bot_kubeconfig"`
}

// SlackState is the workspace. URL is the page; the Web API is below URL/api/.
type SlackState struct {
	URL      string `json:"url"`
	BotToken string `json:"bot_token"`
	AppToken string `json:"app_token"`
}

// ServiceState is one of the three services.
type ServiceState struct {
	AdminURL     string `json:"admin_url"`
	GRPCAddr     string `json:"grpc_addr,omitempty"` // the registry only
	LogFile      string `json:"log_file"`
	AccessorFile string `json:"accessor_file"`
	Pod          string `json:"pod"`
	SPIFFEID     string `json:"spiffe_id"`
}

// BotState is what the bot is given: files, so that no secret is in an argument.
type BotState struct {
	ConfigFile        string `json:"config_file"`
	HealthURL         string `json:"health_url"` // /healthz, /readyz and /metrics
	AlertsURL         string `json:"alerts_url"` // takes what Alertmanager sends, below /alertmanager
	AlertsTokenFile   string `json:"alerts_token_file"`
	VaultTokenFile    string `json:"vault_token_file"`
	RoleIDFile        string `json:"role_id_file"`
	SecretIDFile      string `json:"secret_id_file"`
	ReadOnlyDSNFile   string `json:"read_only_dsn_file"`
	SlackBotTokenFile string `json:"slack_bot_token_file"`
	SlackAppTokenFile string `json:"slack_app_token_file"`
	DatabaseFile      string `json:"database_file"`      // requests and their audit
	PoliciesDir       string `json:"policies_dir"`       // reviewed texts of the services' policies
	RemedySecretsDir  string `json:"remedy_secrets_dir"` // a secret id for each remedy's role
}

// write puts the state into a file that only its owner reads.
func (s State) write(path string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return writeFile(path, append(content, '\n'))
}

// readState reads what write wrote.
func readState(path string) (State, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, errNoLab
	}
	if err != nil {
		return State{}, fmt.Errorf("read the state: %w", err)
	}
	var state State
	if err := json.Unmarshal(content, &state); err != nil {
		return State{}, fmt.Errorf("read the state in %s: %w", path, err)
	}
	return state, nil
}
