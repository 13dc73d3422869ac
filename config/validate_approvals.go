package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// approvalRules judges what no single field of the approvals can.
type approvalRules struct {
	*findings

	config *Config
	*Approvals

	node   *yaml.Node
	person map[string]string // the name of a person by account
}

func validateApprovals(c *Config, root *yaml.Node, found *findings) {
	if c.Approvals == nil {
		return
	}
	v := approvalRules{findings: found, config: c, Approvals: c.Approvals, node: at(root, "approvals"), person: map[string]string{}}
	v.people()
	v.rules()
	v.remedies()
	v.frozen()
	v.glass()
	v.emojis()
}

// wrong adds an error about a key below approvals.
func (v approvalRules) wrong(path []string, format string, args ...any) {
	v.add(at(v.node, path...), strings.Join(append([]string{"approvals"}, path...), "."), format, args...)
}

// people holds that an account is one person's.
func (v approvalRules) people() {
	for _, name := range slices.Sorted(maps.Keys(v.People)) {
		for i, id := range v.People[name] {
			path := fmt.Sprintf("approvals.people.%s[%d]", name, i)
			node := item(at(v.node, "people", name), i)
			if problem := judgeSlackID(string(id), []string{"U", "W"}); problem != "" {
				v.add(node, path, "%s", problem)
			}
			if other, twice := v.person[string(id)]; twice {
				v.add(node, path, "is %s already: an account is one person's", other)
			}
			v.person[string(id)] = name
		}
	}
}

func (v approvalRules) rules() {
	rules := v.Risks.named()
	if len(rules) == 0 {
		v.wrong([]string{"risks"}, "no risk has a rule, so nothing could be asked for: expected low, medium or high")
	}
	for _, n := range rules {
		v.rule([]string{"risks", string(n.name)}, n)
	}
}

func (v approvalRules) rule(path []string, n namedRule) {
	r := n.rule
	reactions := r.Reactions != nil && *r.Reactions
	quorum := max(r.Quorum, DefaultQuorum)
	switch {
	case r.Approve.Nobody():
		v.wrong(append(path, "approve"), "nobody could approve: name groups or people, or leave the risk out")
	case !v.enough(r.Approve, Who{}, quorum):
		v.wrong(append(path, "quorum"), "more than the %d people who may approve", len(v.persons(r.Approve)))
	case !v.enough(r.Approve, r.Ask, quorum):
		v.wrong(path, "nobody who may ask finds enough others to approve: a requester never approves")
	}
	if n.name == "high" && reactions {
		v.wrong(append(path, "reactions"), "a high risk wants a button or a command: a reaction is too easily made by mistake")
	}
	if r.Reason && reactions {
		v.wrong(append(path, "reactions"), "a reaction cannot give the reason that an approval needs here: choose one of reactions and reason")
	}
}

// persons are the people who are named by their accounts.
func (v approvalRules) persons(w Who) map[string]bool {
	persons := map[string]bool{}
	for _, id := range w.People {
		name := v.person[id]
		if name == "" {
			name = id
		}
		persons[name] = true
	}
	return persons
}

// enough says whether so many can approve what some asker asks for. Groups may
// have anybody; askers that are not named by account neither.
func (v approvalRules) enough(approve, ask Who, quorum int) bool {
	approvers := v.persons(approve)
	switch {
	case len(approve.Groups) > 0:
		return true
	case len(approvers) < quorum:
		return false
	case len(ask.Groups) > 0 || len(ask.People) == 0:
		return true
	}
	for asker := range v.persons(ask) {
		if !approvers[asker] || len(approvers)-1 >= quorum {
			return true
		}
	}
	return false
}

// remedies holds that the risks of remedies are risks with a rule.
func (v approvalRules) remedies() {
	for _, name := range slices.Sorted(maps.Keys(v.RiskOf)) {
		risk := v.RiskOf[name]
		switch {
		case !slices.Contains([]RiskName{"low", "medium", "high"}, risk):
			v.wrong([]string{"risk_of", name}, "expected one of low, medium, high")
		case !slices.ContainsFunc(v.Risks.named(), func(n namedRule) bool { return n.name == risk }):
			v.wrong([]string{"risk_of", name}, "approvals.risks has no rule for %s, so nobody could ask for it", risk)
		}
	}
}

// frozen holds that what is frozen exists. A target of a remedy has a colon in
// its name and may be anything.
func (v approvalRules) frozen() {
	for i, name := range v.Freeze {
		if name != "*" && !strings.Contains(name, ":") && v.config.Services[name] == nil {
			v.add(item(at(v.node, "freeze"), i), fmt.Sprintf("approvals.freeze[%d]", i),
				`no such service: expected one of services, a target like vault:secret/orchestrator/mongodb, or "*"`)
		}
	}
}

func (v approvalRules) glass() {
	g := v.BreakGlass
	if g == nil {
		return
	}
	if len(g.Groups) == 0 && len(g.People) == 0 {
		v.wrong([]string{"break_glass"}, "nobody may break the glass: name groups or people, or leave it out")
	}
	for i, risk := range g.Risks {
		if !slices.ContainsFunc(v.Risks.named(), func(n namedRule) bool { return string(n.name) == risk }) {
			v.add(item(at(v.node, "break_glass", "risks"), i), fmt.Sprintf("approvals.break_glass.risks[%d]", i),
				"approvals.risks has no rule for it, so nobody could review it afterwards")
		}
	}
}

// emojis holds that no emoji votes for both.
func (v approvalRules) emojis() {
	for i, name := range v.Reactions.Deny {
		if slices.Contains(v.Reactions.Approve, name) || v.Reactions.Approve == nil && name == DefaultApproveEmoji {
			v.add(item(at(v.node, "reactions", "deny"), i), fmt.Sprintf("approvals.reactions.deny[%d]", i), "approves already: an emoji has one meaning")
		}
	}
	if v.Reactions.Deny == nil && slices.Contains(v.Reactions.Approve, DefaultDenyEmoji) {
		v.wrong([]string{"reactions", "approve"}, "x denies unless reactions.deny says otherwise: an emoji has one meaning")
	}
}
