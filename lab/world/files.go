package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// botFiles says where the bot's files are.
func (b *builder) botFiles() BotState {
	return BotState{
		ConfigFile:        b.folder.botConfigFile(),
		AlertsTokenFile:   b.folder.path("bot", "alertmanager-token"),
		VaultTokenFile:    b.folder.path("bot", "vault-token"),
		RoleIDFile:        b.folder.path("bot", "role-id"),
		SecretIDFile:      b.folder.path("bot", "secret-id"),
		ReadOnlyDSNFile:   b.folder.path("bot", "postgres-dsn"),
		SlackBotTokenFile: b.folder.path("bot", "slack-bot-token"),
		SlackAppTokenFile: b.folder.path("bot", "slack-app-token"),
		DatabaseFile:      b.folder.path("data", "tandem.db"),
		PoliciesDir:       b.folder.path("bot", "policies"),
		RemedySecretsDir:  b.folder.path("bot", "remedies"),
	}
}

// writeConfig writes the bot's configuration and the policies that its operators
// reviewed, before anything runs: what the bot may do follows from them.
func (b *builder) writeConfig(context.Context) error {
	config, err := BotConfig(b.state)
	if err != nil {
		return err
	}
	errs := []error{writeFile(b.state.Bot.ConfigFile, config)}
	for _, s := range catalogue() {
		text, err := Policy(s.policy)
		errs = append(errs, err, writeFile(filepath.Join(b.state.Bot.PoliciesDir, s.policy+".hcl"), []byte(text)))
	}
	return errors.Join(errs...)
}

// writeFiles writes what the bot and people's shells read.
func (b *builder) writeFiles(context.Context) error {
	bot := b.state.Bot
	return errors.Join(
		writeSecret(bot.ReadOnlyDSNFile, b.state.Postgres.ReadOnlyDSN),
		writeSecret(bot.AlertsTokenFile, rand.Text()),
		writeSecret(bot.SlackBotTokenFile, b.state.Slack.BotToken),
		writeSecret(bot.SlackAppTokenFile, b.state.Slack.AppToken),
		writeFile(b.folder.envFile(), exports(b.state)),
	)
}

// exports are the addresses as a shell reads them. VAULT_TOKEN is the bot's:
// who wants to be root must say so.
func exports(state State) []byte {
	variables := [][2]string{
		{"VAULT_ADDR", state.Vault.URL},
		{"LAB_ROOT_TOKEN", state.Vault.RootToken},
		{"SPIFFE_ENDPOINT_SOCKET", "unix://" + state.SPIFFE.WorkloadSocket},
		{"PROMETHEUS_URL", state.Prometheus.URL},
		{"LOKI_ADDR", state.Loki.URL},
		{"LAB_POSTGRES_DSN", state.Postgres.ReadOnlyDSN},
		{"LAB_SLACK_PAGE", state.Slack.URL},
		{"KUBECONFIG", state.Kubernetes.BotKubeconfig},
		{"LAB_KUBECONFIG", state.Kubernetes.AdminKubeconfig},
		{"TANDEM_CONFIG", state.Bot.ConfigFile},
	}
	var text strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&text, "export %s=%s\n", v[0], quoted(v[1]))
	}
	fmt.Fprintf(&text, "export VAULT_TOKEN=\"$(cat %s)\"\n", quoted(state.Bot.VaultTokenFile))
	return []byte(text.String())
}

// quoted makes a text one word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
