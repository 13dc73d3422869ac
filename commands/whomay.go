package commands

import (
	"slices"
)

// DirectMessages stands among the channels of a Rule for the conversations that
// people have with the bot alone.
const DirectMessages = "direct"

// Rule lets some people ask some things in some places. What is empty says
// nothing: a rule that is empty lets everybody ask everything.
type Rule struct {
	Commands []string // names of commands
	Services []string // for commands about a service
	Channels []string // ids, or DirectMessages
	People   []string // ids
	Groups   []string // ids; a person in one of them, or in People, is meant
}

// Request is what somebody wants to ask, and where.
type Request struct {
	Command string
	Service string // empty for commands about none
	Channel string // an id, or DirectMessages
}

// Refusal is why a request is refused; empty when it is not.
type Refusal string

// The refusals.
const (
	NotAMember  Refusal = "standing" // the person is no full member of the workspace
	NobodyMay   Refusal = "nobody"   // no rule is about it
	OthersMay   Refusal = "people"   // rules let others ask it
	NotHere     Refusal = "place"    // the person may ask it elsewhere
	TooManyAsks Refusal = "rate"     // the person asked too often
)

// Decision says whether a request is allowed, and if not, what would be.
type Decision struct {
	Allowed bool
	Reason  Refusal
	Who     []Rule        // the rules about the request: who may, and where
	Unread  []UnreadGroup // groups that could not be read, so that their rules allow nothing
}

// UnreadGroup is a user group whose members are not known, and why.
type UnreadGroup struct {
	Group string
	Err   error
}

// Membership says whether a person is in a user group.
type Membership func(group string) (bool, error)

// Governed are the commands that rules are about. Members may always ask the
// others: they tell nothing of the services, or the policy of the approvals is
// about them. Who may diagnose a service may see its runs.
func Governed() []string {
	return []string{"diagnose", "explain", "checks", "logs", "trace", "metrics", "fix", "run", "requests", "audit"}
}

// Decide says whether a person may ask something. Without rules every member
// may ask everything; with rules, what one of them allows.
func Decide(p Person, r Request, rules []Rule, member Membership) Decision {
	if p.Standing != Member {
		return Decision{Reason: NotAMember}
	}
	if len(rules) == 0 || !slices.Contains(Governed(), r.Command) {
		return Decision{Allowed: true}
	}
	d := Decision{Reason: NobodyMay}
	for _, rule := range rules {
		if !rule.about(r) {
			continue
		}
		meant := d.meant(rule, p, member)
		if meant && rule.here(r) {
			return Decision{Allowed: true}
		}
		if !meant && d.Reason == NobodyMay {
			d.Reason = OthersMay
		}
		if meant {
			d.Reason = NotHere
		}
		d.Who = append(d.Who, rule)
	}
	if d.Reason == NotHere { // where the person may ask is what helps
		d.Who = slices.DeleteFunc(d.Who, func(rule Rule) bool { return !d.meant(rule, p, member) })
	}
	return d
}

func (rule Rule) about(r Request) bool {
	return anyOr(rule.Commands, r.Command) && (r.Service == "" || anyOr(rule.Services, r.Service))
}

func (rule Rule) here(r Request) bool { return anyOr(rule.Channels, r.Channel) }

// Everyone says whether the rule is for every member.
func (rule Rule) Everyone() bool { return len(rule.People) == 0 && len(rule.Groups) == 0 }

// meant says whether a rule is for a person, and notes the groups that nobody
// could read.
func (d *Decision) meant(rule Rule, p Person, member Membership) bool {
	if rule.Everyone() || slices.Contains(rule.People, p.ID) {
		return true
	}
	for _, group := range rule.Groups {
		in, err := member(group)
		if err != nil && !slices.ContainsFunc(d.Unread, func(u UnreadGroup) bool { return u.Group == group }) {
			d.Unread = append(d.Unread, UnreadGroup{Group: group, Err: err})
		}
		if in && err == nil {
			return true
		}
	}
	return false
}

func anyOr(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }

// CommandName is how rules call a command.
func CommandName(c Command) string {
	switch c.(type) {
	case Diagnose:
		return "diagnose"
	case Checks:
		return "checks"
	case Explain:
		return "explain"
	case Logs:
		return "logs"
	case Trace:
		return "trace"
	case Metrics:
		return "metrics"
	case ListRuns:
		return "runs"
	case Diff:
		return "diff"
	case Fix:
		return "fix"
	case Procedure:
		return "run"
	case Requests:
		return "requests"
	case Approve:
		return "approve"
	case Deny:
		return "deny"
	case Cancel:
		return "cancel"
	case Audit:
		return "audit"
	case Freeze:
		return "freeze"
	case Unfreeze:
		return "unfreeze"
	case Watch:
		return "watch"
	case Unwatch:
		return "unwatch"
	case Watches:
		return "watches"
	case Suppress:
		return "suppress"
	case Unsuppress:
		return "unsuppress"
	case WhoAmI:
		return "whoami"
	case Version:
		return "version"
	default:
		return "help"
	}
}
