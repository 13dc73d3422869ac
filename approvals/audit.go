package approvals

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Deed is what an audit entry tells of.
type Deed string

// The deeds.
const (
	DeedAsked        Deed = "asked"
	DeedRefused      Deed = "refused" // an ask, a vote or a command that was refused, with why
	DeedVoted        Deed = "voted"
	DeedWithdrawn    Deed = "withdrawn"
	DeedState        Deed = "state" // a change of state that nobody's vote made
	DeedJudged       Deed = "judged"
	DeedCalling      Deed = "calling" // about to make a call, under an identity
	DeedCalled       Deed = "called"  // with the result
	DeedThrough      Deed = "through" // all calls are made; what remains is the proof
	DeedProved       Deed = "proved"  // before and after
	DeedFroze        Deed = "froze"
	DeedUnfroze      Deed = "unfroze"
	DeedAcknowledged Deed = "acknowledged" // that the chain is broken, and where
)

// Note is what an audit entry says. The store gives it its place in the chain.
type Note struct {
	At      time.Time         `json:"at"`
	Request string            `json:"request,omitempty"`
	Deed    Deed              `json:"deed"`
	Actor   string            `json:"actor,omitempty"` // an account, terminal:NAME, or empty for the bot itself
	Via     string            `json:"via,omitempty"`   // how the actor came: button, reaction, command, terminal; channel kept apart
	Channel string            `json:"channel,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"` // no secret; keys are sorted in the chain

	// The store fills in what the request became by the change that the note came
	// with; both are empty when the change did not touch it.
	State State  `json:"state,omitempty"`
	Row   string `json:"row,omitempty"` // the hash of the whole request, as stored
}

// Entry is a note in the chain.
type Entry struct {
	Note
	Number int64  `json:"number"` // from 1, without gaps
	Before string `json:"before"` // the hash of the entry before; of the first: zeros
	Hash   string `json:"hash"`   // over Before, Number and the note
}

// Genesis is the hash before the first entry.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// Detail keys of notes. Faces write the thread from them.
const (
	KeyRemedy      = "remedy"      // asked
	KeyService     = "service"     // asked
	KeyTarget      = "target"      // asked, froze, unfroze
	KeyCheck       = "check"       // asked, when a finding was named
	KeyRisk        = "risk"        // asked
	KeyFingerprint = "fingerprint" // asked, judged
	KeyJoined      = "joined"      // asked: "true" when somebody else had asked for the same already
	KeyGlass       = "broke_glass" // asked: "true"
	KeyReviews     = "reviews"     // asked: the request whose broken glass this one reviews
	KeyReplaces    = "replaces"    // asked: the request that this one stands for
	KeyReplacedBy  = "replaced_by" // state superseded: the request that stands for it now
	KeyReason      = "reason"      // the actor's words; of a state: why it ended so
	KeyChoice      = "choice"      // voted, withdrawn, refused votes
	KeyApprovals   = "approvals"   // voted, withdrawn: how many approve now
	KeyQuorum      = "quorum"      // asked, voted: how many are needed
	KeyWhat        = "what"        // refused: ask, vote, cancel, freeze, unfreeze
	KeyWhy         = "why"         // refused: a Why
	KeyDetail      = "detail"      // refused: the refusal's detail
	KeyWaits       = "waits"       // state approved: why it is not carried out yet
	KeyApprovers   = "approvers"   // judged: the accounts, separated by commas
	KeyExecutor    = "executor"    // judged and executing: the replica
	KeyAttempt     = "attempt"     // executing: from 1
	KeyStep        = "step"        // calling, called: from 1
	KeyCall        = "call"        // calling, called
	KeyIdentity    = "identity"    // calling, called
	KeyResult      = "result"      // called
	KeyFailed      = "failed"      // called: "true"
	KeyBefore      = "before."     // proved: with the code of a check: how it ended before, like "fail: …"
	KeyAfter       = "after."      // proved: the same, after
)

// Seal puts a note behind an entry of that hash.
func Seal(n Note, number int64, before string) Entry {
	n.At = n.At.UTC().Truncate(time.Millisecond)
	return Entry{Note: n, Number: number, Before: before, Hash: hashOf(n, number, before)}
}

// Intact says whether the entry is what was sealed, behind an entry of that hash.
func (e Entry) Intact(before string) bool {
	return e.Before == before && e.Hash == hashOf(e.Note, e.Number, e.Before)
}

func hashOf(n Note, number int64, before string) string {
	raw, err := json.Marshal(n) // maps are written in the order of their keys
	if err != nil {
		panic(fmt.Sprintf("marshal an audit entry: %v", err))
	}
	sum := sha256.New()
	sum.Write([]byte(before + "\n" + strconv.FormatInt(number, 10) + "\n"))
	sum.Write(raw)
	return hex.EncodeToString(sum.Sum(nil))
}
