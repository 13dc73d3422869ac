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
		c.Fixes = visibleFixes(c.Fixes)
	}
	for i := range v.Checks {
		c := &v.Checks[i]
		c.Title, c.Summary = visible(c.Title), visible(c.Summary)
		c.Fixes = visibleFixes(c.Fixes)
		for j := range c.Evidence {
			e := &c.Evidence[j]
			e.Invocation, e.Observed = visible(e.Invocation), visible(e.Observed)
		}
	}
	return v
}

// visibleFixes copies the fixes: a report is shared by those who read it.
func visibleFixes(fixes []diagnostics.Fix) []diagnostics.Fix {
	var all []diagnostics.Fix
	for _, f := range fixes {
		params := make(map[string]string, len(f.Params))
		for name, value := range f.Params {
			params[name] = visible(value)
		}
		all = append(all, diagnostics.Fix{Remedy: f.Remedy, Params: params})
	}
	return all
}
