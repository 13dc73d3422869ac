package approvals

import "slices"

// State is where a request is.
type State string

// The states.
const (
	Pending     State = "pending"     // waits for votes
	Approved    State = "approved"    // waits for its execution
	Executing   State = "executing"   // is being carried out
	Verified    State = "verified"    // carried out, and the checks pass
	Unverified  State = "unverified"  // carried out, and the checks do not pass
	Failed      State = "failed"      // not, or not wholly, carried out
	Interrupted State = "interrupted" // a crash left it open: a person has to look
	Denied      State = "denied"      // somebody entitled said no
	Expired     State = "expired"     // nobody decided in time, or it could not run in time
	Cancelled   State = "cancelled"   // the requester took it back
	Reviewed    State = "reviewed"    // of a review of broken glass: somebody else has looked at what was done
	Superseded  State = "superseded"  // the world or the approvers changed; a new request stands for it
)

// ways are all changes of state that there are.
var ways = map[State][]State{
	Pending:   {Approved, Denied, Expired, Cancelled, Superseded, Reviewed},
	Approved:  {Executing, Expired, Cancelled, Superseded},
	Executing: {Verified, Unverified, Failed, Interrupted},
}

// Leads says whether a request may go from one state to another.
func (s State) Leads(to State) bool { return slices.Contains(ways[s], to) }

// Ended says whether nothing follows any more. No state at all is none that ended.
func (s State) Ended() bool { return s != "" && len(ways[s]) == 0 }

// Open are the states in which a request keeps others from its target.
func Open() []State { return []State{Pending, Approved, Executing} }
