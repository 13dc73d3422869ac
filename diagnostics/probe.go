package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// DefaultTimeout is the deadline of a probe that does not state its own.
const DefaultTimeout = 5 * time.Second

// Probe gathers facts about one thing, without changing anything. Make one
// with NewProbe.
type Probe struct {
	Name    string        // system and subject, like "vault.health"; the part before the dot is the System
	Doc     Text          // one sentence: what it reads
	Timeout time.Duration // zero: DefaultTimeout
	// Grants are the Vault rights that it needs for the given arguments; nil
	// when it needs none. The argument is of the type of its Args.
	Grants func(args any) []Grant

	args   reflect.Type
	facts  reflect.Type
	gather func(ctx context.Context, args any) (any, []Evidence, error)
}

// NewProbe makes a probe of a function. A and F are structs whose fields carry
// `cel` tags: A names the arguments that a check gives, F what the check's
// expressions see.
//
// The function returns what it asked and what came back as evidence, also when
// it fails. Any error means that it could not look, and makes the checks that
// need its facts unknown; a *BlindError says why.
func NewProbe[A, F any](name string, doc Text, gather func(context.Context, A) (F, []Evidence, error)) Probe {
	return Probe{
		Name:  name,
		Doc:   doc,
		args:  reflect.TypeFor[A](),
		facts: reflect.TypeFor[F](),
		gather: func(ctx context.Context, args any) (any, []Evidence, error) {
			return gather(ctx, args.(A))
		},
	}
}

// System is the part of the name before the dot: the system that is asked.
func (p Probe) System() string {
	system, _, _ := strings.Cut(p.Name, ".")
	return system
}

// WithGrants returns the probe with the Vault rights that it needs.
func WithGrants[A any](p Probe, grants func(A) []Grant) Probe {
	p.Grants = func(args any) []Grant { return grants(args.(A)) }
	return p
}

// Grant is a right that a probe needs at Vault.
type Grant struct {
	Path         string   // like "secret/metadata/orchestrator/mongodb", without a leading slash
	Capabilities []string // like "read"
}

// Evidence is one thing that was asked and what came back. It holds no secret
// values.
type Evidence struct {
	Source     string    // the system, like "vault" or "prometheus"
	Invocation string    // a command that a person can paste to see the same
	Observed   string    // what came back, in a few words or lines
	At         time.Time // when
}

// Reason says why a probe could not look.
type Reason string

// The reasons, from which faces make words in the reader's language.
const (
	ReasonTimeout       Reason = "timeout"        // no answer before the deadline
	ReasonUnreachable   Reason = "unreachable"    // no connection: refused, no route, no such name, no socket
	ReasonDenied        Reason = "denied"         // the bot's own rights do not suffice
	ReasonThrottled     Reason = "throttled"      // 429
	ReasonUnavailable   Reason = "unavailable"    // 5xx, sealed, no leader
	ReasonGarbage       Reason = "garbage"        // an answer, but not that system's
	ReasonNoData        Reason = "no_data"        // an answer without the data that a judgement needs
	ReasonWarning       Reason = "warning"        // data that the system itself warns about
	ReasonNotConfigured Reason = "not_configured" // the configuration does not say where to look
	ReasonGate          Reason = "gate"           // not asked, because a gate before it did not pass
	ReasonPanic         Reason = "panic"          // the probe broke
	ReasonError         Reason = "error"          // anything else
)

// BlindError says that a probe could not look, why, and what to do so that it
// can. Detail is English; neither it nor Next holds secret values.
type BlindError struct {
	Reason Reason
	Detail string // what happened, like "GET /v1/sys/health: connection refused"
	Next   Text   // what the operator can do, optional
	Gate   string // code of the gate that did not pass, when that is why nothing was asked
	Err    error  `json:"-"` // the error behind it, optional; it is not kept, since it may say anything
}

func (e *BlindError) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Detail) }

func (e *BlindError) Unwrap() error { return e.Err }

// summary says it for readers of plain data; faces have better words for the
// reason.
func (e *BlindError) summary() Text {
	t := Text{EN: "could not look: " + e.Detail, PT: "não foi possível olhar: " + e.Detail}
	if e.Next != (Text{}) {
		t.EN += "; next step: " + e.Next.EN
		t.PT += "; próximo passo: " + e.Next.PT
	}
	return t
}

// Blind makes a *BlindError of an error and what was being done: deadline
// becomes ReasonTimeout, a *BlindError stays itself, the rest ReasonError.
func Blind(doing string, err error) *BlindError {
	var blind *BlindError
	if errors.As(err, &blind) {
		return blind
	}
	reason := ReasonError
	if errors.Is(err, context.DeadlineExceeded) {
		reason = ReasonTimeout
	}
	return &BlindError{Reason: reason, Detail: doing + ": " + err.Error(), Err: err}
}
