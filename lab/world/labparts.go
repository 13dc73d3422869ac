package world

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	face "tandem/commands/slack"
	"tandem/lab/services"
	"tandem/lab/services/mongodb"
	"tandem/lab/slack"
	"tandem/lab/spiffe"
)

// The names of the parts that are the lab's own, beside the services.
const (
	partSPIFFE  = "spiffe"
	partMongoDB = "mongodb"
	partSlack   = "slack"
	partBot     = "bot"

	partKubernetes = "kubernetes"
)

// botCommand is the bot's slash command.
const botCommand = "/vault"

// labPart describes a part that is a subcommand of the lab's own binary.
func (b *builder) labPart(name, address, health string, config any) spec {
	file := b.folder.conf(name)
	return spec{
		name: name, path: b.options.LabBinary, args: []string{"serve", name, "--config", file},
		address: address, logFile: b.folder.log(name), config: config, configFile: file,
		ready: answersOK(health + "/healthz"),
	}
}

func (b *builder) spiffeSpec() spec {
	state := b.state.SPIFFE
	ttl := spiffe.Duration(b.options.TTL)
	return b.labPart(partSPIFFE, state.OIDCURL, state.AdminURL, spiffe.Config{
		TrustDomain: trustDomain, WorkloadSocket: state.WorkloadSocket, ServerSocket: state.ServerSocket,
		OIDCAddr: hostPort(state.OIDCURL), AdminAddr: hostPort(state.AdminURL),
		JWTTTL: ttl, X509TTL: ttl, SyncInterval: spiffe.Duration(time.Second),
		Entries: spiffe.DefaultEntries(trustDomain, os.Getuid()),
	})
}

func (b *builder) mongoSpec() spec {
	state := b.state.MongoDB
	return b.labPart(partMongoDB, state.Addr, state.AdminURL, mongodb.Config{
		Addr: state.Addr, AdminAddr: hostPort(state.AdminURL),
		Users: []mongodb.User{{Name: mongoUser, Password: b.mongoPassword, AuthDB: mongoAuthDB}},
	})
}

// slackSpec describes the workspace. The bot is installed there by the manifest
// that it prints, so that a scope or an event that is missing in it is missing
// here too.
func (b *builder) slackSpec() (spec, error) {
	manifest, err := botManifest()
	if err != nil {
		return spec{}, err
	}
	state := b.state.Slack
	return b.labPart(partSlack, state.URL, state.URL, slack.Config{
		Addr: hostPort(state.URL), BotToken: state.BotToken, AppToken: state.AppToken, SigningSecret: b.signingSecret,
		Manifest: manifest, RateLimits: true,
	}), nil
}

// botManifest is the bot's own manifest, for Socket Mode.
func botManifest() (json.RawMessage, error) {
	manifest, err := face.NewManifest(botCommand, "")
	if err != nil {
		return nil, fmt.Errorf("install the bot in the workspace: %w", err)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		return nil, fmt.Errorf("install the bot in the workspace: %w", err)
	}
	return data, nil
}

// botSpec describes the bot itself, as people run it. It is ready when Slack is
// connected: only then does the workspace have somebody to hand a command to.
func (b *builder) botSpec() spec {
	return spec{
		name: partBot, path: b.options.Bot, args: []string{"run", "--config", b.state.Bot.ConfigFile},
		address: b.state.Bot.HealthURL, logFile: b.folder.log(partBot), ready: answersOK(b.state.Bot.HealthURL + "/readyz"),
	}
}

// serviceSpec describes one of the three services.
func (b *builder) serviceSpec(s service) spec {
	state := b.state.Services[s.name]
	_, registry := b.registry()
	config := services.Config{
		Name: s.name, Pod: state.Pod, AdminAddr: hostPort(state.AdminURL), GRPCAddr: state.GRPCAddr,
		TrustDomain: trustDomain, WorkloadSocket: b.state.SPIFFE.WorkloadSocket,
		VaultAddr: b.state.Vault.URL, VaultMount: b.state.Vault.JWTMount, VaultRole: s.vaultRole,
		VaultAudience: b.state.Vault.Audience, RegistryAudience: "service-registry." + trustDomain,
		LogFile: state.LogFile, LokiURL: b.state.Loki.URL, AccessorFile: state.AccessorFile,
		TTL: services.Duration(b.options.TTL),
	}
	if s.name != services.ServiceRegistry {
		config.RegistryAddr = registry.GRPCAddr
		config.PostgresAddr, config.PostgresDatabase = b.state.Postgres.Addr, temporalDatabase
	}
	part := b.labPart(s.name, hostPort(state.AdminURL), state.AdminURL, config)
	part.env = s.environment()
	return part
}

// registry returns the service that the others call.
func (b *builder) registry() (string, ServiceState) {
	return services.ServiceRegistry, b.state.Services[services.ServiceRegistry]
}

// startService starts one service; it is ready before it has logged in.
func (b *builder) startService(ctx context.Context, s service) error {
	return b.supervisor.add(ctx, b.serviceSpec(s))
}
