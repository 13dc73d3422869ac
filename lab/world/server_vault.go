package world

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/vault/api"
)

// vaultTimeout bounds one call to Vault.
const vaultTimeout = 10 * time.Second

// vaultSpec describes the Vault server: file storage, so that a restart keeps
// the state, and its own metrics, named vault_* like the services'.
func (b *builder) vaultSpec() spec {
	config := map[string]any{
		"storage": map[string]any{"file": map[string]any{"path": b.folder.path("data", "vault")}},
		"listener": map[string]any{"tcp": map[string]any{
			"address": hostPort(b.state.Vault.URL), "tls_disable": true,
			"telemetry": map[string]any{"unauthenticated_metrics_access": true},
		}},
		"telemetry":     map[string]any{"prometheus_retention_time": "10m", "disable_hostname": true},
		"api_addr":      b.state.Vault.URL,
		"cluster_name":  "tandem-lab",
		"disable_mlock": true,
		"log_level":     "warn",
	}
	file := b.folder.conf("vault")
	return spec{
		name: "vault", path: b.binaries.vault, args: []string{"server", "-config=" + file},
		address: b.state.Vault.URL, logFile: b.folder.log("vault"), config: config, configFile: file,
		ready: func(ctx context.Context) error { return vaultAnswers(ctx, b.state.Vault.URL) },
		after: func(ctx context.Context) error { return unseal(ctx, b.state.Vault) },
	}
}

// vaultClient returns a client that nothing in the environment can redirect.
func vaultClient(url, token string) (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, fmt.Errorf("make the Vault client: %w", config.Error)
	}
	config.Address, config.Timeout, config.MaxRetries = url, vaultTimeout, 0
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("make the Vault client: %w", err)
	}
	client.ClearNamespace()
	client.SetToken(token)
	return client, nil
}

// vaultAnswers is satisfied by any health, sealed and uninitialised included.
func vaultAnswers(ctx context.Context, url string) error {
	client, err := vaultClient(url, "")
	if err != nil {
		return err
	}
	_, err = client.Sys().HealthWithContext(ctx)
	return err
}

// initialise gives the new Vault its one key share and its root token.
func initialise(ctx context.Context, url string) (rootToken, unsealKey string, err error) {
	client, err := vaultClient(url, "")
	if err != nil {
		return "", "", err
	}
	made, err := client.Sys().InitWithContext(ctx, &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		return "", "", fmt.Errorf("initialise Vault: %w", err)
	}
	return made.RootToken, made.KeysB64[0], nil
}

// unseal opens Vault, and returns when it is active. Before the initialisation
// there is no key, and nothing to do.
func unseal(ctx context.Context, vault VaultState) error {
	if vault.UnsealKey == "" {
		return nil
	}
	client, err := vaultClient(vault.URL, "")
	if err != nil {
		return err
	}
	if _, err := client.Sys().UnsealWithContext(ctx, vault.UnsealKey); err != nil {
		return fmt.Errorf("unseal Vault: %w", err)
	}
	return poll(ctx, func(ctx context.Context) error {
		health, err := client.Sys().HealthWithContext(ctx)
		if err == nil && (health.Sealed || health.Standby) {
			err = fmt.Errorf("vault is not active yet (sealed %t, standby %t)", health.Sealed, health.Standby)
		}
		return err
	})
}
