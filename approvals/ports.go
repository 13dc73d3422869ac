package approvals

import (
	"context"
	"time"

	"tandem/i18n"
)

// Store keeps requests, the audit chain, freezes and jobs in one database. What
// Commit returned without an error is durable.
type Store interface {
	// Commit writes a change in one transaction. ErrConflict: the request was
	// changed since it was read, nothing is written. ErrUnsure: it may be written
	// or not. It returns the last entry of the chain.
	Commit(ctx context.Context, c Change) (Entry, error)
	// Request reads one request, with its card. ErrNotFound.
	Request(ctx context.Context, id string) (Request, error)
	// Requests lists requests, the latest first.
	Requests(ctx context.Context, f Filter) ([]Request, error)
	// Trail reads audit entries in their order.
	Trail(ctx context.Context, f TrailFilter) ([]Entry, error)
	// Freezes lists the freezes that hold.
	Freezes(ctx context.Context) ([]Freeze, error)
	// Broken tells where the audit chain is broken, if it is and nobody has
	// acknowledged that. It is asked before each ask and each execution, so it
	// answers from what the last verification found.
	Broken(ctx context.Context) (*Break, error)
}

// Leases are names that one replica holds for a while: the target of an
// execution, the card that is being shown.
type Leases interface {
	// Hold takes or prolongs a lease, and says whether the owner has it now.
	Hold(ctx context.Context, name, owner string, until time.Time) (bool, error)
	// Release lets go of a lease, if the owner has it.
	Release(ctx context.Context, name, owner string) error
}

// Change is what one transaction writes. Any part may be missing.
type Change struct {
	// Request as it shall be. Its Version is the one that it was read with; the
	// store raises it by one in what it writes, not in what it is given. 0 inserts.
	// There is at most one open request for a target: inserting another is
	// ErrConflict. At least one of the Notes is about it.
	Request *Request
	// Also is a second request, written like the first: one that takes the place
	// of the first, or the review of its broken glass.
	Also *Request
	// Card replaces the card of a request, whatever its version.
	Card *CardChange
	// Freeze and Unfreeze (a target) change the freezes.
	Freeze   *Freeze
	Unfreeze string
	Notes    []Note
	Jobs     []Job
}

// CardChange is where a request is shown now.
type CardChange struct {
	Request string
	Card    Card
}

// Filter narrows a list of requests. Zero fields narrow nothing.
type Filter struct {
	States    []State
	Requester string
	Target    string
	Service   string
	Channel   string
	Card      string    // ts of the message that shows it now; with Channel
	Since     time.Time // asked at or after
	Behind    bool      // only those that have no card yet, or whose card has not shown their last audit entry
	Limit     int       // zero: 50
}

// TrailFilter narrows a list of audit entries.
type TrailFilter struct {
	Request string // empty: all
	After   int64  // entries with a higher number
	Limit   int    // zero: all
}

// JobKind is what a job does.
type JobKind string

// The kinds. Each reads the request and does what its row says is to be done:
// a job that comes twice, late or not at all changes nothing but the time.
const (
	JobShow    JobKind = "show"    // bring the card and the thread up to the row and the trail
	JobExecute JobKind = "execute" // carry out what is approved
	JobExpire  JobKind = "expire"  // end what nobody decided in time
)

// Job is work to be done at a time, by any replica.
type Job struct {
	Kind    JobKind
	Request string
	At      time.Time // zero: now
}

// Worker does jobs. The store's runner calls it.
type Worker interface {
	// Work does one job. An error has it done again, later.
	Work(ctx context.Context, j Job) error
	// Sweep finds what a lost job or a dead replica left behind. One replica is
	// asked to, every few seconds.
	Sweep(ctx context.Context) error
}

// Face shows requests to people.
type Face interface {
	// Show brings the card and its thread up to date: it posts the card if there
	// is none or somebody deleted it, edits it otherwise, and tells the entries
	// after Card.Shown in the thread. It returns where the card is now: of a new
	// card at once, so that votes on it count, and is called again then. It is
	// called again after a crash, too, and must not repeat what it told. Whoever can
	// see the card can read the whole plan there: where that fails, Show fails,
	// and since the request has no card then, no vote on it counts.
	Show(ctx context.Context, r Request, trail []Entry) (Card, error)
	// Say tells a line of output in the thread of a request.
	Say(ctx context.Context, r Request, line i18n.Text) error
	// Refused tells whoever reacted, and nobody else, why that does not count: of
	// reactions that were found by Votes nobody else answers.
	Refused(ctx context.Context, r Request, account string, why *Refusal)
	// Votes reads the reactions that stand on the card now, as choices by
	// account. It is how reactions that were missed are found. ErrNoCard says that
	// somebody deleted the card: show the request again.
	Votes(ctx context.Context, r Request) (map[string][]Choice, error)
}
