package remedies

import "tandem/approvals"

// fact is what the plan rests on under a name. It is how Execute learns what Plan
// saw: the parameters of a plan are only what was asked for.
func fact(p approvals.Plan, name string) string {
	for _, f := range p.Basis {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// saw are the findings that offer the remedy, as evidence.
func (d Deps) saw(want approvals.Want) []approvals.Evidence {
	var all []approvals.Evidence
	for _, o := range want.Seen {
		all = append(all, approvals.Evidence{Code: o.Code, Invocation: o.Command, Observed: o.Summary.EN, At: d.Now()})
	}
	return all
}

// proof are the checks whose passing proves the repair: those that offer the
// remedy, and some more, each once.
func proof(want approvals.Want, more ...string) []string {
	var codes []string
	seen := map[string]bool{}
	for _, o := range want.Seen {
		more = append(more, o.Code)
	}
	for _, code := range more {
		if !seen[code] {
			seen[code], codes = true, append(codes, code)
		}
	}
	return codes
}
