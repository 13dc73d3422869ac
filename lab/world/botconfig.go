package world

import (
	"bytes"
	"fmt"
	"text/template"
	"time"

	"tandem/lab/services"
)

// botConfig is the bot's configuration in this world. Its services are those
// of the runbook; secrets are files beside it.
var botConfig = template.Must(template.New("tandem.yaml").Parse(`# Written by the lab: the bot's configuration in this world.
vault:
  address: {{.Vault.URL}}
  identity:
    token_file: {{.Bot.VaultTokenFile}}
spiffe:
  workload_api_socket: unix://{{.SPIFFE.WorkloadSocket}}
  trust_domain: {{.TrustDomain}}
  jwks_url: {{.SPIFFE.OIDCURL}}/keys
  server_address: unix://{{.SPIFFE.ServerSocket}}
prometheus:
  url: {{.Prometheus.URL}}
logs:
  loki:
    url: {{.Loki.URL}}
    selector: '{service="$service"}'
postgres:
  dsn: {file: {{.Bot.ReadOnlyDSNFile}}}
slack:
  api_url: {{.Slack.URL}}/api/
  bot_token: {file: {{.Bot.SlackBotTokenFile}}}
  app_token: {file: {{.Bot.SlackAppTokenFile}}}
health:
  listen: {{.HealthAddr}}
{{- if .Kubernetes.URL}}
kubernetes:
  kubeconfig: {{.Kubernetes.BotKubeconfig}}
{{- end}}
store: {sqlite: {{.Bot.DatabaseFile}}}
alertmanager: # docs/watch.md shows how to send it something with curl
  listen: {{.AlertsAddr}}
  bearer_token: {file: {{.Bot.AlertsTokenFile}}}
  channel: C0INCIDENT
approvals:
  risks: # S0SRE00001 is @sre, S0SECURI01 @security
    low: {approve: {groups: [S0SRE00001, S0SECURI01]}}
    medium: {approve: {groups: [S0SRE00001, S0SECURI01]}}
    high: {ask: {groups: [S0SRE00001, S0SECURI01]}, approve: {groups: [S0SRE00001, S0SECURI01]}, quorum: 2, reason: true}
  requests_per_hour: 600
  break_glass: {groups: [S0SECURI01], risks: [low, medium], channel: C0INCIDENT}
remedies:
  vault: # the second way is for when SPIRE is what is broken
    jwt_svid: {mount: {{.Vault.JWTMount}}, audience: {{.Vault.Audience}}, subject: {{.BotID}}}
    approle: {secret_ids: {{.Bot.RemedySecretsDir}}}
  policies:
{{- range .Targets}}
    {{.Policy}}: {{$.Bot.PoliciesDir}}/{{.Policy}}.hcl
{{- end}}
  database_roles:
    temporal-orchestrator:
      mount: database
      db_name: temporal-db
      default_ttl: {{.TTL}}
      max_ttl: {{.DatabaseMaxTTL}}
      creation_statements: [{{printf "%q" .CreationSQL}}]
      renew_statements: [{{printf "%q" .RenewSQL}}]
      revocation_statements: [{{printf "%q" .RevocationSQL}}]
  spire:
    admin_address: unix://{{.SPIFFE.ServerSocket}}
    entries:
{{- range .Targets}}
      - {spiffe_id: {{.SPIFFEID}}, parent_id: {{$.EntryParent}}, selectors: ["k8s:ns:{{.Namespace}}", "k8s:sa:{{.ServiceAccount}}"]}
{{- end}}
{{- if .Kubernetes.URL}}
    agents: {namespace: spire-system, name: spire-agent}
    server: {namespace: spire-system, name: spire-server}
  kubernetes: {namespace: {{.BotNamespace}}, account: {{.BotAccount}}}
  end_to_end:
    job: {namespace: {{.BotNamespace}}, image: {{.EndToEndImage}}, deadline: 2m}
{{- end}}
services:
{{- range .Targets}}
  {{.Name}}:
    spiffe_id: {{.SPIFFEID}}
    selectors: ["k8s:ns:{{.Namespace}}", "k8s:sa:{{.ServiceAccount}}", "k8s:pod-label:app:{{.Name}}"]
    window: {{.Window}}
    accessor_file: {{.AccessorFile}}
    login: {mount: {{$.Vault.JWTMount}}, role: {{.VaultRole}}, policies: [{{.Policy}}], ttl: {{$.TTL}}}
{{- if .Calls}}
    database: {mount: database, role: temporal-orchestrator, config: temporal-db, name: {{$.Postgres.Database}}, ttl: {{$.TTL}}}
    peer: {name: {{.Registry}}, audience: service-registry.{{$.TrustDomain}}}
{{- end}}
{{- if .MongoDB}}
    secrets:
      - {mount: secret, path: orchestrator/mongodb, keys: [uri]}
    mongodb: {hosts: ["{{$.MongoDB.Addr}}"]}
{{- end}}
{{- if $.Kubernetes.URL}}
    workload: {namespace: {{.Namespace}}, name: {{.ServiceAccount}}}
{{- end}}
{{- end}}
`))

// botTarget is a service as the template names it.
type botTarget struct {
	Name, Namespace, ServiceAccount, SPIFFEID, AccessorFile, VaultRole, Policy, Registry string

	Window         time.Duration // how far back "now" reaches; TTLs are short here, so this is too
	Calls, MongoDB bool          // calls the registry and uses PostgreSQL; reads the MongoDB URI
}

// botWorld is what the template is filled with.
type botWorld struct {
	State

	HealthAddr, AlertsAddr, BotID, EntryParent, BotNamespace, BotAccount, EndToEndImage string

	DatabaseMaxTTL                       time.Duration
	CreationSQL, RenewSQL, RevocationSQL string

	Targets []botTarget
}

// BotConfig returns a configuration for the bot in this world.
func BotConfig(state State) ([]byte, error) {
	ttl, err := time.ParseDuration(state.TTL)
	if err != nil {
		return nil, fmt.Errorf("write the bot's configuration: %w", err)
	}
	data := botWorld{
		State: state, HealthAddr: hostPort(state.Bot.HealthURL), AlertsAddr: hostPort(state.Bot.AlertsURL), BotID: spiffeID("tandem", "bot"),
		DatabaseMaxTTL: maxTTL(ttl), CreationSQL: creationSQL, RenewSQL: renewSQL, RevocationSQL: revocationSQL,
		EntryParent: "spiffe://" + trustDomain + entryParentPath, BotNamespace: botNamespace, BotAccount: botAccount, EndToEndImage: endToEndImage,
	}
	for _, s := range catalogue() {
		data.Targets = append(data.Targets, botTarget{
			Name: s.name, Namespace: s.namespace, ServiceAccount: s.serviceAccount, SPIFFEID: s.id(),
			AccessorFile: state.Services[s.name].AccessorFile, VaultRole: s.vaultRole, Policy: s.policy,
			Registry: services.ServiceRegistry, Window: max(ttl/3, 10*time.Second),
			Calls: s.name != services.ServiceRegistry, MongoDB: s.name == services.Orchestrator,
		})
	}
	var text bytes.Buffer
	if err := botConfig.Execute(&text, data); err != nil {
		return nil, fmt.Errorf("write the bot's configuration: %w", err)
	}
	return text.Bytes(), nil
}
