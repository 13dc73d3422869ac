package remedies

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tandem/approvals"
)

// maxTTL is how long a privilege lives at most, whatever is done with it.
const maxTTL = 5 * time.Minute

// vaultRemedy is a remedy that acts on Vault, with what its role needs.
type vaultRemedy struct {
	approvals.Remedy
	// looks are what the standing identity needs for the plan, beside what the
	// checks need; rights what the remedy's own role needs. Both follow the
	// configuration. No rights: it takes no privilege.
	looks, rights []Right
	uses          int // calls that one privilege is good for, without giving it back
}

// vaultRemedies make each remedy that acts on Vault.
var vaultRemedies = []func(Deps) vaultRemedy{
	kvUndelete, kvRollback, kvWrite, tokenRenew, policyFix, databaseRoleWrite, leaseRevoke,
}

// Right is what a role may do at one path of Vault.
type Right struct {
	Path         string
	Capabilities []string
	// Allowed are the parameters that it may send, each with the only values that
	// it may have, of which strings may begin or end with *; no values: any. nil:
	// any parameter.
	Allowed map[string][]any
}

// Role is the role at Vault of one remedy.
type Role struct {
	Remedy string
	Name   string // of the role, and of its policy
	Rights []Right
	Uses   int           // of its token
	MaxTTL time.Duration // of its token
}

// RoleName is how the role of a remedy is called.
func RoleName(remedy string) string { return "tandem-" + remedy }

// Roles are the roles at Vault that the remedies need, for what the
// configuration lets them touch.
func Roles(d Deps) []Role {
	var roles []Role
	for _, make := range vaultRemedies {
		r := make(d)
		if len(r.rights) == 0 {
			continue
		}
		own := Right{Path: "auth/token/revoke-self", Capabilities: []string{"update"}}
		roles = append(roles, Role{
			Remedy: r.Name, Name: RoleName(r.Name), Rights: append(merged(r.rights), own), Uses: r.uses + 1, MaxTTL: maxTTL,
		})
	}
	return roles
}

// Looks are the rights that the standing identity needs for the plans, beside
// those of the checks.
func Looks(d Deps) []Right {
	var all []Right
	for _, make := range vaultRemedies {
		all = append(all, make(d).looks...)
	}
	return merged(all)
}

// merged leaves each path once, with all that is said of it: services share
// things.
func merged(rights []Right) []Right {
	paths := map[string]Right{}
	for _, r := range rights {
		if have, twice := paths[r.Path]; twice {
			r = have.and(r)
		}
		paths[r.Path] = r
	}
	all := make([]Right, 0, len(paths))
	for _, path := range sortedKeys(paths) {
		all = append(all, paths[path])
	}
	return all
}

// and is what two rights at the same path allow together.
func (r Right) and(other Right) Right {
	both := Right{Path: r.Path, Capabilities: slices.Concat(r.Capabilities, other.Capabilities)}
	slices.Sort(both.Capabilities)
	both.Capabilities = slices.Compact(both.Capabilities)
	if r.Allowed == nil || other.Allowed == nil {
		return both
	}
	both.Allowed = maps.Clone(r.Allowed)
	for name, values := range other.Allowed {
		have, twice := both.Allowed[name]
		switch {
		case twice && (len(have) == 0 || len(values) == 0):
			both.Allowed[name] = nil
		case twice:
			both.Allowed[name] = slices.Concat(have, values)
		default:
			both.Allowed[name] = values
		}
	}
	return both
}

// Policy is the text of the role's policy.
func (r Role) Policy() string { return Policy(r.Rights) }

// Policy is the text of a policy that gives rights.
func Policy(rights []Right) string {
	blocks := make([]string, 0, len(rights))
	for _, right := range rights {
		blocks = append(blocks, right.hcl())
	}
	return strings.Join(blocks, "\n\n")
}

func (r Right) hcl() string {
	lines := []string{"path " + hclValue(r.Path) + " {", "  capabilities = " + hclValue(r.Capabilities)}
	if len(r.Allowed) > 0 {
		lines = append(lines, "  allowed_parameters = {")
		for _, name := range sortedKeys(r.Allowed) {
			values := r.Allowed[name]
			if values == nil {
				values = []any{}
			}
			lines = append(lines, "    "+hclValue(name)+" = "+hclValue(values))
		}
		lines = append(lines, "  }")
	}
	return strings.Join(append(lines, "}"), "\n")
}

// hclValue writes a value as HCL has it: like JSON, but that ${ would begin an
// expression in a string.
func hclValue(value any) string {
	return strings.ReplaceAll(jsonOf(value), "${", `\u0024{`)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
