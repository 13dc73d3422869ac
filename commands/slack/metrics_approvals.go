package slack

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/approvals"
)

// ApprovalMetrics count what becomes of requests. Every label has few values,
// whatever people write.
type ApprovalMetrics struct {
	requests   *prometheus.CounterVec
	votes      *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	freezes    *prometheus.CounterVec
	executions *prometheus.CounterVec
	decided    *prometheus.HistogramVec
	executed   *prometheus.HistogramVec
}

// NewApprovalMetrics registers the metrics of approvals. Give its Told to
// approvals.Options.
func NewApprovalMetrics(registry prometheus.Registerer) (*ApprovalMetrics, error) {
	m := &ApprovalMetrics{
		requests:   counters("tandem_requests_total", "Requests for remedies that came into a state, by their risk.", "state", "risk"),
		votes:      counters("tandem_votes_total", "Votes by choice and outcome: counted, withdrawn, or why they were refused.", "choice", "outcome"),
		refusals:   counters("tandem_approvals_refused_total", "What the approvals refused beside votes, and why.", "what", "why"),
		freezes:    counters("tandem_freezes_total", "How often the kill switch was pulled and let go.", "change"),
		executions: counters("tandem_executions_total", "Remedies that were carried out, by how that ended.", "remedy", "result"),
		decided:    histograms("tandem_decision_seconds", "Time from an ask to its decision.", decisionBuckets(), "state"),
		executed:   histograms("tandem_execution_seconds", "Time from the begin of an execution to its end, the proof included.", longBuckets(), "result"),
	}
	for _, c := range []prometheus.Collector{m.requests, m.votes, m.refusals, m.freezes, m.executions, m.decided, m.executed} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of approvals: %w", err)
		}
	}
	return m, nil
}

// decisionBuckets are for what people decide, up to a week.
func decisionBuckets() []float64 {
	return []float64{5, 15, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}
}

// Told counts a change that was committed.
func (m *ApprovalMetrics) Told(c approvals.Change) {
	for _, n := range c.Notes {
		m.note(n, changed(c, n.Request))
	}
}

// changed is the request that a change brought into what it is; nil for none.
func changed(c approvals.Change, id string) *approvals.Request {
	for _, r := range []*approvals.Request{c.Request, c.Also} {
		if r != nil && r.ID == id {
			return r
		}
	}
	return nil
}

func (m *ApprovalMetrics) note(n approvals.Note, r *approvals.Request) {
	choice := choiceLabel(n.Detail[approvals.KeyChoice])
	switch n.Deed {
	case approvals.DeedVoted:
		m.votes.WithLabelValues(choice, "counted").Inc()
		if r != nil && r.State != approvals.Pending {
			m.came(*r)
		}
	case approvals.DeedWithdrawn:
		m.votes.WithLabelValues(choice, "withdrawn").Inc()
	case approvals.DeedRefused:
		m.refused(n, choice)
	case approvals.DeedFroze, approvals.DeedUnfroze:
		m.freezes.WithLabelValues(string(n.Deed)).Inc()
	case approvals.DeedAsked, approvals.DeedState:
		if r != nil && n.Detail[approvals.KeyAttempt] <= "1" { // one that is taken over is in its state already
			m.came(*r)
		}
	}
}

func (m *ApprovalMetrics) refused(n approvals.Note, choice string) {
	why := whyLabel(approvals.Why(n.Detail[approvals.KeyWhy]))
	if n.Detail[approvals.KeyWhat] == "vote" {
		m.votes.WithLabelValues(choice, why).Inc()
		return
	}
	m.refusals.WithLabelValues(whatLabel(n.Detail[approvals.KeyWhat]), why).Inc()
}

// came counts a request that came into its state.
func (m *ApprovalMetrics) came(r approvals.Request) {
	m.requests.WithLabelValues(string(r.State), string(r.Plan.Risk)).Inc()
	switch r.State {
	case approvals.Approved, approvals.Denied, approvals.Reviewed:
		m.decided.WithLabelValues(string(r.State)).Observe(r.Decided.Sub(r.Asked).Seconds())
	case approvals.Verified, approvals.Unverified, approvals.Failed, approvals.Interrupted:
		m.executions.WithLabelValues(r.Plan.Remedy, string(r.State)).Inc()
		m.executed.WithLabelValues(string(r.State)).Observe(r.Ended.Sub(r.Run.Began).Seconds())
	}
}

const otherLabel = "other"

func choiceLabel(choice string) string {
	return oneOfLabels(choice, string(approvals.Approve), string(approvals.Deny))
}

func whatLabel(what string) string { return oneOfLabels(what, "ask", "cancel", "freeze", "unfreeze") }

// whyLabel is a reason that the approvals have today.
func whyLabel(why approvals.Why) string {
	return oneOfLabels(string(why),
		string(approvals.WhyNotMember), string(approvals.WhyElsewhere), string(approvals.WhyNotEntitled), string(approvals.WhyCannotTell),
		string(approvals.WhyOwnRequest), string(approvals.WhySamePerson), string(approvals.WhyNotPending), string(approvals.WhyOldCard),
		string(approvals.WhyUnseen), string(approvals.WhyReactions), string(approvals.WhyReason), string(approvals.WhyFrozen),
		string(approvals.WhyTooMany), string(approvals.WhyUnderWay), string(approvals.WhyChain), string(approvals.WhyNoRemedy),
		string(approvals.WhyParameters), string(approvals.WhyPrecondition), string(approvals.WhyHealthy), string(approvals.WhyBlind),
		string(approvals.WhyNotYours), string(approvals.WhyNoBreakGlass))
}

func oneOfLabels(label string, known ...string) string {
	if slices.Contains(known, label) {
		return label
	}
	return otherLabel
}
