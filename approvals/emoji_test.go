package approvals

import "testing"

func TestChoiceOf(t *testing.T) {
	own := Policy{ApproveWith: []string{"rocket", "ship"}}
	for _, c := range []struct {
		policy Policy
		emoji  string
		want   Choice
	}{
		{Policy{}, "white_check_mark", Approve},
		{Policy{}, "x", Deny},
		{Policy{}, "eyes", ""},
		{Policy{}, "", ""},
		{own, "ship", Approve},
		{own, "white_check_mark", ""},
		{own, "x", Deny},
	} {
		if got, ok := c.policy.ChoiceOf(c.emoji); got != c.want || ok != (c.want != "") {
			t.Errorf("%v %s: %q, %v, want %q", c.policy, c.emoji, got, ok, c.want)
		}
	}
}
