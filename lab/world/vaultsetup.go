package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// The statements of the role temporal-orchestrator: complete, so that renewal
// moves the end of the user's validity and revocation removes it.
const (
	creationSQL = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE "` +
		applicationGroup + `";`
	renewSQL      = `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';`
	revocationSQL = `DROP ROLE IF EXISTS "{{name}}";`
)

// botPeriod outlives any pause between two runs of the bot.
const botPeriod = "768h"

// maxTTL is how long a lease, or a token, may live with all its renewals.
func maxTTL(ttl time.Duration) time.Duration { return 24 * ttl }

// vaultWrite is one write of the setup.
type vaultWrite struct {
	path string
	data map[string]any
}

// configureVault makes Vault what the source system's scripts make it.
func (b *builder) configureVault(ctx context.Context) error {
	client, err := vaultClient(b.state.Vault.URL, b.state.Vault.RootToken)
	if err != nil {
		return err
	}
	if err := writePolicies(ctx, client); err != nil {
		return err
	}
	if err := b.mount(ctx, client); err != nil {
		return err
	}
	writes := append([]vaultWrite{b.mongoSecret(), b.databaseConfig(), b.databaseRole(), b.jwtConfig()}, b.loginRoles()...)
	for _, w := range writes {
		if err := retryUpgrade(ctx, client, w); err != nil {
			return err
		}
	}
	if err := b.giveRights(ctx, client); err != nil {
		return err
	}
	b.say("vault is configured")
	return b.botIdentity(ctx, client)
}

func writePolicies(ctx context.Context, client *api.Client) error {
	for _, name := range Policies() {
		text, err := Policy(name)
		if err != nil {
			return err
		}
		if err := client.Sys().PutPolicyWithContext(ctx, name, text); err != nil {
			return fmt.Errorf("write policy %q: %w", name, err)
		}
	}
	return nil
}

func (b *builder) mount(ctx context.Context, client *api.Client) error {
	kv := api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}
	return errors.Join(
		client.Sys().MountWithContext(ctx, "secret", &kv),
		client.Sys().MountWithContext(ctx, "database", &api.MountInput{Type: "database"}),
		client.Sys().EnableAuthWithOptionsWithContext(ctx, b.state.Vault.JWTMount, &api.MountInput{Type: "jwt"}),
		client.Sys().EnableAuthWithOptionsWithContext(ctx, "approle", &api.MountInput{Type: "approle"}),
	)
}

// retryUpgrade writes; a KV engine just mounted refuses for a moment, while it
// turns itself into version 2.
func retryUpgrade(ctx context.Context, client *api.Client, w vaultWrite) error {
	return poll(ctx, func(ctx context.Context) error {
		_, err := client.Logical().WriteWithContext(ctx, w.path, w.data)
		if err == nil || isUpgrading(err) {
			return err
		}
		return permanent{fmt.Errorf("write %s: %w", w.path, err)}
	})
}

func isUpgrading(err error) bool {
	var response *api.ResponseError
	return errors.As(err, &response) && response.StatusCode == http.StatusBadRequest &&
		strings.Contains(strings.Join(response.Errors, " "), "Upgrading from non-versioned to versioned")
}

func (b *builder) mongoSecret() vaultWrite {
	return vaultWrite{"secret/data/orchestrator/mongodb", map[string]any{
		"data": map[string]any{"uri": b.state.MongoDB.URI},
	}}
}

func (b *builder) databaseConfig() vaultWrite {
	return vaultWrite{"database/config/temporal-db", map[string]any{
		"plugin_name":   "postgresql-database-plugin",
		"allowed_roles": []string{"temporal-orchestrator"},
		"connection_url": fmt.Sprintf("postgresql://{{username}}:{{password}}@%s/%s?sslmode=disable",
			b.state.Postgres.Addr, temporalDatabase),
		"username": vaultAdminRole,
		"password": b.vaultDBPassword,
	}}
}

