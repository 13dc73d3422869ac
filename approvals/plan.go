package approvals

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"tandem/i18n"
)

// Risk is how much a remedy can break.
type Risk string

// The risks.
const (
	Low    Risk = "low"
	Medium Risk = "medium"
	High   Risk = "high"
)

// Plan is all that a remedy would do, and why. People see it whole. No field
// holds a secret value.
type Plan struct {
	Remedy  string            `json:"remedy"`
	Service string            `json:"service"`
	Target  string            `json:"target"` // what is changed, like vault:secret/orchestrator/mongodb; one remedy at a time
	Params  map[string]string `json:"params,omitempty"`
	Risk    Risk              `json:"risk"`

	Does          i18n.Text      `json:"does"`  // in one sentence
	Calls         []Call         `json:"calls"` // in their order
	Why           []Evidence     `json:"why"`   // what was seen
	Basis         []Fact         `json:"basis"` // what the plan rests on, and must still be so when it runs
	Preconditions []Precondition `json:"preconditions"`
	Blast         i18n.Text      `json:"blast"`    // who feels it
	WayBack       i18n.Text      `json:"way_back"` // how to undo it, or that nobody can
	Proof         []string       `json:"proof"`    // codes of the checks that prove the repair; empty: that Execute ends well is the proof, as of a run of tests
}

// Call is one exact call that a remedy makes.
type Call struct {
	System string `json:"system"` // vault, kubernetes, spire
	What   string `json:"what"`   // like PUT /v1/secret/undelete/orchestrator/mongodb {"versions":[3]}
	ByHand string `json:"by_hand,omitempty"`
}

// Evidence is something that was seen.
type Evidence struct {
	Code       string    `json:"code,omitempty"` // of the check; empty: the remedy looked itself
	Invocation string    `json:"invocation,omitempty"`
	Observed   string    `json:"observed"`
	At         time.Time `json:"at"`
}

// Fact is one thing that must still be so when the plan runs.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Precondition is something that must hold, and whether it does.
type Precondition struct {
	Text     i18n.Text `json:"text"`
	Holds    bool      `json:"holds"`
	Observed string    `json:"observed,omitempty"`
}

// Unmet returns the first precondition that does not hold.
func (p Plan) Unmet() (Precondition, bool) {
	for _, c := range p.Preconditions {
		if !c.Holds {
			return c, true
		}
	}
	return Precondition{}, false
}

// Fingerprint is the same for two plans that would do the same, to the same
// thing, resting on the same facts. What was seen on the way and when is left
// out: it differs each time.
func (p Plan) Fingerprint() string {
	bound := struct {
		Remedy, Service, Target string
		Params                  map[string]string `json:",omitempty"` // none at all is the same as an empty one
		Risk                    Risk
		Calls                   []Call         `json:",omitempty"`
		Basis                   []Fact         `json:",omitempty"`
		Preconditions           []Precondition `json:",omitempty"`
		Proof                   []string       `json:",omitempty"`
	}{p.Remedy, p.Service, p.Target, p.Params, p.Risk, p.Calls, p.Basis, nil, p.Proof}
	for _, c := range p.Preconditions {
		bound.Preconditions = append(bound.Preconditions, Precondition{Text: c.Text, Holds: c.Holds})
	}
	raw, err := json.Marshal(bound)
	if err != nil { // strings and booleans only
		panic(fmt.Sprintf("marshal a plan: %v", err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
