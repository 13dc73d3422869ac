package diagnostics

import (
	"fmt"
	"slices"
	"strings"
)

// conclude sets each result among the others: what explains it, what the
// causes are, and the verdict. Results are in the order of the chain.
func conclude(service string, checks []*Check, results []Result) Verdict {
	g := chain{needs: map[string][]string{}, status: map[string]Status{}, because: map[string][]string{}}
	for i, r := range results {
		g.needs[r.Code], g.status[r.Code] = checks[i].Needs, r.Status
	}
	for i := range results {
		code := results[i].Code
		g.because[code] = g.explain(code)
		results[i].BecauseOf = g.because[code]
		results[i].skipExplained()
		g.status[code] = results[i].Status
	}
	status := overall(results)
	v := Verdict{Status: status}
	if status == Fail || status == Warn {
		for _, r := range results {
			if r.Status == status && len(r.BecauseOf) == 0 {
				v.Causes = append(v.Causes, Cause{Code: r.Code, Title: r.Title, Remedy: r.Remedy, Fixes: r.Fixes})
			}
		}
	}
	v.Headline = headline(service, v, results)
	return v
}

// skipExplained turns unknown into skipped when the facts were seen, held
// nothing to judge, and a failing check says why. What nobody could see stays
// unknown.
func (r *Result) skipExplained() {
	if r.Status == Unknown && r.Blind == nil && len(r.BecauseOf) > 0 {
		r.Status = Skipped
	}
}

// chain is the graph of needs with what each check came to.
type chain struct {
	needs   map[string][]string
	status  map[string]Status
	because map[string][]string // of the checks before this one
}

// explain lists the causes behind a check that does not pass: the failing
// checks it depends on, traced back to those that nothing explains. A passing
// check in between cuts the path: what works does not carry a failure on.
func (g chain) explain(code string) []string {
	if g.status[code] == Pass {
		return nil
	}
	var causes []string
	seen := map[string]bool{}
	var walk func(from string)
	walk = func(from string) {
		for _, need := range g.needs[from] {
			if seen[need] {
				continue
			}
			seen[need] = true
			switch {
			case g.status[need] == Pass:
			case !g.fails(need, code):
				walk(need)
			case len(g.because[need]) > 0:
				causes = union(causes, g.because[need]...)
			default:
				causes = union(causes, need)
			}
		}
	}
	walk(code)
	return causes
}

// fails says whether need can explain that code does not pass. A warning
// explains a warning, but never a failure.
func (g chain) fails(need, code string) bool {
	return g.status[need] == Fail || g.status[need] == Warn && g.status[code] == Warn
}

// overall is a failure if one was seen, else unknown if anything could not be
// seen: neither a pass nor a warning says how what nobody saw is. A diagnosis
// without any check is unknown.
func overall(results []Result) Status {
	for _, status := range []Status{Fail, Unknown, Warn} {
		if slices.ContainsFunc(results, func(r Result) bool { return r.Status == status }) {
			return status
		}
	}
	if !slices.ContainsFunc(results, func(r Result) bool { return r.Status == Pass }) {
		return Unknown
	}
	return Pass
}

func headline(service string, v Verdict, results []Result) Text {
	unseen := count(results, Unknown)
	var t Text
	switch v.Status {
	case Fail:
		t = causesText(v, results, Text{EN: service + " fails: ", PT: service + " falha: "})
	case Warn:
		t = causesText(v, results, Text{EN: service + " works, with a warning: ", PT: service + " funciona, com um aviso: "})
	case Unknown:
		return Text{
			EN: fmt.Sprintf("%s: cannot tell, %d of %d checks could not look", service, unseen, len(results)),
			PT: fmt.Sprintf("%s: não dá para dizer, %d de %d verificações não puderam ser feitas", service, unseen, len(results)),
		}
	default:
		return Text{
			EN: fmt.Sprintf("%s is healthy: %s passed", service, plural(count(results, Pass), "check", "checks")),
			PT: fmt.Sprintf("%s está saudável: ok em %s", service, plural(count(results, Pass), "verificação", "verificações")),
		}
	}
	if unseen > 0 {
		t.EN += fmt.Sprintf(" (%d not seen)", unseen)
		t.PT += fmt.Sprintf(" (%d não verificadas)", unseen)
	}
	return t
}

// causesText says what was seen at each cause; its title says what should be.
func causesText(v Verdict, results []Result, begin Text) Text {
	var en, pt []string
	for _, r := range results {
		if slices.ContainsFunc(v.Causes, func(c Cause) bool { return c.Code == r.Code }) {
			en, pt = append(en, r.Summary.EN), append(pt, r.Summary.PT)
		}
	}
	return Text{EN: begin.EN + strings.Join(en, "; "), PT: begin.PT + strings.Join(pt, "; ")}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func count(results []Result, status Status) int {
	n := 0
	for _, r := range results {
		if r.Status == status {
			n++
		}
	}
	return n
}
