package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// remedyRules judges what no single field of the remedies can.
type remedyRules struct {
	*findings

	config *Config
	*Remedies

	node *yaml.Node
}

func validateRemedies(c *Config, root *yaml.Node, found *findings) {
	if c.Remedies == nil {
		return
	}
	v := remedyRules{findings: found, config: c, Remedies: c.Remedies, node: at(root, "remedies")}
	if c.Approvals == nil {
		v.wrong(nil, "needs approvals: nothing is carried out without them")
	}
	v.logins()
	v.reviewed()
	v.cluster()
	v.endToEnd()
}

// wrong adds an error about a key below remedies.
func (v remedyRules) wrong(path []string, format string, args ...any) {
	v.add(at(v.node, path...), strings.Join(append([]string{"remedies"}, path...), "."), format, args...)
}

func (v remedyRules) logins() {
	l := v.Vault
	if l == nil {
		return
	}
	if v.config.Vault == nil {
		v.wrong([]string{"vault"}, "needs vault: there is none to log in to")
	}
	if count(l.JWTSVID != nil, l.AppRole != nil, l.Kubernetes != nil) == 0 {
		v.wrong([]string{"vault"}, "expected at least one of jwt_svid, approle and kubernetes")
	}
	if l.JWTSVID != nil && (v.config.SPIFFE == nil || v.config.SPIFFE.WorkloadAPISocket == "") {
		v.wrong([]string{"vault", "jwt_svid"}, "needs the Workload API: set spiffe.workload_api_socket")
	}
}

// reviewed holds that what is reviewed belongs to a service.
func (v remedyRules) reviewed() {
	for _, name := range slices.Sorted(maps.Keys(v.Policies)) {
		if !v.some(func(s *Service) bool { return s.Login != nil && slices.Contains(s.Login.Policies, string(name)) }) {
			v.wrong([]string{"policies", string(name)}, "no service has this policy in login.policies")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.DatabaseRoles)) {
		if !v.some(func(s *Service) bool { return s.Database != nil && s.Database.Role == string(name) }) {
			v.wrong([]string{"database_roles", string(name)}, "no service has this role in database.role")
		}
		if r := v.DatabaseRoles[name]; r.MaxTTL != 0 && r.DefaultTTL > r.MaxTTL {
			v.wrong([]string{"database_roles", string(name), "default_ttl"}, "is longer than max_ttl")
		}
	}
}

// some says whether a service is so.
func (v remedyRules) some(is func(*Service) bool) bool {
	for _, s := range v.config.Services {
		if s != nil && is(s) {
			return true
		}
	}
	return false
}

func (v remedyRules) cluster() {
	if v.Kubernetes != nil && v.config.Kubernetes == nil {
		v.wrong([]string{"kubernetes"}, "needs kubernetes: there is no cluster to act in")
	}
	s := v.SPIRE
	if s == nil {
		return
	}
	if (s.Agents != nil || s.Server != nil) && v.Kubernetes == nil {
		v.wrong([]string{"spire"}, "agents and server need remedies.kubernetes")
	}
	if len(s.Entries) > 0 && s.AdminAddress == "" {
		v.wrong([]string{"spire"}, "entries need admin_address")
	}
	declared := map[string]int{}
	for i, e := range s.Entries {
		key := e.SPIFFEID + " " + e.ParentID + " " + strings.Join(slices.Sorted(slices.Values(e.Selectors)), " ")
		if first, twice := declared[key]; twice {
			path := fmt.Sprintf("remedies.spire.entries[%d]", i)
			v.add(item(at(v.node, "spire", "entries"), i), path, "is the same entry as entries[%d]", first)
			continue
		}
		declared[key] = i
	}
}

func (v remedyRules) endToEnd() {
	e := v.EndToEnd
	if e == nil {
		return
	}
	if ways := count(e.Job != nil, e.Command != nil); ways != 1 {
		v.wrong([]string{"end_to_end"}, "expected exactly one of job and command, found %d", ways)
	}
	if e.Job != nil && v.Kubernetes == nil {
		v.wrong([]string{"end_to_end", "job"}, "needs remedies.kubernetes")
	}
}
