package remedies

import (
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	for name, tc := range map[string]struct{ a, b, want string }{
		"a line changed":    {"one\ntwo\nthree", "one\n2\nthree", "- two\n+ 2"},
		"a line more":       {"one\nthree", "one\ntwo\nthree", "+ two"},
		"a line less":       {"one\ntwo\nthree\n", "one\nthree", "- two"},
		"from nothing":      {"", "one", "- \n+ one"},
		"moved":             {"a\nb\nc", "c\na\nb", "+ c\n- c"},
		"white space alone": {"one  \r\ntwo", "\none\ntwo\n\n", "in white space alone"},
		"a mark of writing": {"one\u202e\x1b[2J", "one", "- one[2J\n+ one"},
		"too long":          {strings.Repeat("x\n", 3000) + "x", strings.Repeat("y\n", 3000) + "y", "- all of 3001 lines\n+ all of 3001 lines"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := difference(tc.a, tc.b); got != tc.want {
				t.Errorf("it is\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}
