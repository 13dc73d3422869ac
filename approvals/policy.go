package approvals

import (
	"time"
)

// Policy says who may ask for remedies and who may approve them.
type Policy struct {
	Team  string        // the workspace's id; accounts of another one may do nothing. The face tells it.
	Risks map[Risk]Rule // a risk without a rule is not allowed at all
	// People are the names of persons by their accounts, so that two accounts of
	// one person count as one. Accounts with the same e-mail address do anyhow.
	People      map[string]string
	PerHour     int             // requests of one person in an hour; zero: 20
	Windows     []Window        // when nothing is carried out
	Frozen      []string        // targets or services that the configuration freezes; * for all
	BreakGlass  *BreakGlass     // nil: never
	ApproveWith []string        // names of emojis; empty: white_check_mark
	DenyWith    []string        // empty: x
	Remedies    map[string]Risk // risks that the operator sees otherwise than the remedy
}

// Rule is what one risk asks.
type Rule struct {
	Ask       Who           // empty: every member who may diagnose
	Approve   Who           // empty: nobody, so that it is not allowed
	Quorum    int           // distinct people besides the requester; at least 1
	Reactions bool          // whether reactions count, or only a button or a command
	Reason    bool          // whether an approval needs a reason
	Patience  time.Duration // until a request expires; zero: 30 minutes
}

// Window is a time in which nothing is carried out.
type Window struct {
	Days   []time.Weekday // empty: every day
	From   time.Duration  // since midnight
	To     time.Duration  // may be before From: over midnight
	Zone   *time.Location
	Reason string
}

// BreakGlass lets somebody act alone, in front of everybody.
type BreakGlass struct {
	Who     Who
	Risks   []Risk // that it reaches
	Channel string // where everybody is told, besides the request's own
}

// Freeze is a kill switch that somebody pulled.
type Freeze struct {
	Target string    `json:"target"` // a service, a plan's target, or * for all
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Policy tells what the service judges by; nobody changes it.
func (s *Service) Policy() Policy { return s.opts.Policy }