func (b *builder) databaseRole() vaultWrite {
	return vaultWrite{"database/roles/temporal-orchestrator", map[string]any{
		"db_name":               "temporal-db",
		"default_ttl":           seconds(b.options.TTL),
		"max_ttl":               seconds(maxTTL(b.options.TTL)),
		"creation_statements":   []string{creationSQL},
		"renew_statements":      []string{renewSQL},
		"revocation_statements": []string{revocationSQL},
	}}
}

func (b *builder) jwtConfig() vaultWrite {
	return vaultWrite{"auth/" + b.state.Vault.JWTMount + "/config", map[string]any{
		"jwks_url": b.state.SPIFFE.OIDCURL + "/keys",
	}}
}

// loginRoles are the services' roles, and the bot's own two ways in.
func (b *builder) loginRoles() []vaultWrite {
	var writes []vaultWrite
	for _, s := range catalogue() {
		writes = append(writes, b.jwtRole(s.vaultRole, s.id(), s.policy))
	}
	bot := b.tokenOptions(diagnosePolicy)
	return append(writes, b.jwtRole("tandem-bot", spiffeID("tandem", "bot"), diagnosePolicy),
		vaultWrite{"auth/approle/role/tandem-bot", bot})
}

func (b *builder) jwtRole(name, subject, policy string) vaultWrite {
	role := b.tokenOptions(policy)
	role["role_type"] = "jwt"
	role["user_claim"] = "sub"
	role["bound_audiences"] = []string{b.state.Vault.Audience}
	role["bound_subject"] = subject
	// Vault's leeway of a minute is as long as the lab's SVIDs live: without
	// this an expired one would still open the door.
	role["clock_skew_leeway"] = -1
	role["expiration_leeway"] = -1
	role["not_before_leeway"] = -1
	return vaultWrite{"auth/" + b.state.Vault.JWTMount + "/role/" + name, role}
}

func (b *builder) tokenOptions(policy string) map[string]any {
	return map[string]any{
		"token_policies":          []string{policy},
		"token_no_default_policy": true,
		"token_ttl":               seconds(b.options.TTL),
		"token_max_ttl":           seconds(maxTTL(b.options.TTL)),
	}
}

// botIdentity writes the files by which the bot enters Vault.
func (b *builder) botIdentity(ctx context.Context, client *api.Client) error {
	token, err := client.Auth().Token().CreateOrphanWithContext(ctx, &api.TokenCreateRequest{
		Policies: []string{diagnosePolicy}, NoDefaultPolicy: true, Period: botPeriod, DisplayName: "tandem-bot",
		Renewable: new(true),
	})
	if err != nil {
		return fmt.Errorf("make the bot's token: %w", err)
	}
	roleID, err := client.Logical().ReadWithContext(ctx, "auth/approle/role/tandem-bot/role-id")
	if err != nil {
		return fmt.Errorf("read the bot's role id: %w", err)
	}
	secretID, err := client.Logical().WriteWithContext(ctx, "auth/approle/role/tandem-bot/secret-id", nil)
	if err != nil {
		return fmt.Errorf("make the bot's secret id: %w", err)
	}
	return errors.Join(
		writeSecret(b.state.Bot.VaultTokenFile, token.Auth.ClientToken),
		writeSecret(b.state.Bot.RoleIDFile, text(roleID, "role_id")),
		writeSecret(b.state.Bot.SecretIDFile, text(secretID, "secret_id")),
	)
}

// text takes a string out of an answer; an absent one is caught by writeSecret.
func text(secret *api.Secret, key string) string {
	if secret == nil {
		return ""
	}
	value, _ := secret.Data[key].(string)
	return value
}

// writeSecret puts a secret into a file that only its owner reads.
func writeSecret(path, value string) error {
	if value == "" {
		return fmt.Errorf("nothing to write to %s", path)
	}
	return writeFile(path, []byte(value+"\n"))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
