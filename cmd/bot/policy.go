package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem/approvals/remedies"
	"tandem/commands"
	"tandem/config"
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

// vaultPolicy prints the least policy for the bot's token, or the roles of the
// remedies.
func (a *app) vaultPolicy(ask commands.VaultPolicy) int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	if ask.Remedy != "" {
		return a.remedyRoles(c, ask)
	}
	loaded, err := offlineCatalog(c)
	if err != nil {
		return a.fail(err)
	}
	services := targets(c)
	mending, err := remedyDeps(c, a.log, a.now, services)
	if err != nil {
		return a.fail(err)
	}
	uses, err := standing(loaded, services, mending)
	if err != nil {
		return a.fail(err)
	}
	return a.say(policyHCL(append(ownGrants(), uses...), narrowed(uses, remedies.Looks(mending))))
}

// narrowed are the parameters that a path is limited to, where the plans of the
// remedies alone use it.
func narrowed(uses []diagnostics.GrantUse, looks []remedies.Right) map[string]map[string][]any {
	allowed := map[string]map[string][]any{}
	for _, look := range looks {
		others := slices.ContainsFunc(uses, func(u diagnostics.GrantUse) bool {
			return u.Path == look.Path && !slices.Equal(u.Checks, []string{forPlans})
		})
		if !others {
			allowed[look.Path] = look.Allowed
		}
	}
	return allowed
}

// forPlans is what rights are for that no check needs.
const forPlans = "plans of remedies"

// remedyRoles prints what an operator applies to make the roles at Vault of one
// remedy, or of all.
func (a *app) remedyRoles(c *config.Config, ask commands.VaultPolicy) int {
	if c.Remedies == nil || c.Remedies.Vault == nil {
		return a.fail(&setupError{errors.New("remedies.vault: not configured: without a way to log in there are no roles; config/example.yaml shows them")})
	}
	mending, err := remedyDeps(c, a.log, a.now, targets(c))
	if err != nil {
		return a.fail(err)
	}
	var names, scripts []string
	login, printed := loginsOf(c.Remedies.Vault), []remedies.Manifest{}
	for _, role := range remedies.Roles(mending) {
		names = append(names, role.Remedy)
		if ask.Remedy != commands.AllRemedies && ask.Remedy != role.Remedy {
			continue
		}
		printed = append(printed, role.Manifest(login))
		scripts = append(scripts, role.Script(login))
	}
	if len(printed) == 0 {
		return a.fail(&setupError{fmt.Errorf("no remedy with a role at Vault is called %q: expected %s or one of %s",
			ask.Remedy, commands.AllRemedies, strings.Join(names, ", "))})
	}
	if ask.Output == commands.FormatText {
		return a.say(strings.Join(scripts, "\n"))
	}
	return a.encode(printed, ask.Output)
}

// kubernetesPolicy prints what an operator applies in the cluster.
func (a *app) kubernetesPolicy() int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	mending, err := remedyDeps(c, a.log, a.now, targets(c))
	if err != nil {
		return a.fail(err)
	}
	manifests, err := remedies.ClusterPolicy(mending)
	if err != nil {
		return a.fail(&setupError{err})
	}
	return a.say(strings.TrimRight(string(manifests), "\n"))
}

// standing are the rights of the identity that diagnoses and plans: all are to
// look.
func standing(loaded *diagnostics.Catalog, services []diagnostics.Target, mending remedies.Deps) ([]diagnostics.GrantUse, error) {
	uses, err := loaded.Grants(services)
	if err != nil {
		return nil, &setupError{fmt.Errorf("find the Vault rights that the checks need: %w", err)}
	}
	if mending.Vault.Elevator == nil {
		return uses, nil
	}
	for _, look := range remedies.Looks(mending) {
		grant := diagnostics.Grant{Path: look.Path, Capabilities: look.Capabilities}
		uses = append(uses, diagnostics.GrantUse{Grant: grant, Checks: []string{forPlans}})
	}
	return uses, nil
}

// policyHCL writes a policy: one block for each path, sorted, with what needs
// it.
func policyHCL(uses []diagnostics.GrantUse, allowed map[string]map[string][]any) string {
	var blocks []string
	for _, use := range merge(uses) {
		right := remedies.Right{Path: use.Path, Capabilities: use.Capabilities, Allowed: allowed[use.Path]}
		blocks = append(blocks, "# "+strings.Join(use.Checks, ", ")+"\n"+remedies.Policy([]remedies.Right{right}))
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
