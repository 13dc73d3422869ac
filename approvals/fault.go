package approvals

// Fault is a place in the flow at which a test may end the process. In a build
// without the tag faultpoints there are none.
type Fault string

// The faults, in the order of the flow.
const (
	FaultBeforeCommit   Fault = "before-commit" // of anything
	FaultAfterCommit    Fault = "after-commit"
	FaultAsked          Fault = "asked"
	FaultBeforeShow     Fault = "before-show"
	FaultShown          Fault = "shown" // in the face, and not yet in the store
	FaultVoted          Fault = "voted"
	FaultLocked         Fault = "locked" // the target, for an execution
	FaultPlanned        Fault = "planned-again"
	FaultJudged         Fault = "judged-again"
	FaultBegan          Fault = "began"
	FaultCallRecorded   Fault = "call-recorded" // and not made
	FaultCallMade       Fault = "call-made"     // and its result not recorded
	FaultResultRecorded Fault = "result-recorded"
	FaultExecuted       Fault = "executed"
	FaultThrough        Fault = "through"
	FaultProved         Fault = "proved" // and the end not recorded
	FaultFinished       Fault = "finished"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{
		FaultBeforeCommit, FaultAfterCommit, FaultAsked, FaultBeforeShow, FaultShown, FaultVoted,
		FaultLocked, FaultPlanned, FaultJudged, FaultBegan, FaultCallRecorded, FaultCallMade, FaultResultRecorded,
		FaultExecuted, FaultThrough, FaultProved, FaultFinished,
	}
}
