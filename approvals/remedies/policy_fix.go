package remedies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"tandem/approvals"
)

// policyFix writes the reviewed text of a service's policy.
func policyFix(d Deps) vaultRemedy {
	r := vaultRemedy{uses: 1, Remedy: approvals.Remedy{
		Name: "policy-fix", Risk: approvals.Medium, Repeatable: true,
		Params: []approvals.Param{{Name: "policy", About: both("name of a policy of the service; its only one unless set", "nome de uma política do serviço; se não for dito, a única que tem")}},
		Title:  both("Write a policy as reviewed", "Gravar uma política como revisada"),
		About: both("Writes a policy of the service to Vault from its reviewed text, when what is stored is missing or differs.",
			"Grava no Vault uma política do serviço a partir do texto revisado, quando a gravada falta ou difere."),
		Plan: d.planPolicy, Execute: d.writePolicy,
	}}
	for _, name := range d.policies() {
		if text, ok := d.Vault.Policies[name]; ok {
			path := policyPath(name)
			r.looks = append(r.looks, Right{Path: path, Capabilities: []string{"read"}})
			r.rights = append(r.rights, Right{Path: path, Capabilities: []string{"update"}, Allowed: map[string][]any{"policy": {text}}})
		}
	}
	return r
}

func policyPath(name string) string { return "sys/policies/acl/" + name }

// policy is the policy that is wanted: one of the service that has a reviewed
// text.
func (d Deps) policy(want approvals.Want) (name, text string, err error) {
	s, err := d.service(want.Service)
	if err != nil {
		return "", "", err
	}
	var reviewed []string
	for _, policy := range s.Policies {
		if _, ok := d.Vault.Policies[policy]; ok {
			reviewed = append(reviewed, policy)
		}
	}
	if name = want.Params["policy"]; name == "" && len(reviewed) == 1 {
		name = reviewed[0]
	}
	if !slices.Contains(reviewed, name) {
		return "", "", refuse(approvals.WhyParameters, "expected in policy one of the policies of "+s.Name+" that have a reviewed text in the configuration: "+orNone(reviewed))
	}
	return name, d.Vault.Policies[name], nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "it has none"
	}
	return strings.Join(names, ", ")
}

// storedPolicy is the text at Vault; found is false when there is none.
func (v Vault) storedPolicy(ctx context.Context, name string) (text string, found bool, err error) {
	var answer struct {
		Policy string `json:"policy"`
	}
	found, err = v.read(ctx, policyPath(name), nil, &answer)
	return answer.Policy, found, err
}

// alike says whether two texts are the same policy: white space around them has
// no meaning, and every editor changes it.
func alike(stored, reviewed string) bool {
	return strings.TrimSpace(stored) == strings.TrimSpace(reviewed)
}

func (d Deps) planPolicy(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	name, text, err := d.policy(want)
	if err != nil {
		return approvals.Plan{}, err
	}
	if err := d.Vault.ready(); err != nil {
		return approvals.Plan{}, err
	}
	stored, found, err := d.Vault.storedPolicy(ctx, name)
	switch {
	case err != nil:
		return approvals.Plan{}, err
	case found && alike(stored, text):
		return approvals.Plan{}, refuse(approvals.WhyHealthy, "the policy "+name+" is as reviewed")
	}
	state, seen, wayBack := "it is missing", "Vault has no such policy", shell("vault", "policy", "delete", name)
	if found {
		state = "it differs"
		seen = "what is stored (-) differs from what was reviewed (+):\n" + difference(stored, text)
		wayBack = hereDocument(shell("vault", "policy", "write", name, "-"), stored)
	}
	return approvals.Plan{
		Remedy: "policy-fix", Service: want.Service, Target: policyTarget(name), Risk: approvals.Medium, Params: want.Params,
		Does:  both("Write the policy "+name+" as reviewed.", "Gravar a política "+name+" como revisada."),
		Calls: []approvals.Call{policyCall(name, text)},
		Why:   append(d.saw(want), d.seen(shell("vault", "policy", "read", name), seen)),
		Basis: []approvals.Fact{{Name: "sha256 of the stored text", Value: digest(stored, found)}, {Name: "sha256 of the reviewed text", Value: digest(text, true)}},
		Preconditions: []approvals.Precondition{{
			Text:  both("There is a reviewed text, and what is stored is another one or missing.", "Há um texto revisado, e o gravado é outro ou falta."),
			Holds: true, Observed: state,
		}},
		Blast: both("Every token that has the policy "+name+", at its next call. No restart is needed.",
			"Todo token que tem a política "+name+", já na próxima chamada. Não precisa reiniciar."),
		WayBack: both(same(wayBack)),
		Proof:   d.policyProof(want),
	}, nil
}

func policyTarget(name string) string { return "vault:" + policyPath(name) }

func digest(text string, found bool) string {
	if !found {
		return "none"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// policyCall shows the text once, as people read it.
func policyCall(name, text string) approvals.Call {
	return approvals.Call{
		System: "vault", What: "PUT /v1/" + policyPath(name) + ` {"policy":the text below}`,
		ByHand: hereDocument(shell("vault", "policy", "write", name, "-"), text),
	}
}

// policyProof are the checks that prove that the service may do what it must.
func (d Deps) policyProof(want approvals.Want) []string {
	codes := []string{"POL-001", "TOK-002"}
	if s, err := d.service(want.Service); err == nil && len(s.Secrets) > 0 {
		codes = append(codes, "KVS-004")
	}
	return proof(want, codes...)
}

func (d Deps) writePolicy(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	name := strings.TrimPrefix(p.Target, policyTarget(""))
	text := d.Vault.Policies[name]
	call := policyCall(name, text)
	if !slices.Equal(p.Calls, []approvals.Call{call}) { // the reviewed text is not the approved one any more
		return strange(p)
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		return change{
			call: call,
			do: func(ctx context.Context) (string, error) {
				_, err := own.client.Logical().WriteWithContext(ctx, policyPath(name), map[string]any{"policy": text})
				return "the policy " + name + " is as reviewed", err
			},
			done: func(ctx context.Context) (bool, error) {
				stored, found, err := d.Vault.storedPolicy(ctx, name)
				return found && alike(stored, text), err
			},
		}.make(ctx, act, own.identity)
	})
}
