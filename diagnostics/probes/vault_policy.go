package probes

import (
	"context"

	"tandem/diagnostics"
)

// PolicyArgs name the policies to look at.
type PolicyArgs struct {
	Names []string `cel:"names"`
}

// Policies is whether policies exist, in the order in which they were named.
type Policies struct {
	Policies []PolicyState `cel:"policies"`
	Missing  []string      `cel:"missing"`
}

// PolicyState is one policy, without its text.
type PolicyState struct {
	Name   string `cel:"name"`
	Exists bool   `cel:"exists"`
	SHA256 string `cel:"sha256"` // of the text, in hexadecimal
}

func policyGrants(args PolicyArgs) []diagnostics.Grant { return nil }

func (v vaultProbes) policy(ctx context.Context, args PolicyArgs) (Policies, []diagnostics.Evidence, error) {
	return Policies{}, nil, notReady()
}
