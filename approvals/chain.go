package approvals

import (
	"context"
	"fmt"
)

// Chain is the audit chain as something to be checked. The store implements it.
type Chain interface {
	// Broken returns the first break that nobody has acknowledged, as far as it is
	// known: it does not read the chain. While there is one, Commit refuses to
	// insert a request and to begin an execution, with a *Refusal whose Why is
	// WhyChain; everything else goes on.
	Broken(ctx context.Context) (*Break, error)
	// Verify reads the whole chain, and the requests beside it, and returns the
	// first break that nobody has acknowledged. Broken returns it from then on.
	Verify(ctx context.Context) (*Break, error)
	// Acknowledge records that somebody knows of all breaks that there are, and
	// lets work go on behind them. Without any break it is a *Refusal.
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
	Number  int64     `json:"number"`            // of the entry
	To      int64     `json:"to,omitempty"`      // the last one that is missing
	Request string    `json:"request,omitempty"` // that the entry or the row is about, if that can be told
	Found   string    `json:"found,omitempty"`   // the hash of what is there instead
}

// String says it in a few words.
func (b Break) String() string {
	switch b.Kind {
	case BreakChanged:
		return fmt.Sprintf("entry %d was changed", b.Number)
	case BreakMissing:
		return fmt.Sprintf("entries %d to %d are missing", b.Number, b.To)
	case BreakInserted:
		return fmt.Sprintf("entry %d was put in between", b.Number)
	default:
		return fmt.Sprintf("request %s is not what entry %d says it became", b.Request, b.Number)
	}
}
