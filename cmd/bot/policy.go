package main

import (
	"fmt"
	"slices"
	"strings"

	"tandem/diagnostics"
)

// ownGrants are what the bot needs for itself: to look at its token and rights,
// to stay logged in, and to let go of a token after a single diagnosis.
func ownGrants() []diagnostics.GrantUse {
	grant := func(path, capability, why string) diagnostics.GrantUse {
		return diagnostics.GrantUse{Grant: diagnostics.Grant{Path: path, Capabilities: []string{capability}}, Checks: []string{why}}
	}
	return []diagnostics.GrantUse{
		grant("auth/token/lookup-self", "read", "the bot's own token"),
		grant("auth/token/renew-self", "update", "the bot's own token"),
		grant("auth/token/revoke-self", "update", "the bot's own token"),
		grant("sys/capabilities-self", "update", "the bot's own rights"),
	}
}

// vaultPolicy prints the least policy for the bot's token.
func (a *app) vaultPolicy() int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	loaded, err := offlineCatalog(c)
	if err != nil {
		return a.fail(err)
	}
	uses, err := loaded.Grants(targets(c))
	if err != nil {
		return a.fail(&setupError{err})
	}
	return a.say(policyHCL(append(ownGrants(), uses...)))
}

// policyHCL writes a policy: one block for each path, sorted, with what needs
// it.
func policyHCL(uses []diagnostics.GrantUse) string {
	var blocks []string
	for _, use := range merge(uses) {
		quoted := make([]string, 0, len(use.Capabilities))
		for _, c := range use.Capabilities {
			quoted = append(quoted, fmt.Sprintf("%q", c))
		}
		blocks = append(blocks, fmt.Sprintf("# %s\npath %q {\n  capabilities = [%s]\n}",
			strings.Join(use.Checks, ", "), use.Path, strings.Join(quoted, ", ")))
	}
	return strings.Join(blocks, "\n\n")
}

// merge joins uses of the same path and sorts them.
func merge(uses []diagnostics.GrantUse) []diagnostics.GrantUse {
	byPath := map[string]diagnostics.GrantUse{}
	var paths []string
	for _, use := range uses {
		have, twice := byPath[use.Path]
		if !twice {
			paths = append(paths, use.Path)
		}
		have.Path = use.Path
		have.Capabilities = distinct(append(have.Capabilities, use.Capabilities...))
		have.Checks = append(have.Checks, use.Checks...)
		byPath[use.Path] = have
	}
	slices.Sort(paths)
	merged := make([]diagnostics.GrantUse, 0, len(paths))
	for _, p := range paths {
		merged = append(merged, byPath[p])
	}
	return merged
}

func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
