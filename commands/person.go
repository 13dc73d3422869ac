package commands

// Standing is what somebody is to the workspace. Only members may ask anything.
type Standing string

// The standings.
const (
	Member       Standing = "member"
	Guest        Standing = "guest"        // invited to some channels only
	Stranger     Standing = "stranger"     // of another organisation
	Automaton    Standing = "bot"          // an app, not a person
	Deactivated  Standing = "deactivated"  // an account that was switched off
	Unrecognised Standing = "unrecognised" // nobody says who it is
)

// Person is who asks, as the workspace tells it.
type Person struct {
	ID       string
	Team     string // the id of the workspace
	Name     string
	Zone     string // the time zone, like America/Sao_Paulo; may be empty
	Locale   string // like pt-BR; may be empty
	Standing Standing
}
