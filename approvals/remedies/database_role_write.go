package remedies

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

// databaseRoleWrite writes the reviewed role of a service's database, and proves
// it by a credential that it revokes at once. It is also the runbook's procedure
// by which the Temporal role is made again.
func databaseRoleWrite(d Deps) vaultRemedy {
	r := vaultRemedy{uses: 3, Remedy: approvals.Remedy{
		Name: "database-role-write", Risk: approvals.Medium, Repeatable: true, Procedure: true,
		Params: []approvals.Param{
			{Name: "mount", About: both("mount of the database engine; the service's unless set", "mount do engine de banco; o do serviço se não for dito")},
			{Name: "role", About: both("name of the role; the service's unless set", "nome do role; o do serviço se não for dito")},
		},
		Title: both("Write a database role as reviewed", "Gravar um role de banco como revisado"),
		About: both("Writes the database role of the service with every field as reviewed, and takes one credential of it that is revoked at once.",
			"Grava o role de banco do serviço com todos os campos revisados, e obtém dele uma credencial que é revogada na hora."),
		Plan: d.planRoleWrite, Execute: d.writeRole,
	}}
	for _, b := range d.databases() {
		reviewed, err := d.reviewed(b)
		if err != nil {
			continue
		}
		r.looks = append(r.looks, Right{Path: b.roles(), Capabilities: []string{"read"}}, Right{Path: b.config(), Capabilities: []string{"read"}})
		r.rights = append(
			r.rights,
			Right{Path: b.roles(), Capabilities: []string{"create", "update"}, Allowed: reviewed.allowed()},
			Right{Path: b.creds(), Capabilities: []string{"read"}},
			mayRevoke(b),
		)
	}
	return r
}

func (d Deps) planRoleWrite(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	b, err := d.database(want)
	if err != nil {
		return approvals.Plan{}, err
	}
	reviewed, err := d.reviewed(b)
	if err != nil {
		return approvals.Plan{}, err
	}
	if err := d.Vault.ready(); err != nil {
		return approvals.Plan{}, err
	}
	stored, found, err := d.Vault.storedRole(ctx, b)
	if err != nil {
		return approvals.Plan{}, err
	}
	differences := stored.differences(reviewed.fields())
	if found && len(differences) == 0 {
		return approvals.Plan{}, refuse(approvals.WhyHealthy, "the role "+b.roles()+" is as reviewed")
	}
	holds, err := d.connected(ctx, b)
	if err != nil {
		return approvals.Plan{}, err
	}
	was, wayBack := "none", shell("vault", "delete", b.roles())
	if found {
		was, wayBack = jsonOf(stored), hereDocument(shell("vault", "write", b.roles(), "-"), jsonOf(stored))
	} else {
		differences = []string{"Vault has no such role"}
	}
	return approvals.Plan{
		Remedy: "database-role-write", Service: want.Service, Target: roleTarget(b), Risk: approvals.Medium, Params: want.Params,
		Does:          both("Write the database role "+b.roles()+" as reviewed.", "Gravar o role de banco "+b.roles()+" como revisado."),
		Calls:         roleCalls(b, reviewed),
		Why:           append(d.saw(want), d.seen(shell("vault", "read", b.roles()), strings.Join(differences, "\n"))),
		Basis:         []approvals.Fact{{Name: "the stored role", Value: was}},
		Preconditions: holds,
		Blast: both("New leases of "+b.creds()+", of every service that takes them. Those that are out stay as they are.",
			"Novos leases de "+b.creds()+", de todo serviço que os usa. Os já emitidos ficam como estão."),
		WayBack: both(same(wayBack)),
		Proof:   proof(want, "DBC-001", "DBC-002"),
	}, nil
}

func roleTarget(b Database) string { return "vault:" + b.roles() }

