// Package guide is the runbook's guide to logs and metrics: which events and
// series a person on call looks at, how each is read rightly, and what was
// found of them. It is data and judgement; package probes asks the systems, and
// package commands says it to people.
//
// Nothing here can hold a secret: of a log line there is a closed list of
// fields, each redacted before it comes here.
package guide

import (
	"strings"
	"time"

	"tandem/diagnostics"
)

// Line is what may be known of a log line. Its texts are redacted and cut.
type Line struct {
	At        time.Time
	Service   string // whose log it is from
	Pod       string // empty when not known
	Event     string // empty for a line without one
	Level     string // in lower case
	RequestID string
	PlanID    string
	Text      string // its other fields that say something, like reason=expired
}

// Failed says whether the line tells of a failure: by its level, or by the event
// that it is.
func (l Line) Failed() bool {
	switch l.Level {
	case "error", "critical", "fatal":
		return true
	}
	return kindOf(l.Event) == Failure
}

// FailureLevels are the levels of lines that tell of a failure.
func FailureLevels() []string { return []string{"error", "critical", "fatal"} }

// Kind is what an event tells by being there.
type Kind int

// The kinds.
const (
	Other   Kind = iota // nothing by itself
	Sign                // of life: that something worked
	Warning             // that something will fail unless somebody acts
	Failure             // that something failed
)

// Event is one of the runbook's events.
type Event struct {
	Name string
	Kind Kind
	Note diagnostics.Text // how it is misread; zero when there is no trap
	// NoteAbsent says that the note is about the event's absence; otherwise it is
	// about its presence.
	NoteAbsent bool
}

// Events are those that a person looks at first, in the runbook's order.
func Events() []Event {
	sign := func(name string) Event { return Event{Name: name, Kind: Sign} }
	failure := func(name string) Event { return Event{Name: name, Kind: Failure} }
	return []Event{
		sign("vault_integration_initialized"),
		{Name: "jwt_svid_attached", Kind: Sign, NoteAbsent: true, Note: diagnostics.Both(
			"only the orchestrator logs jwt_svid_attached, and at debug level: that it is absent proves nothing. The worker's is jwt_svid_added_to_metadata",
			"só o orchestrator registra jwt_svid_attached, e no nível debug: a ausência não prova nada. O do worker é jwt_svid_added_to_metadata")},
		sign("jwt_svid_added_to_metadata"),
		{Name: "vault_token_renewed_successfully", Kind: Sign, NoteAbsent: true, Note: diagnostics.Both(
			"a token of an hour is renewed every 38 to 48 minutes: a shorter window without a renewal is normal",
			"um token de uma hora é renovado a cada 38 a 48 minutos: uma janela menor sem renovação é normal")},
		sign("token_renewed"),
		sign("renewing_postgres_credentials"),
		{Name: "postgres_credentials_renewed_connection_pool_update_required", Kind: Warning, Note: diagnostics.Both(
			"the pool still has the old credential: it fails one TTL later, while renewals succeed",
			"o pool ainda usa a credencial antiga: falha um TTL depois, enquanto as renovações dão certo")},
		{Name: "grpc_discovery_error", Kind: Failure, NoteAbsent: true, Note: diagnostics.Both(
			"grpc_discovery_error leaves out UNAUTHENTICATED and PERMISSION_DENIED: those are authentication_failed and authorization_failed",
			"grpc_discovery_error não inclui UNAUTHENTICATED nem PERMISSION_DENIED: esses são authentication_failed e authorization_failed")},
		failure("vault_initialization_failed"),
		failure("jwt_auth_required_fallback_disabled"),
		failure("spiffe_initialization_failed"),
		failure("authentication_failed"),
		failure("authorization_failed"),
		failure("jwt_svid_is_placeholder"),
		failure("jwt_invalid"),
	}
}

// EventNames are the names of Events.
func EventNames() []string {
	var names []string
	for _, e := range Events() {
		names = append(names, e.Name)
	}
	return names
}

func kindOf(name string) Kind {
	for _, e := range Events() {
		if e.Name == name {
			return e.Kind
		}
	}
	return Other
}

// Spark draws counts as bars of eight heights; zero is the space between them.
func Spark(counts []int64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var most int64
	for _, n := range counts {
		most = max(most, n)
	}
	var b strings.Builder
	for _, n := range counts {
		switch {
		case n <= 0:
			b.WriteRune('·')
		default:
			b.WriteRune(bars[(n*int64(len(bars))-1)/most])
		}
	}
	return b.String()
}
