package approvals

import "context"

// Chain is the audit chain as something to be checked. The store implements it.
type Chain interface {
	// Verify reads the whole chain, and the requests beside it, and returns the
	// first break that nobody has acknowledged. Store.Broken returns it from then on.
	Verify(ctx context.Context) (*Break, error)
	// Acknowledge records that somebody knows of all breaks that there are, and
	// lets work go on behind them. Without any break it is ErrWhole.
	Acknowledge(ctx context.Context, who, reason string) (Entry, error)
}

// BreakKind is what is wrong at a break.
type BreakKind string

// The kinds of breaks.
const (
	BreakChanged  BreakKind = "changed"  // the entry is not what was sealed
	BreakMissing  BreakKind = "missing"  // entries from Number to To are not there
	BreakInserted BreakKind = "inserted" // the entry does not follow from the one before it, or from the head
	BreakRow      BreakKind = "row"      // the request is not what the entry says that it became
)

// Break is a place at which the audit chain, or a request beside it, is not
// what was written.
type Break struct {
	Kind    BreakKind `json:"kind"`
	Number  int64     `json:"number"`            // of the first entry that is not as it was sealed, or is missing
	To      int64     `json:"to,omitempty"`      // the last one that is missing, or of neighbours that were changed
	Request string    `json:"request,omitempty"` // that the entry or the row is about, if that can be told
	Found   string    `json:"found,omitempty"`   // the hash of what is there instead
	What    string    `json:"what"`              // in English, like "entry 7 was changed"
}
