package remedies

import (
	"fmt"
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

// vaultRemedies makes each remedy that acts on Vault.
var vaultRemedies = []func(Deps) vaultRemedy{kvUndelete}

// Right is what a role may do at one path of Vault.
type Right struct {
	Path         string
	Capabilities []string
	// Allowed are parameters with the only values that they may have. nil: any.
	Allowed map[string][]string
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

// merged leaves each path once: services share things.
func merged(rights []Right) []Right {
	var all []Right
	for _, r := range rights {
		if !slices.ContainsFunc(all, func(have Right) bool { return have.Path == r.Path }) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Right) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Policy is the text of the role's policy.
func (r Role) Policy() string {
	blocks := make([]string, 0, len(r.Rights))
	for _, right := range r.Rights {
		blocks = append(blocks, right.hcl())
	}
	return strings.Join(blocks, "\n\n")
}

func (r Right) hcl() string {
	lines := []string{fmt.Sprintf("path %q {", r.Path), "  capabilities = " + list(r.Capabilities)}
	if len(r.Allowed) > 0 {
		lines = append(lines, "  allowed_parameters = {")
		for _, name := range sortedKeys(r.Allowed) {
			lines = append(lines, fmt.Sprintf("    %q = %s", name, list(r.Allowed[name])))
		}
		lines = append(lines, "  }")
	}
	return strings.Join(append(lines, "}"), "\n")
}

// list writes a list of strings as HCL has it.
func list(items []string) string {
	all := make([]string, 0, len(items))
	for _, item := range items {
		all = append(all, quoted(item))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
