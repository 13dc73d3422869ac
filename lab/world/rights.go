package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// The bot says itself what rights it is to be given, and the lab's operators
// give it those and no others: what is printed is what is proved.

// askTimeout is far more than the bot takes to print.
const askTimeout = time.Minute

// printed is what the bot prints for these arguments.
func (b *builder) printed(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, b.options.Bot, append(args, "--config", b.state.Bot.ConfigFile)...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ask the bot for its rights: bot %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out.Bytes(), nil
}

// remedyRole is a role at Vault as the bot prints it.
type remedyRole struct {
	Name   string `json:"role"`
	Policy string `json:"policy"`
	Writes []struct {
		Path string         `json:"path"`
		Data map[string]any `json:"data"`
	} `json:"writes"`
}

// giveRights applies the bot's own policy, and the role of each remedy.
func (b *builder) giveRights(ctx context.Context, client *api.Client) error {
	policy, err := b.printed(ctx, "policy", "vault")
	if err != nil {
		return err
	}
	if err := client.Sys().PutPolicyWithContext(ctx, diagnosePolicy, string(policy)); err != nil {
		return fmt.Errorf("write policy %q: %w", diagnosePolicy, err)
	}
	data, err := b.printed(ctx, "policy", "vault", "--remedy", "all", "--output", "json")
	if err != nil {
		return err
	}
	var roles []remedyRole
	if err := json.Unmarshal(data, &roles); err != nil {
		return fmt.Errorf("read the roles that the bot prints: %w", err)
	}
	for _, role := range roles {
		if err := b.giveRole(ctx, client, role); err != nil {
			return err
		}
	}
	return nil
}

// giveRole makes a remedy's role, and hands over its secret id.
func (b *builder) giveRole(ctx context.Context, client *api.Client, role remedyRole) error {
	if err := client.Sys().PutPolicyWithContext(ctx, role.Name, role.Policy); err != nil {
		return fmt.Errorf("write policy %q: %w", role.Name, err)
	}
	for _, w := range role.Writes {
		if err := retryUpgrade(ctx, client, vaultWrite{w.Path, w.Data}); err != nil {
			return err
		}
	}
	secretID, err := client.Logical().WriteWithContext(ctx, "auth/approle/role/"+role.Name+"/secret-id", nil)
	if err != nil {
		return fmt.Errorf("make the secret id of %s: %w", role.Name, err)
	}
	return writeSecret(filepath.Join(b.state.Bot.RemedySecretsDir, role.Name), text(secretID, "secret_id"))
}
