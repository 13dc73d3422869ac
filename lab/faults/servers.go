package faults

import (
	"context"
	"fmt"
	"net/http"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// gateFaults are those of Vault itself, before every row.
func gateFaults() []Fault {
	return []Fault{
		{
			Name: "vault-down", Service: worker, Status: diagnostics.Fail, Codes: []string{"VLT-001"},
			About:  "Vault's process is gone; its port refuses.",
			Inject: stop("vault"), Clear: restart("vault"),
		},
		{
			Name: "vault-sealed", Service: worker, Status: diagnostics.Fail, Codes: []string{"VLT-002"},
			About:  "Vault is sealed.",
			Inject: seal, Clear: func(ctx context.Context, w *world.World) error { return w.Unseal(ctx) },
		},
	}
}

func seal(ctx context.Context, w *world.World) error {
	client, err := w.VaultAdmin()
	if err != nil {
		return err
	}
	if err := client.Sys().SealWithContext(ctx); err != nil {
		return fmt.Errorf("seal Vault: %w", err)
	}
	return nil
}

// mongodb changes what is wrong with the MongoDB server.
func mongodb(faults map[string]any) act {
	return func(ctx context.Context, w *world.World) error {
		_, err := w.MongoDBAdmin(ctx, http.MethodPut, "/admin/faults", faults)
		return err
	}
}
