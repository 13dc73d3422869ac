package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// Rights is the state of the bot's own token.
type Rights struct {
	Valid    bool          `cel:"valid"` // false: Vault does not know the token any more
	TTL      time.Duration `cel:"ttl"`   // 0 for a token that never expires
	Policies []string      `cel:"policies"`
	Missing  []string      `cel:"missing"` // like "read secret/metadata/orchestrator/mongodb"
}

func (v vaultProbes) rights(ctx context.Context, _ None) (Rights, []diagnostics.Evidence, error) {
	return Rights{}, nil, notReady()
}
