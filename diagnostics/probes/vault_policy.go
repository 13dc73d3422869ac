package probes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

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

func policyGrants(args PolicyArgs) []diagnostics.Grant {
	grants := make([]diagnostics.Grant, len(args.Names))
	for i, name := range args.Names {
		grants[i] = reads(policyPath(name))
	}
	return grants
}

func policyPath(name string) string { return "sys/policies/acl/" + name }

func (v vaultProbes) policy(ctx context.Context, args PolicyArgs) (Policies, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	states := make([]PolicyState, len(args.Names))
	trails := make([]*trail, len(args.Names))
	errs := make([]error, len(args.Names))
	parallel(len(args.Names), func(i int) {
		trails[i] = v.trail()
		states[i], errs[i] = v.onePolicy(ctx, trails[i], args.Names[i])
	})
	facts := Policies{Policies: states}
	for i, state := range states {
		if errs[i] != nil {
			return Policies{}, joined(trails), errs[i]
		}
		if !state.Exists {
			facts.Missing = append(facts.Missing, state.Name)
		}
	}
	return facts, joined(trails), nil
}

// onePolicy keeps the digest of the text: a remedy compares it with what two
// people saw.
func (v vaultProbes) onePolicy(ctx context.Context, t *trail, name string) (PolicyState, error) {
	state := PolicyState{Name: name}
	var policy struct {
		Policy *string `json:"policy"`
	}
	q := vaultQuestion{path: policyPath(name), show: v.command("policy", "read", name)}
	found, err := v.read(ctx, t, q, &policy)
	if err != nil || !found {
		return state, err
	}
	if policy.Policy == nil {
		return state, t.fail(q.show, blindGarbage(q.doing(), "Vault", "a policy without a text"))
	}
	sum := sha256.Sum256([]byte(*policy.Policy))
	state.Exists, state.SHA256 = true, hex.EncodeToString(sum[:])
	t.add(q.show, "exists, SHA-256 %s", state.SHA256)
	return state, nil
}
