package commands

import (
	"slices"
	"time"

	"tandem/diagnostics"
)

// Seen is what a check said the last time that it judged a service.
type Seen struct {
	Service string
	Ago     time.Duration
	Status  diagnostics.Status
	Summary diagnostics.Text
	Because []string // codes
}

// Seen returns what a check said last of each service, the latest first, as far
// as runs are remembered.
func (d *Desk) Seen(code string) []Seen {
	var all []Seen
	now := d.opts.Now()
	for _, r := range d.ended() {
		known := func(s Seen) bool { return s.Service == r.Service }
		report, err := r.Result()
		if err != nil || slices.ContainsFunc(all, known) {
			continue
		}
		for _, c := range report.Checks {
			if c.Code == code {
				all = append(all, Seen{Service: r.Service, Ago: now.Sub(report.At), Status: c.Status, Summary: c.Summary, Because: c.BecauseOf})
			}
		}
	}
	return all
}

// ended are the remembered runs that have ended, the latest first.
func (d *Desk) ended() []*Inquiry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var runs []*Inquiry
	for _, r := range slices.Backward(d.runs) {
		if r.Ended() {
			runs = append(runs, r)
		}
	}
	return runs
}
