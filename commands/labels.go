package commands

import (
	"strings"
	"time"

	"tandem/diagnostics"
)

// Status returns the label of a status, like "failing".
func (w Words) Status(s diagnostics.Status) string {
	switch s {
	case diagnostics.Pass:
		return w.Say("status_pass")
	case diagnostics.Warn:
		return w.Say("status_warn")
	case diagnostics.Fail:
		return w.Say("status_fail")
	case diagnostics.Skipped:
		return w.Say("status_skipped")
	default:
		return w.Say("status_unknown")
	}
}

// Reason says why a probe could not look, like "no answer in time".
func (w Words) Reason(r diagnostics.Reason) string {
	switch r {
	case diagnostics.ReasonTimeout:
		return w.Say("reason_timeout")
	case diagnostics.ReasonUnreachable:
		return w.Say("reason_unreachable")
	case diagnostics.ReasonDenied:
		return w.Say("reason_denied")
	case diagnostics.ReasonThrottled:
		return w.Say("reason_throttled")
	case diagnostics.ReasonUnavailable:
		return w.Say("reason_unavailable")
	case diagnostics.ReasonGarbage:
		return w.Say("reason_garbage")
	case diagnostics.ReasonNoData:
		return w.Say("reason_no_data")
	case diagnostics.ReasonWarning:
		return w.Say("reason_warning")
	case diagnostics.ReasonNotConfigured:
		return w.Say("reason_not_configured")
	case diagnostics.ReasonGate:
		return w.Say("reason_gate")
	case diagnostics.ReasonPanic:
		return w.Say("reason_panic")
	default:
		return w.Say("reason_error")
	}
}

// BecauseOf says which checks explain another one.
func (w Words) BecauseOf(codes []string) string {
	if len(codes) == 0 {
		return ""
	}
	return w.Say("because_of", "Codes", strings.Join(codes, ", "))
}

// Took says how long something took, rounded to what a person can feel.
func (w Words) Took(d time.Duration) string { return w.Say("took", "Took", Short(d)) }

// Progress says how far a diagnosis has come.
func (w Words) Progress(service string, p Progress) string {
	if p.Total == 0 {
		return w.Say("progress_start", "Service", service)
	}
	return w.Say("progress", "Service", service, "Done", p.Done, "Total", p.Total)
}

// CutOff says that a diagnosis was cut off because the bot stops.
func (w Words) CutOff(service string) string { return w.Say("cut_off", "Service", service) }

// Short writes a duration as people do: 30m, 1h30m, 1.2s, 40ms.
func Short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	s := d.Round(time.Second).String()
	s = strings.TrimSuffix(s, "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
