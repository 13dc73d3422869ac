package approvals

import (
	"context"
	"slices"
)

// Member is the standing of an account that may ask and vote. Any other
// standing says what the account is instead, like guest or bot.
const Member = "member"

// Account is an account of the workspace, as the workspace tells it now.
type Account struct {
	ID       string // Slack's, like U0123
	Team     string // the workspace's id
	Name     string
	Email    string // never stored
	Standing string // Member, or what the account is instead
}

// Directory tells about accounts as they are at this moment: nothing that it
// says was remembered from before the call.
type Directory interface {
	// Account tells who an account is. An account that is not there has a
	// standing of its own; an error means that nobody could tell.
	Account(ctx context.Context, id string) (Account, error)
	// Member says whether an account is in a user group.
	Member(ctx context.Context, group, id string) (bool, error)
}

// Who are some people: user groups, and single accounts.
type Who struct {
	Groups []string `json:"groups,omitempty"` // ids, like S0123
	People []string `json:"people,omitempty"` // ids, like U0123
}

// Nobody says whether nobody is meant.
func (w Who) Nobody() bool { return len(w.Groups) == 0 && len(w.People) == 0 }

// Has says whether an account is among them. It asks the directory only when
// the account is not named itself.
func (w Who) Has(ctx context.Context, d Directory, id string) (bool, error) {
	if slices.Contains(w.People, id) {
		return true, nil
	}
	for _, group := range w.Groups {
		in, err := d.Member(ctx, group, id)
		if err != nil || in {
			return in, err
		}
	}
	return false, nil
}
