package world

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hashicorp/vault/api"
	"github.com/jackc/pgx/v5"
)

// VaultAdmin returns a client of Vault with the root token.
func (w *World) VaultAdmin() (*api.Client, error) {
	return vaultClient(w.state.Vault.URL, w.state.Vault.RootToken)
}

// Unseal opens Vault again, and returns when it is active.
func (w *World) Unseal(ctx context.Context) error { return unseal(ctx, w.state.Vault) }

// PostgresAdmin returns a superuser's connection to the services' database.
// The caller closes it.
func (w *World) PostgresAdmin(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, w.state.Postgres.AdminDSN)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL as its superuser: %w", err)
	}
	return conn, nil
}

// Behaviour merges the patch into how a service behaves.
func (w *World) Behaviour(ctx context.Context, service string, patch map[string]any) error {
	state, ok := w.state.Services[service]
	if !ok {
		return fmt.Errorf("no service is called %q", service)
	}
	_, err := callJSON(ctx, http.MethodPut, state.AdminURL+"/lab/behaviour", patch)
	return err
}

// SPIFFEAdmin calls the admin address of the SPIFFE part, with the body as JSON
// unless it is nil, and returns what it answers.
func (w *World) SPIFFEAdmin(ctx context.Context, method, path string, body any) ([]byte, error) {
	return callJSON(ctx, method, w.state.SPIFFE.AdminURL+path, body)
}

// MongoDBAdmin calls the admin address of the MongoDB part, likewise.
func (w *World) MongoDBAdmin(ctx context.Context, method, path string, body any) ([]byte, error) {
	return callJSON(ctx, method, w.state.MongoDB.AdminURL+path, body)
}

func callJSON(ctx context.Context, method, target string, body any) ([]byte, error) {
	if body == nil {
		return call(ctx, method, target, nil)
	}
	content, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	return call(ctx, method, target, content)
}
