package commands

import (
	"strings"
	"unicode"

	"tandem/diagnostics"
)

// visible takes out of a text what cannot be seen but can deceive: escape
// sequences, control characters, and marks that turn the direction of writing.
// Lines and tabs stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.Is(unicode.C, r) && r != '\u2028' && r != '\u2029' {
			return r
		}
		return -1
	}, text)
}

// visibleView makes every text of a view visible: much of it comes from outside.
func visibleView(v diagnostics.View) diagnostics.View {
	v.Target, v.Verdict.Headline = visible(v.Target), visible(v.Verdict.Headline)
	for i := range v.Verdict.Causes {
		c := &v.Verdict.Causes[i]
		c.Title, c.Remedy = visible(c.Title), visible(c.Remedy)
	}
	for i := range v.Checks {
		c := &v.Checks[i]
		c.Title, c.Summary = visible(c.Title), visible(c.Summary)
		for j := range c.Evidence {
			e := &c.Evidence[j]
			e.Invocation, e.Observed = visible(e.Invocation), visible(e.Observed)
		}
	}
	return v
}
