package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// SecretsArgs name the secrets to look at.
type SecretsArgs struct {
	Service string               `cel:"service"`
	Secrets []diagnostics.Secret `cel:"secrets"`
}

// Secrets is the state of secrets, in the order in which they were named.
type Secrets struct {
	Secrets []SecretState `cel:"secrets"`
}

// States of a secret.
const (
	SecretPresent   = "present"
	SecretMissing   = "missing"   // never written, or all of it deleted for good
	SecretDeleted   = "deleted"   // the current version can be undeleted
	SecretDestroyed = "destroyed" // the current version cannot
)

// SecretState is the state of the current version of one secret.
type SecretState struct {
	Mount            string    `cel:"mount"`
	Path             string    `cel:"path"`
	State            string    `cel:"state"`
	Version          int64     `cel:"version"` // 0 when missing
	UpdatedAt        time.Time `cel:"updated_at"`
	DeletedAt        time.Time `cel:"deleted_at"`         // zero unless deleted
	Keys             []string  `cel:"keys"`               // names of the top-level keys, when present
	MissingKeys      []string  `cel:"missing_keys"`       // asked for and not there, when present
	OlderLiveVersion int64     `cel:"older_live_version"` // the newest older version that can be read; 0: none
}

func secretsGrants(args SecretsArgs) []diagnostics.Grant { return nil }

func (v vaultProbes) secrets(ctx context.Context, args SecretsArgs) (Secrets, []diagnostics.Evidence, error) {
	return Secrets{}, nil, notReady()
}
