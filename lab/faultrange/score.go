package faultrange

import (
	"slices"

	"tandem/diagnostics"
	"tandem/lab/faults"
)

// Score says how right a verdict is.
type Score struct {
	First   bool // the first cause that is named is one of the right ones; of the others: the verdict is right
	Among   bool // every right cause is named
	Wrong   bool // a cause is named that is none
	Healthy bool // the service is broken, or nobody can tell, and is called healthy
	Broken  bool // the service is well, or nobody can tell, and is called broken
}

// Right says that nothing is to be said against the verdict.
func (s Score) Right() bool { return s.First && s.Among && !s.Wrong && !s.Healthy && !s.Broken }

// Score holds what was given against what is right.
func (r Result) Score() Score {
	s := Score{Healthy: r.Fault.Status != diagnostics.Pass && r.Given == diagnostics.Pass}
	switch r.Fault.Status {
	case diagnostics.Pass:
		s.First = r.Given == diagnostics.Pass
		s.Among, s.Broken, s.Wrong = s.First, r.Given == diagnostics.Fail, len(r.Causes) > 0
	case diagnostics.Unknown:
		s.First = r.Given == diagnostics.Unknown
		s.Among = s.First && holdsAll(r.Unseen, r.Fault.Codes)
		s.Broken, s.Wrong = r.Given == diagnostics.Fail, len(r.Causes) > 0
	default:
		s.First = r.Given == r.Fault.Status && len(r.Causes) > 0 && slices.Contains(r.Fault.Codes, r.Causes[0])
		s.Among = holdsAll(r.Causes, r.Fault.Codes)
		s.Wrong = !holdsAll(r.Fault.Codes, r.Causes)
	}
	return s
}

func holdsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// kind is what a fault counts as.
func kind(f faults.Fault) string {
	switch {
	case f.Status == diagnostics.Unknown:
		return "nobody can tell"
	case f.Status == diagnostics.Pass:
		return "healthy"
	case len(f.Parts) > 0:
		return "several at once"
	default:
		return "one cause"
	}
}
