package main

import (
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
	"tandem/config"
)

// policyOf is who may ask for remedies and who approves them, as the approvals
// know it.
func policyOf(c *config.Approvals) approvals.Policy {
	p := approvals.Policy{
		Risks: map[approvals.Risk]approvals.Rule{}, People: map[string]string{}, Remedies: map[string]approvals.Risk{},
		PerHour: c.RequestsPerHour, Frozen: c.Freeze, ApproveWith: c.Reactions.Approve, DenyWith: c.Reactions.Deny,
	}
	for risk, rule := range map[approvals.Risk]*config.RiskRule{
		approvals.Low: c.Risks.Low, approvals.Medium: c.Risks.Medium, approvals.High: c.Risks.High,
	} {
		if rule != nil {
			p.Risks[risk] = ruleOf(rule)
		}
	}
	for name, accounts := range c.People {
		for _, id := range accounts {
			p.People[string(id)] = name
		}
	}
	for remedy, risk := range c.RiskOf {
		p.Remedies[remedy] = approvals.Risk(risk)
	}
	for _, w := range c.Windows {
		p.Windows = append(p.Windows, windowOf(w))
	}
	if g := c.BreakGlass; g != nil {
		p.BreakGlass = &approvals.BreakGlass{Who: approvals.Who{Groups: g.Groups, People: g.People}, Channel: g.Channel}
		for _, risk := range g.Risks {
			p.BreakGlass.Risks = append(p.BreakGlass.Risks, approvals.Risk(risk))
		}
	}
	return p
}

func ruleOf(r *config.RiskRule) approvals.Rule {
	return approvals.Rule{
		Ask: approvals.Who(r.Ask), Approve: approvals.Who(r.Approve), Quorum: r.Quorum,
		Reactions: r.Reactions != nil && *r.Reactions, Reason: r.Reason, Patience: r.Expires,
	}
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// windowOf is a window whose times and zone the configuration has judged.
func windowOf(w config.Window) approvals.Window {
	window := approvals.Window{From: sinceMidnight(w.From), To: sinceMidnight(w.To), Reason: w.Reason}
	if zone, err := time.LoadLocation(w.Zone); err == nil {
		window.Zone = zone
	}
	for _, day := range w.Days {
		window.Days = append(window.Days, weekdays[day])
	}
	return window
}

// sinceMidnight reads a time of the day like 22:00.
func sinceMidnight(clock string) time.Duration {
	hour, minute, _ := strings.Cut(clock, ":")
	h, _ := strconv.Atoi(hour) // the configuration has judged both
	m, _ := strconv.Atoi(minute)
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}
