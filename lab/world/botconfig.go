package world

import (
	"fmt"
	"strings"
)

// BotConfig returns a configuration for the bot in this world.
func BotConfig(state State) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, `# Written by the lab: the bot's configuration in this world.
vault:
  address: %q
  auth:
    token_file: %q
postgres:
  dsn_file: %q
prometheus:
  url: %q
loki:
  url: %q
spiffe:
  workload_socket: %q
  server_socket: %q
  oidc_url: %q
slack:
  api_url: %q
  bot_token_file: %q
  app_token_file: %q
`,
		state.Vault.URL, state.Bot.VaultTokenFile, state.Bot.ReadOnlyDSNFile, state.Prometheus.URL, state.Loki.URL,
		state.SPIFFE.WorkloadSocket, state.SPIFFE.ServerSocket, state.SPIFFE.OIDCURL,
		state.Slack.URL+"/api/", state.Bot.SlackBotTokenFile, state.Bot.SlackAppTokenFile)
	return []byte(text.String())
}
