package remedies

import (
	"context"
	"fmt"
	"strconv"

	"tandem/approvals"
)

// kvUndelete brings the current version of a secret back, when it was deleted
// and not destroyed.
func kvUndelete(d Deps) vaultRemedy {
	r := vaultRemedy{uses: 1, Remedy: approvals.Remedy{
		Name: "kv-undelete", Risk: approvals.Low, Params: kvParams(), Repeatable: true,
		Title: both("Undelete a secret", "Recuperar um secret apagado"),
		About: both("Brings the current version of a secret back after it was deleted. It cannot when the version was destroyed.",
			"Traz de volta a versão atual de um secret apagado. Não consegue se a versão foi destruída."),
		Plan: d.planUndelete, Execute: d.undelete,
	}}
	for _, s := range d.secrets() {
		r.rights = append(r.rights, Right{Path: s.at("undelete"), Capabilities: []string{"update"}})
	}
	return r
}

func (d Deps) planUndelete(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	s, err := d.secret(want)
	if err != nil {
		return approvals.Plan{}, err
	}
	if err := d.Vault.ready(); err != nil {
		return approvals.Plan{}, err
	}
	k, err := d.Vault.kvState(ctx, s)
	if err != nil {
		return approvals.Plan{}, err
	}
	state := k.state(k.Current, d.Now())
	if state == "live" {
		return approvals.Plan{}, refuse(approvals.WhyHealthy, fmt.Sprintf("version %d of %s can be read", k.Current, s))
	}
	version := strconv.FormatInt(k.Current, 10)
	return approvals.Plan{
		Remedy: "kv-undelete", Service: want.Service, Target: s.target(), Risk: approvals.Low,
		Params: map[string]string{"mount": s.Mount, "path": s.Path, "version": version},
		Does:   both("Undelete version "+version+" of "+s.String()+".", "Recuperar a versão "+version+" de "+s.String()+"."),
		Calls: []approvals.Call{{
			System: "vault", What: fmt.Sprintf(`PUT /v1/%s {"versions":[%s]}`, s.at("undelete"), version),
			ByHand: fmt.Sprintf("vault kv undelete -mount=%s -versions=%s %s", s.Mount, version, s.Path),
		}},
		Why:   []approvals.Evidence{d.metadataSeen(s, k)},
		Basis: []approvals.Fact{{Name: "current version", Value: version}, {Name: "state", Value: state}},
		Preconditions: []approvals.Precondition{{
			Text:  both("The current version is deleted, not destroyed.", "A versão atual está apagada, não destruída."),
			Holds: state == "deleted", Observed: state,
		}},
		Blast:   both("Whoever reads "+s.String()+" gets version "+version+" again.", "Quem lê "+s.String()+" recebe de novo a versão "+version+"."),
		WayBack: both(fmt.Sprintf("vault kv delete -mount=%s -versions=%s %s", s.Mount, version, s.Path), fmt.Sprintf("vault kv delete -mount=%s -versions=%s %s", s.Mount, version, s.Path)),
		Proof:   d.kvProof(want.Service),
	}, nil
}

func (d Deps) undelete(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	s := Secret{Mount: p.Params["mount"], Path: p.Params["path"]}
	version, err := strconv.ParseInt(p.Params["version"], 10, 64)
	if err != nil {
		return fmt.Errorf("nothing was changed: the plan names no version: %w", err)
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		return change{
			call: p.Calls[0],
			do: func(ctx context.Context) (string, error) {
				_, err := own.client.Logical().WriteWithContext(ctx, s.at("undelete"), map[string]any{"versions": []int64{version}})
				return fmt.Sprintf("version %d is undeleted", version), err
			},
			done: func(ctx context.Context) (bool, error) {
				k, err := d.Vault.kvState(ctx, s)
				return err == nil && k.state(version, d.Now()) == "live", err
			},
		}.make(ctx, act, own.identity)
	})
}
