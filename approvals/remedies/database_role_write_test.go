package remedies

import (
	"slices"
	"strings"
	"testing"

	"tandem/approvals"
)

func (b *bench) storedRole(t *testing.T) (storedRole, bool) {
	t.Helper()
	r, found, err := b.deps.Vault.storedRole(soon(t), *b.deps.Services[0].Database)
	check(t, err)
	return r, found
}

func (b *bench) testRoleWrite(t *testing.T) {
	missing := b.plan(t, "database-role-write", nil)
	if want := "vault delete database/roles/temporal-orchestrator"; missing.WayBack.EN != want {
		t.Errorf("the way back is %s, want %s", missing.WayBack.EN, want)
	}
	b.write(t, "database/roles/temporal-orchestrator", map[string]any{
		"db_name": "temporal-db", "default_ttl": "2h", "creation_statements": []string{"SELECT 1"}, "rollback_statements": []string{"SELECT 2"},
	})
	p := b.plan(t, "database-role-write", map[string]string{"mount": "database", "role": "temporal-orchestrator"})
	if p.Fingerprint() == missing.Fingerprint() {
		t.Error("what is stored does not count in the fingerprint")
	}
	for _, field := range []string{"default_ttl is 7200, reviewed 3600", `rollback_statements is ["SELECT 2"], reviewed []`, "max_ttl is 0, reviewed 86400"} {
		if !strings.Contains(p.Why[0].Observed, field) {
			t.Errorf("the difference lacks %s: %s", field, p.Why[0].Observed)
		}
	}
	if !strings.Contains(p.WayBack.EN, `"rollback_statements":["SELECT 2"]`) {
		t.Errorf("the way back is %s", p.WayBack.EN)
	}
	act := b.carryOut(t, p)
	if r, found := b.storedRole(t); !found || len(r.differences(b.deps.Vault.DatabaseRoles[0].fields())) > 0 {
		t.Errorf("afterwards it is %+v", r)
	}
	if users := b.dynamicUsers(t); len(users) > 0 {
		t.Errorf("the credential of the proof lives on: %q", users)
	}
	if lease := act.Results[2]; !strings.Contains(lease, "database/creds/temporal-orchestrator/") {
		t.Errorf("the results are %q", act.Results)
	}
	b.again(t, p)
	b.wantRefused(t, "database-role-write", nil, approvals.WhyHealthy)
	b.wantRefused(t, "database-role-write", map[string]string{"role": "another"}, approvals.WhyParameters)
	b.wantRefused(t, "database-role-write", map[string]string{"mount": "another"}, approvals.WhyParameters)
	b.testRoleNotConnected(t)
	b.testRoleThatGivesNothing(t)
}

// testRoleNotConnected holds that the connection must be able to serve the role.
func (b *bench) testRoleNotConnected(t *testing.T) {
	b.write(t, "database/roles/temporal-orchestrator", map[string]any{"default_ttl": "3h"})
	b.write(t, "database/config/temporal-db", map[string]any{"allowed_roles": []string{"another"}, "verify_connection": false})
	b.wantUnmet(t, "database-role-write", nil)
	b.write(t, "database/config/temporal-db", map[string]any{"allowed_roles": []string{"*"}, "verify_connection": false})
	if unmet, ok := b.plan(t, "database-role-write", nil).Unmet(); ok {
		t.Errorf("with * it is not met: %+v", unmet)
	}
}

// testRoleThatGivesNothing has PostgreSQL refuse the role's users.
func (b *bench) testRoleThatGivesNothing(t *testing.T) {
	reviewed := &b.deps.Vault.DatabaseRoles[0]
	reviewed.Creation = []string{`CREATE ROLE "{{name}}" IN ROLE nobody PASSWORD '{{password}}'`}
	b.apply(t)
	p := b.plan(t, "database-role-write", nil)
	act := &record{}
	if text := b.fails(t, p, act); !strings.Contains(text, "is written, and no credential could be taken") || strings.Contains(text, "nobody") {
		t.Errorf("it says: %s", text)
	}
	b.wantGivenBack(t, act)
	reviewed.Creation = []string{creationSQL}
	b.apply(t)
	b.carryOut(t, b.plan(t, "database-role-write", nil))
}

func TestSecondsOf(t *testing.T) {
	for text, want := range map[string]float64{"3600": 3600, "1h": 3600, "1h0m0s": 3600, "1.5h": 5400, "2d": 172800, "0": 0, "": -1, "soon": -1, "d": -1} {
		if got := secondsOf(text); got != want {
			t.Errorf("%q are %v seconds, want %v", text, got, want)
		}
	}
}

func TestAllowedRoles(t *testing.T) {
	for _, allowed := range []string{"temporal", "*", "temp*", "*al", "[a"} {
		if got, want := lets([]string{"x", allowed}, "temporal"), allowed != "[a"; got != want {
			t.Errorf("%s lets: %t", allowed, got)
		}
	}
	if lets(nil, "temporal") || slices.Contains([]bool{lets([]string{"other*"}, "temporal")}, true) {
		t.Error("a role is let that is not allowed")
	}
}
