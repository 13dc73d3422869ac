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
		r.rights = append(r.rights, Right{Path: s.at("undelete"), Capabilities: []string{"update"}, Allowed: map[string][]any{"versions": nil}})
	}
	return r
}

func (d Deps) planUndelete(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	s, k, err := d.lookAtSecret(ctx, want, d.Vault.ready)
	if err != nil {
		return approvals.Plan{}, err
	}
	state := k.state(k.Current, d.Now())
	switch state {
	case live:
		return approvals.Plan{}, refuse(approvals.WhyHealthy, fmt.Sprintf("version %d of %s can be read", k.Current, s))
	case missing:
		return approvals.Plan{}, refuse(approvals.WhyPrecondition, "no version of "+s.String()+" was ever written: let a person write it with kv-write")
	}
	version := strconv.FormatInt(k.Current, 10)
	return approvals.Plan{
		Remedy: "kv-undelete", Service: want.Service, Target: s.target(), Risk: approvals.Low, Params: want.Params,
		Does:  both("Undelete version "+version+" of "+s.String()+".", "Recuperar a versão "+version+" de "+s.String()+"."),
		Calls: []approvals.Call{undeleteCall(s, k.Current)},
		Why:   d.metadataSeen(want, s, k),
		Basis: []approvals.Fact{{Name: factCurrent, Value: version}, {Name: factState, Value: state}},
		Preconditions: []approvals.Precondition{{
			Text:  both("The current version is deleted, not destroyed.", "A versão atual está apagada, não destruída."),
			Holds: state == deleted, Observed: state,
		}},
		Blast:   both("Whoever reads "+s.String()+" gets version "+version+" again.", "Quem lê "+s.String()+" recebe de novo a versão "+version+"."),
		WayBack: both(same(s.kv("delete", "-versions="+version))),
		Proof:   d.kvProof(want),
	}, nil
}

func undeleteCall(s Secret, version int64) approvals.Call {
	return approvals.Call{
		System: "vault", What: fmt.Sprintf(`PUT /v1/%s {"versions":[%d]}`, s.at("undelete"), version),
		ByHand: s.kv("undelete", fmt.Sprintf("-versions=%d", version)),
	}
}

func (d Deps) undelete(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	s, err := d.planned(p)
	if err != nil {
		return err
	}
	version, err := number(p, factCurrent)
	if err != nil {
		return err
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		return change{
			call: undeleteCall(s, version),
			do: func(ctx context.Context) (string, error) {
				_, err := own.client.Logical().WriteWithContext(ctx, s.at("undelete"), map[string]any{"versions": []int64{version}})
				return fmt.Sprintf("version %d is undeleted", version), err
			},
			done: func(ctx context.Context) (bool, error) {
				k, err := d.Vault.kvState(ctx, s)
				return err == nil && k.state(version, d.Now()) == live, err
			},
		}.make(ctx, act, own.identity)
	})
}
