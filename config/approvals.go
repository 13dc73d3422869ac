package config

import (
	"cmp"
	"time"
)

// Defaults of approvals, where the file says nothing.
const (
	DefaultQuorum          = 1
	DefaultExpires         = 30 * time.Minute
	DefaultRequestsPerHour = 20
	DefaultApproveEmoji    = "white_check_mark"
	DefaultDenyEmoji       = "x"
)

// Approvals lets people ask for remedies, and says who approves them. Without it
// the bot changes nothing.
type Approvals struct {
	// Risks say who may ask and who may approve, by the remedy's risk. A risk that
	// is left out is not allowed at all.
	Risks Risks `yaml:"risks" check:"required"`
	// RiskOf says which remedies you rate otherwise than they do themselves.
	RiskOf map[string]RiskName `yaml:"risk_of"`
	// People say which accounts are one person's, by a name of your choice. Accounts
	// with the same e-mail address are anyhow.
	People map[string][]AccountID `yaml:"people"`
	// RequestsPerHour are those that one person may ask for; 20 unless set.
	RequestsPerHour int `yaml:"requests_per_hour" check:"perminute"`
	// Freeze stops the remedies of these services or targets; "*" stops all.
	Freeze []string `yaml:"freeze"`
	// Windows are times in which nothing is carried out.
	Windows []Window `yaml:"windows"`
	// BreakGlass lets some people act alone, in front of everybody; nobody unless set.
	BreakGlass *BreakGlass `yaml:"break_glass"`
	// Reactions are the emojis that vote.
	Reactions Reactions `yaml:"reactions"`
}

// Risks are the rules by the remedy's risk.
type Risks struct {
	// Low is for what hardly anybody would feel.
	Low *RiskRule `yaml:"low"`
	// Medium is for what its users would feel.
	Medium *RiskRule `yaml:"medium"`
	// High is for what many would feel, or nobody could undo.
	High *RiskRule `yaml:"high"`
}

// named are the rules that are there, by their names, in the order of the risks.
func (r Risks) named() []namedRule {
	var all []namedRule
	for _, n := range []namedRule{{"low", r.Low}, {"medium", r.Medium}, {"high", r.High}} {
		if n.rule != nil {
			all = append(all, n)
		}
	}
	return all
}

type namedRule struct {
	name RiskName
	rule *RiskRule
}

// RiskName is low, medium or high.
type RiskName string

// RiskRule is what one risk asks.
type RiskRule struct {
	// Ask says who may ask; every member unless set.
	Ask Who `yaml:"ask"`
	// Approve says who may approve, never their own requests.
	Approve Who `yaml:"approve" check:"required"`
	// Quorum is how many people besides the requester have to approve; 1 unless set.
	Quorum int `yaml:"quorum" check:"quorum"`
	// Reactions say whether a reaction on the card counts as a vote; yes unless the risk is high.
	Reactions *bool `yaml:"reactions"`
	// Reason says whether an approval needs a reason.
	Reason bool `yaml:"reason"`
	// Expires is how long a request waits for its votes; 30m unless set.
	Expires time.Duration `yaml:"expires" check:"expires"`
}

// Who are some people: the members of user groups, and single accounts.
type Who struct {
	// Groups by the ids of user groups.
	Groups []string `yaml:"groups" check:"slackid=S"`
	// People by id.
	People []string `yaml:"people" check:"slackid=U W"`
}

// Nobody says whether nobody is named.
func (w Who) Nobody() bool { return len(w.Groups) == 0 && len(w.People) == 0 }

// AccountID is how Slack calls an account, like U0123456789.
type AccountID string

// Window is a time in which nothing is carried out.
type Window struct {
	// Days of the week on which it begins; every day unless set.
	Days []string `yaml:"days" check:"oneof=mon tue wed thu fri sat sun"`
	// From is when it begins, like 22:00.
	From string `yaml:"from" check:"required,clock"`
	// To is when it ends; before From means the next day.
	To string `yaml:"to" check:"required,clock"`
	// Zone of the times, like America/Sao_Paulo; UTC unless set.
	Zone string `yaml:"zone" check:"zone"`
	// Reason that people read.
	Reason string `yaml:"reason"`
}

// BreakGlass lets some people act alone, in front of everybody.
type BreakGlass struct {
	// Groups whose members may, by the ids of user groups.
	Groups []string `yaml:"groups" check:"slackid=S"`
	// People who may, by id.
	People []string `yaml:"people" check:"slackid=U W"`
	// Risks that it reaches.
	Risks []string `yaml:"risks" check:"required,filled,oneof=low medium high"`
	// Channel where everybody is told, by id.
	Channel string `yaml:"channel" check:"required,slackid=C G"`
}

// Reactions are the emojis that vote, without colons.
type Reactions struct {
	// Approve are the names of those for it; white_check_mark unless set.
	Approve []string `yaml:"approve" check:"filled,emoji"`
	// Deny are the names of those against it; x unless set.
	Deny []string `yaml:"deny" check:"filled,emoji"`
}

func (a *Approvals) setDefaults() {
	a.RequestsPerHour = cmp.Or(a.RequestsPerHour, DefaultRequestsPerHour)
	for _, n := range a.Risks.named() {
		n.rule.Quorum, n.rule.Expires = cmp.Or(n.rule.Quorum, DefaultQuorum), cmp.Or(n.rule.Expires, DefaultExpires)
		if n.rule.Reactions == nil {
			count := n.name != "high" && !n.rule.Reason // a reaction cannot give a reason
			n.rule.Reactions = &count
		}
	}
	if a.Reactions.Approve == nil {
		a.Reactions.Approve = []string{DefaultApproveEmoji}
	}
	if a.Reactions.Deny == nil {
		a.Reactions.Deny = []string{DefaultDenyEmoji}
	}
	for i := range a.Windows {
		a.Windows[i].Zone = cmp.Or(a.Windows[i].Zone, "UTC")
	}
}