// connected looks whether a role of the connection could work at all.
func (d Deps) connected(ctx context.Context, b Database) ([]approvals.Precondition, error) {
	allowed, found, err := d.Vault.connection(ctx, b)
	observed := "there is none"
	if found {
		observed = "it allows " + orNone(allowed)
	}
	return []approvals.Precondition{{
		Text:  both("The connection "+b.config()+" exists.", "A conexão "+b.config()+" existe."),
		Holds: found,
	}, {
		Text:  both("Its allowed_roles have "+b.Role+".", "Seu allowed_roles tem "+b.Role+"."),
		Holds: lets(allowed, b.Role), Observed: observed,
	}}, err
}

// roleCalls write the role, take a credential and revoke it.
func roleCalls(b Database, reviewed DatabaseRole) []approvals.Call {
	written := jsonOf(reviewed.data())
	return []approvals.Call{
		{
			System: "vault", What: "PUT /v1/" + b.roles() + " " + written,
			ByHand: hereDocument(shell("vault", "write", b.roles(), "-"), written),
		},
		{System: "vault", What: "GET /v1/" + b.creds() + " (as a proof: user and password are thrown away)"},
		{System: "vault", What: "PUT /v1/" + revokeLease + " (of that credential, at once)"},
	}
}

// roleWrite is one execution.
type roleWrite struct {
	d        Deps
	b        Database
	reviewed DatabaseRole
	calls    []approvals.Call
	act      approvals.Act
	own      privilege
}

func (d Deps) writeRole(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	b, err := d.database(approvals.Want{Service: p.Service})
	if err != nil || p.Target != roleTarget(b) {
		return strange(p)
	}
	reviewed, err := d.reviewed(b)
	calls := roleCalls(b, reviewed)
	if err != nil || !slices.Equal(calls, p.Calls) { // the reviewed role is not the approved one any more
		return strange(p)
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		w := roleWrite{d: d, b: b, reviewed: reviewed, calls: calls, act: act, own: own}
		if err := w.write(ctx); err != nil {
			return err
		}
		lease, err := w.mint(ctx)
		if err != nil {
			return err
		}
		return w.revoke(ctx, lease)
	})
}

func (w roleWrite) write(ctx context.Context) error {
	return change{
		call: w.calls[0],
		do: func(ctx context.Context) (string, error) {
			_, err := w.own.client.Logical().WriteWithContext(ctx, w.b.roles(), w.reviewed.data())
			return "the role " + w.b.roles() + " is as reviewed", err
		},
		done: func(ctx context.Context) (bool, error) {
			stored, found, err := w.d.Vault.storedRole(ctx, w.b)
			return found && len(stored.differences(w.reviewed.fields())) == 0, err
		},
	}.make(ctx, w.act, w.own.identity)
}

// mint takes a credential and keeps nothing but the id of its lease.
func (w roleWrite) mint(ctx context.Context) (lease string, err error) {
	err = w.act.Call(ctx, w.calls[1].What, w.own.identity, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if lease, err = mintLease(ctx, w.own.client, w.b); err != nil {
			return "", trouble(err, "the role %s is written, and no credential could be taken of it: %s; if there is one, it ends with the remedy's privilege", w.b.roles(), reason(err))
		}
		return "a credential was made; its lease is " + lease, nil
	})
	return lease, err
}

// mintLease reads no more of a credential than its lease, and wipes the rest.
func mintLease(ctx context.Context, client *api.Client, b Database) (string, error) {
	response, err := client.Logical().ReadRawWithContext(ctx, b.creds())
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil {
		return "", err
	}
	raw, err := content(response)
	defer clear(raw)
	var answer struct {
		Lease string `json:"lease_id"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil || !b.leases(answer.Lease) {
		return "", trouble(err, "the answer has no lease of the role")
	}
	return answer.Lease, nil
}

func (w roleWrite) revoke(ctx context.Context, lease string) error {
	return w.act.Call(ctx, w.calls[2].What, w.own.identity, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if _, err := w.own.client.Logical().WriteWithContext(ctx, revokeLease, revocation(lease)); err != nil {
			return "", trouble(err, "the role %s is written and gives credentials, and the one that was taken could not be revoked: %s; it ends with the remedy's privilege, within %s",
				w.b.roles(), reason(err), minutes(maxTTL))
		}
		return fmt.Sprintf("the lease %s is revoked", lease), nil
	})
}
