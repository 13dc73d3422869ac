package remedies

import (
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"tandem/approvals"
)

// clusterRemedy is a remedy that acts on the cluster, with what its account
// needs, which follows from the configuration. No rights: it has no account.
type clusterRemedy struct {
	approvals.Remedy
	rights []clusterRight
	fence  fence
}

// clusterRight is what the account of a remedy may do in one namespace.
type clusterRight struct {
	namespace string
	rule      rbacv1.PolicyRule
}

// fence is what the account may do within its rights, which cannot say it: one
// that may patch a Deployment could change its image.
type fence struct {
	group, resource, operation string
	rules                      []fenceRule
}

// fenceRule is a CEL expression over a request, and what is told when it does
// not hold.
type fenceRule struct{ expression, message string }

// clusterRemedies makes each remedy that acts on the cluster.
var clusterRemedies = []func(Deps) clusterRemedy{rolloutRestart, spireAgentRestart, spireServerRestart, endToEnd}

// beyondVault are the remedies that do not act on Vault.
func beyondVault(d Deps) []approvals.Remedy {
	all := []approvals.Remedy{spireEntry(d), spireEntries(d)}
	for _, make := range clusterRemedies {
		all = append(all, make(d).Remedy)
	}
	return all
}

// sameBut is a CEL expression that is true when an update leaves all of a map as
// it was but for some keys. The path is of keys, joined by dots, below the object;
// a map that is missing is an empty one.
func sameBut(path string, but ...string) string {
	keys := make([]string, 0, len(but))
	for _, key := range but {
		keys = append(keys, quoted(key))
	}
	fill := strings.NewReplacer("NEW", mapAt("object", path), "OLD", mapAt("oldObject", path), "BUT", "["+strings.Join(keys, ", ")+"]")
	return fill.Replace("NEW.all(k, k in BUT || (k in OLD && NEW[k] == OLD[k])) && OLD.all(k, k in BUT || k in NEW)")
}

// mapAt reads a map of any keys, whatever the schema calls it.
func mapAt(object, path string) string {
	all := strings.Split(path, ".")
	last := len(all) - 1
	return fmt.Sprintf("dyn(%s.?%s.orValue({}))", strings.Join(append([]string{object}, all[:last]...), "."), all[last])
}

// onlyKeys is a CEL expression that is true when a map has no other keys.
func onlyKeys(path string, keys ...string) string {
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		all = append(all, quoted(key))
	}
	return fmt.Sprintf("dyn(%s).all(k, k in [%s])", path, strings.Join(all, ", "))
}
