// Package approvals holds the second half of Tandem: nothing moves until a
// second person says so.
//
// A Request is a pure state machine: Apply gives the next request or refuses.
// A Policy says who may ask for a remedy and who may approve it. A Remedy makes
// a Plan, which people see whole, and carries it out. Service joins them: it
// judges every ask and every vote by what the directory says at that moment,
// and commits each change of state together with its audit entries and the jobs
// that follow from it.
//
// It promises: the requester never approves, under no account; the plan that
// two people saw is the plan that runs, or none; the approvers are judged again
// before it runs; what is confirmed to a voter is in the store; a request is
// carried out once, and what a crash left open is said to be open. It knows
// nothing of Slack, of Vault or of any database.
package approvals

import (
	"errors"
	"fmt"

	"tandem/i18n"
)

// Errors of a Store, and of a Face.
var (
	// ErrConflict says that somebody changed the request meanwhile: read it again.
	ErrConflict = errors.New("the request was changed meanwhile")
	// ErrNotFound says that there is no such request.
	ErrNotFound = errors.New("there is no such request")
	// ErrUnsure says that the connection broke in the middle of a commit: whether
	// it was written is seen by reading the request again.
	ErrUnsure = errors.New("nobody knows whether the change was written: read the request again")
	// ErrWhole says that there is no break to acknowledge.
	ErrWhole = errors.New("the audit chain is whole: there is nothing to acknowledge")
	// ErrNoCard says that the message that shows a request is gone.
	ErrNoCard = errors.New("the card of the request is gone")
)

// Refusal is why something is not done. It is an answer for the one who asked,
// not a defect, and it is audited.
type Refusal struct {
	Why Why
	Who Who // who could do it instead; zero when nobody is meant
	// Detail is for what Why alone does not tell; no secret. A remedy's own is
	// in English only.
	Detail i18n.Text
}

func (r *Refusal) Error() string {
	if r.Detail.EN == "" {
		return "refused: " + string(r.Why)
	}
	return fmt.Sprintf("refused: %s: %s", r.Why, r.Detail.EN)
}

// Why names a refusal. Faces have a text for each, in every language.
type Why string

// The refusals.
const (
	WhyNotMember    Why = "not_member"     // a guest, a stranger, a bot, a deactivated account
	WhyElsewhere    Why = "elsewhere"      // an account of another workspace
	WhyNotEntitled  Why = "not_entitled"   // the policy names others
	WhyCannotTell   Why = "cannot_tell"    // the directory could not be asked, or does not tell who the person is
	WhyOwnRequest   Why = "own_request"    // the requester, or another account of the same person
	WhySamePerson   Why = "same_person"    // another account of somebody who has voted
	WhyNotPending   Why = "not_pending"    // decided, expired or superseded
	WhyOldCard      Why = "old_card"       // not the card that counts
	WhyUnseen       Why = "unseen"         // its plan could not be shown whole yet: Request.Card is empty
	WhyReactions    Why = "reactions"      // reactions do not count for this risk
	WhyReason       Why = "reason"         // a reason is required
	WhyFrozen       Why = "frozen"         // the kill switch or a freeze window holds
	WhyTooMany      Why = "too_many"       // the limit of requests an hour
	WhyUnderWay     Why = "under_way"      // there is an open request for the same target
	WhyChain        Why = "chain"          // the audit chain is broken and nobody has acknowledged that
	WhyNoRemedy     Why = "no_remedy"      // no such remedy, or none for this finding
	WhyParameters   Why = "parameters"     // missing or wrong parameters
	WhyPrecondition Why = "precondition"   // a precondition does not hold
	WhyHealthy      Why = "healthy"        // the finding is gone
	WhyBlind        Why = "blind"          // nobody could look, so nothing can be planned
	WhyNotYours     Why = "not_yours"      // only the requester cancels
	WhyNoBreakGlass Why = "no_break_glass" // breaking the glass is not configured for this
)
