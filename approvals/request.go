package approvals

import (
	"slices"
	"time"

	"tandem/i18n"
)

// Request is one ask for a remedy, from the ask to its end.
type Request struct {
	ID      string `json:"id"`      // names it to people; it cannot be guessed
	Version int64  `json:"version"` // rises with each change of state or votes; 0: not stored yet
	State   State  `json:"state"`

	Plan        Plan   `json:"plan"`
	Fingerprint string `json:"fingerprint"`
	Check       string `json:"check,omitempty"` // code of the finding; empty: asked for by the remedy's name
	Requester   Voter  `json:"requester"`
	Reason      string `json:"reason,omitempty"` // the requester's words
	BrokeGlass  bool   `json:"broke_glass,omitempty"`
	Reviews     string `json:"reviews,omitempty"` // the id of the request whose broken glass this one reviews
	Terms       Terms  `json:"terms"`             // of the policy, as they were when it was asked
	Place       Place  `json:"place"`
	Votes       []Vote `json:"votes,omitempty"` // those that stand, the oldest first
	Replaces    string `json:"replaces,omitempty"`
	ReplacedBy  string `json:"replaced_by,omitempty"`
	Run         Run    `json:"run"`
	Ending      string `json:"ending,omitempty"` // why it ended so, in English; for denied and cancelled the person's words
	Ender       string `json:"ender,omitempty"`  // the account that ended it, if one did
	Asked       Moment `json:"asked"`
	Decided     Moment `json:"decided"`
	Ended       Moment `json:"ended"`
	Expires     Moment `json:"expires"` // when a pending request ends by itself, or an approved one that cannot run
	Card        Card   `json:"-"`       // kept beside the request: showing it is no change of it
	Lang        string `json:"lang"`    // of the requester, in which the thread is written
}

// Moment is a time, zero when it has not come. It is in UTC, to the millisecond.
type Moment = time.Time

// Place is where a request is shown.
type Place struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"` // ts of the message that the thread hangs from
}

// Card is the message that shows a request. Votes on any other do not count.
type Card struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Shown   int64  `json:"shown"` // the number of the last audit entry that the thread tells
}

// Terms are what the policy asks of one request.
type Terms struct {
	Approvers Who           `json:"approvers"`
	Quorum    int           `json:"quorum"`    // distinct people, at least 1
	Reactions bool          `json:"reactions"` // whether reactions count
	Reason    bool          `json:"reason"`    // whether an approval needs one
	Patience  time.Duration `json:"patience"`  // until a pending request expires
}

// Voter is who asked or voted. Keys are the same for accounts of one person.
type Voter struct {
	ID   string   `json:"id"`
	Keys []string `json:"keys"` // person:NAME from the configuration, mail:HASH; no address is kept
}

// Same says whether two accounts are one person's.
func (v Voter) Same(other Voter) bool {
	return v.ID == other.ID || slices.ContainsFunc(v.Keys, func(k string) bool { return slices.Contains(other.Keys, k) })
}

// Choice is what a vote says.
type Choice string

// The choices.
const (
	Approve Choice = "approve"
	Deny    Choice = "deny"
)

// Via is how a vote came.
type Via string

// The ways to vote.
const (
	ByReaction Via = "reaction"
	ByButton   Via = "button"
	ByCommand  Via = "command"
)

// Vote is one vote that stands.
type Vote struct {
	Voter
	Choice Choice    `json:"choice"`
	Via    Via       `json:"via"`
	Card   string    `json:"card,omitempty"` // ts of the message voted on
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Run is how a request is, or was, carried out.
type Run struct {
	Executor string        `json:"executor,omitempty"` // the replica
	Attempt  int           `json:"attempt,omitempty"`
	Began    Moment        `json:"began,omitzero"`
	Done     Moment        `json:"done,omitzero"` // when the remedy's calls were through
	Steps    []Step        `json:"steps,omitempty"`
	Before   []Observation `json:"before,omitempty"`
	After    []Observation `json:"after,omitempty"`
}

// Step is one call that was made, or is about to be made.
type Step struct {
	Call     string    `json:"call"`
	Identity string    `json:"identity,omitempty"` // whose privilege, like vault role tandem-kv-undelete (accessor …)
	Result   string    `json:"result,omitempty"`   // empty while it is not known
	Failed   bool      `json:"failed,omitempty"`
	At       time.Time `json:"at"`
}

// Observation is how one check ended.
type Observation struct {
	Code    string    `json:"code"`
	Title   i18n.Text `json:"title"`
	Status  string    `json:"status"` // pass, warn, fail, unknown, skipped
	Summary i18n.Text `json:"summary"`
	Fixes   []Fix     `json:"fixes,omitempty"`
	Command string    `json:"command,omitempty"` // that a person could run
}

// Fix is a remedy that a finding offers.
type Fix struct {
	Remedy string            `json:"remedy"`
	Params map[string]string `json:"params,omitempty"`
}

// Approvals are the votes for it.
func (r Request) Approvals() []Vote {
	return slices.DeleteFunc(slices.Clone(r.Votes), func(v Vote) bool { return v.Choice != Approve })
}
