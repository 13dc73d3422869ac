package services

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/hashicorp/vault/api"
)

// token is what is known of a login; the token itself stays in the client.
type token struct {
	accessor  string
	ttl       time.Duration
	renewable bool
}

// credential is one dynamic database account.
type credential struct {
	username  string
	password  string
	leaseID   string
	ttl       time.Duration
	renewable bool
}

var errNoAnswer = errors.New("vault answered without content")

// vaultClient speaks to Vault with the token of the last login.
type vaultClient struct {
	api     *api.Client
	cfg     Config
	metrics *metrics
}

func newVaultClient(cfg Config, m *metrics) (*vaultClient, error) {
	settings := api.DefaultConfig()
	if settings.Error != nil {
		return nil, fmt.Errorf("configure vault client: %w", settings.Error)
	}
	settings.Address = cfg.VaultAddr
	settings.Timeout = cfg.callTimeout()
	settings.MaxRetries = 0 // the service's own loops try again, and count each try
	settings.HttpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client, err := api.NewClient(settings)
	if err != nil {
		return nil, fmt.Errorf("configure vault client: %w", err)
	}
	client.ClearToken() // VAULT_TOKEN in the environment is not this service's
	return &vaultClient{api: client, cfg: cfg, metrics: m}, nil
}

// login exchanges a JWT-SVID for a token and uses that from then on.
func (v *vaultClient) login(ctx context.Context, role, jwt string) (token, error) {
	anonymous, err := v.api.Clone()
	if err != nil {
		return token{}, fmt.Errorf("clone vault client: %w", err)
	}
	anonymous.ClearToken()
	secret, err := anonymous.Logical().WriteWithContext(ctx, path.Join("auth", v.cfg.VaultMount, "login"),
		map[string]any{"role": role, "jwt": jwt})
	if err != nil {
		return token{}, fmt.Errorf("log in as role %q: %w", role, err)
	}
	if secret == nil || secret.Auth == nil {
		return token{}, fmt.Errorf("log in as role %q: %w", role, errNoAnswer)
	}
	v.api.SetToken(secret.Auth.ClientToken)
	return tokenOf(secret.Auth), nil
}

func (v *vaultClient) renewSelf(ctx context.Context) (token, error) {
	secret, err := v.api.Auth().Token().RenewSelfWithContext(ctx, 0)
	if err != nil {
		return token{}, fmt.Errorf("renew token: %w", err)
	}
	if secret == nil || secret.Auth == nil {
		return token{}, fmt.Errorf("renew token: %w", errNoAnswer)
	}
	return tokenOf(secret.Auth), nil
}

func (v *vaultClient) revokeSelf(ctx context.Context) error {
	if v.api.Token() == "" {
		return nil
	}
	return v.api.Auth().Token().RevokeSelfWithContext(ctx, "")
}

func tokenOf(auth *api.SecretAuth) token {
	return token{
		accessor:  auth.Accessor,
		ttl:       time.Duration(auth.LeaseDuration) * time.Second,
		renewable: auth.Renewable,
	}
}

// issue takes a new database account.
func (v *vaultClient) issue(ctx context.Context) (cred credential, err error) {
	began := time.Now()
	defer func() { v.metrics.vaultCall(opDatabaseCredentials, began, err) }()
	secret, err := v.api.Logical().ReadWithContext(ctx, path.Join(v.cfg.DatabaseMount, "creds", v.cfg.DatabaseRole))
	if err != nil {
		return credential{}, fmt.Errorf("read credentials of role %q: %w", v.cfg.DatabaseRole, err)
	}
	if secret == nil {
		return credential{}, fmt.Errorf("read credentials of role %q: %w", v.cfg.DatabaseRole, errNoAnswer)
	}
	cred = leaseOf(secret)
	cred.username, _ = secret.Data["username"].(string)
	cred.password, _ = secret.Data["password"].(string)
	return cred, nil
}

// renew extends a lease and returns what it then lives for.
func (v *vaultClient) renew(ctx context.Context, leaseID string) (credential, error) {
	secret, err := v.api.Sys().RenewWithContext(ctx, leaseID, 0)
	if err != nil {
		return credential{}, fmt.Errorf("renew lease: %w", err)
	}
	if secret == nil {
		return credential{}, fmt.Errorf("renew lease: %w", errNoAnswer)
	}
	return leaseOf(secret), nil
}

func leaseOf(secret *api.Secret) credential {
	return credential{
		leaseID:   secret.LeaseID,
		ttl:       time.Duration(secret.LeaseDuration) * time.Second,
		renewable: secret.Renewable,
	}
}

// secretState says why a secret could not be used.
type secretState struct {
	// reason is "" when there is a value, else secret_missing, key_missing, secret_denied or vault_unavailable.
	reason string
	// fields are for the log.
	fields []any
}

// secretValue reads one key of a KV v2 secret. A deleted or destroyed version is a 404 with metadata.
func (v *vaultClient) secretValue(ctx context.Context, mount, name, key string) (string, secretState) {
	began := time.Now()
	secret, err := v.api.Logical().ReadWithContext(ctx, path.Join(mount, "data", name))
	v.metrics.vaultCall(opReadSecret, began, err)
	if err != nil {
		state := secretState{reason: "vault_unavailable", fields: []any{vaultFields(err)}}
		switch vaultStatus(err) {
		case http.StatusForbidden:
			state.reason = "secret_denied"
		case http.StatusNotFound:
			state.reason = "secret_missing"
		}
		return "", state
	}
	data, ok := dataOf(secret)
	if !ok {
		return "", secretState{reason: "secret_missing", fields: append([]any{"status_code", http.StatusNotFound}, deletionOf(secret)...)}
	}
	value, ok := data[key].(string)
	if !ok || value == "" {
		return "", secretState{reason: "key_missing", fields: []any{"key", key}}
	}
	return value, secretState{}
}

func dataOf(secret *api.Secret) (map[string]any, bool) {
	if secret == nil {
		return nil, false
	}
	data, ok := secret.Data["data"].(map[string]any)
	return data, ok && data != nil
}

func deletionOf(secret *api.Secret) []any {
	if secret == nil {
		return nil
	}
	metadata, _ := secret.Data["metadata"].(map[string]any)
	var fields []any
	for _, key := range []string{"deletion_time", "destroyed", "version"} {
		switch value := metadata[key].(type) {
		case string, bool, json.Number:
			fields = append(fields, key, value)
		}
	}
	return fields
}
