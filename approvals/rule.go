package approvals

import (
	"cmp"
	"slices"
	"time"
)

// Defaults of a policy.
const (
	defaultPatience = 30 * time.Minute
	defaultPerHour  = 20
	reviewPatience  = 7 * 24 * time.Hour
)

// risk is how the operator sees a plan.
func (p Policy) risk(remedy Remedy, plan Plan) Risk {
	return cmp.Or(p.Remedies[remedy.Name], plan.Risk, remedy.Risk)
}

// terms are what a request of a risk is judged by.
func (p Policy) terms(risk Risk) Terms {
	rule := p.Risks[risk]
	return Terms{
		Approvers: rule.Approve,
		Quorum:    max(1, rule.Quorum),
		Reactions: rule.Reactions,
		Reason:    rule.Reason,
		Patience:  cmp.Or(rule.Patience, defaultPatience),
	}
}

// highest is the highest risk that the policy allows.
func (p Policy) highest() Rule {
	for _, risk := range []Risk{High, Medium, Low} {
		if rule, ok := p.Risks[risk]; ok && !rule.Approve.Nobody() {
			return rule
		}
	}
	return Rule{}
}

// mayBreakGlass says whether the policy lets a risk's glass be broken at all.
func (p Policy) mayBreakGlass(risk Risk) bool {
	return p.BreakGlass != nil && !p.BreakGlass.Who.Nobody() && slices.Contains(p.BreakGlass.Risks, risk)
}

// Holds says whether a time is in the window.
func (w Window) Holds(at time.Time) bool {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	at = at.In(zone)
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second
	if w.From < w.To {
		return w.on(at.Weekday()) && w.From <= since && since < w.To
	}
	yesterday := (at.Weekday() + 6) % 7
	return w.on(at.Weekday()) && since >= w.From || w.on(yesterday) && since < w.To
}

func (w Window) on(day time.Weekday) bool { return len(w.Days) == 0 || slices.Contains(w.Days, day) }
