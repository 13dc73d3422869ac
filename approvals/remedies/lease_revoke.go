package remedies

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"tandem/approvals"
)

const (
	revokeLease = "sys/leases/revoke"
	lookUpLease = "sys/leases/lookup"
)

const factLease = "lease"

// leaseRevoke revokes one lease of a service's database role, by its exact id:
// never by a prefix, and never by force.
func leaseRevoke(d Deps) vaultRemedy {
	r := vaultRemedy{uses: 1, Remedy: approvals.Remedy{
		Name: "lease-revoke", Risk: approvals.High, Repeatable: true,
		Params: []approvals.Param{{Name: "lease", Required: true, About: both("the exact id of the lease", "o id exato do lease")}},
		Title:  both("Revoke a lease", "Revogar um lease"),
		About: both("Revokes one database credential of the service by its lease; PostgreSQL drops the user. There is no way back.",
			"Revoga uma credencial de banco do serviço pelo lease; o PostgreSQL remove o usuário. Não há volta."),
		Plan: d.planRevoke, Execute: d.revoke,
	}}
	for _, b := range d.databases() {
		r.looks = append(r.looks, Right{Path: lookUpLease, Capabilities: []string{"update"}, Allowed: map[string][]any{"lease_id": {b.leasePrefix() + "*"}}})
		r.rights = append(r.rights, mayRevoke(b))
	}
	return r
}

// mayRevoke is the right to revoke leases of a database role.
func mayRevoke(b Database) Right {
	return Right{
		Path: revokeLease, Capabilities: []string{"update"},
		Allowed: map[string][]any{"lease_id": {b.leasePrefix() + "*"}, "sync": {true}},
	}
}

// revocation is what is sent to revoke a lease. It is answered when the user is
// gone, and not before.
func revocation(lease string) map[string]any { return map[string]any{"lease_id": lease, "sync": true} }

func (b Database) leasePrefix() string { return b.creds() + "/" }

var leaseName = regexp.MustCompile(`^[A-Za-z0-9.]{1,128}$`)

// leases says whether the id is of one lease of the role.
func (b Database) leases(id string) bool {
	name, ok := strings.CutPrefix(id, b.leasePrefix())
	return ok && leaseName.MatchString(name)
}

// lease is what Vault tells of a lease.
type lease struct {
	Issued time.Time `json:"issue_time"`
	End    time.Time `json:"expire_time"`
	TTL    int64     `json:"ttl"` // seconds
}

func (v Vault) lease(ctx context.Context, id string) (l lease, known bool, err error) {
	known, err = v.lookUp(ctx, lookUpLease, "lease_id", id, &l)
	return l, known, err
}

func (d Deps) planRevoke(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	id := want.Params["lease"]
	b, err := d.database(approvals.Want{Service: want.Service})
	if err != nil {
		return approvals.Plan{}, err
	}
	if !b.leases(id) {
		return approvals.Plan{}, refuse(approvals.WhyParameters, "expected in lease the whole id of one lease, which begins with "+b.leasePrefix())
	}
	if err := d.Vault.ready(); err != nil {
		return approvals.Plan{}, err
	}
	l, known, err := d.Vault.lease(ctx, id)
	switch {
	case err != nil:
		return approvals.Plan{}, err
	case !known:
		return approvals.Plan{}, refuse(approvals.WhyHealthy, "Vault knows no such lease: it is over, or its id is another")
	}
	return approvals.Plan{
		Remedy: "lease-revoke", Service: want.Service, Target: leaseTarget(id), Risk: approvals.High, Params: want.Params,
		Does:  both("Revoke the lease "+id+".", "Revogar o lease "+id+"."),
		Calls: []approvals.Call{revokeCall(id)},
		Why: append(d.saw(want), d.seen(shell("vault", "lease", "lookup", id),
			fmt.Sprintf("issued at %s, ends at %s", moment(l.Issued), moment(l.End)))),
		Basis: []approvals.Fact{{Name: factLease, Value: id}, {Name: "issued at", Value: moment(l.Issued)}},
		Preconditions: []approvals.Precondition{{
			Text:  both("Vault knows the lease, and it has not ended.", "O Vault conhece o lease, e ele não acabou."),
			Holds: l.TTL > 0, Observed: fmt.Sprintf("%s left", time.Duration(l.TTL)*time.Second),
		}},
		Blast: both("PostgreSQL drops the user of the lease. Whoever uses it cannot log in again; whether somebody does, the bot cannot see from here: look into pg_stat_activity.",
			"O PostgreSQL remove o usuário do lease. Quem o usa não consegue novo login; se alguém o usa, o bot não vê daqui: olhe o pg_stat_activity."),
		WayBack: both("There is none: the service must take a new credential.", "Não há: o serviço precisa obter uma nova credencial."),
		Proof:   proof(want, "DBC-005"),
	}, nil
}

func leaseTarget(id string) string { return "vault:" + id }

func revokeCall(id string) approvals.Call {
	return approvals.Call{
		System: "vault", What: "PUT /v1/" + revokeLease + " " + jsonOf(revocation(id)),
		ByHand: shell("vault", "lease", "revoke", "-sync", id),
	}
}

func (d Deps) revoke(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	id := fact(p, factLease)
	b, err := d.database(approvals.Want{Service: p.Service})
	if err != nil || !b.leases(id) || p.Target != leaseTarget(id) {
		return strange(p)
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		return change{
			call: revokeCall(id),
			do: func(ctx context.Context) (string, error) {
				_, err := own.client.Logical().WriteWithContext(ctx, revokeLease, revocation(id))
				return "the lease is revoked, and its user gone", err
			},
			done: func(ctx context.Context) (bool, error) {
				_, known, err := d.Vault.lease(ctx, id)
				return err == nil && !known, err
			},
		}.make(ctx, act, own.identity)
	})
}
