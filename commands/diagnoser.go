package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Diagnoser runs diagnoses. It is safe for use by several goroutines.
type Diagnoser interface {
	// Services returns the names that Diagnose knows, sorted.
	Services() []string
	// Checks describes every check, in the order of the chain.
	Checks() []CheckInfo
	// Diagnose runs the checks of a service. Bad weather is part of the report;
	// an error means that there is no report at all: an *UnknownServiceError,
	// an *UnknownCheckError, a *CheckNotForError, the context's, or a defect of
	// the bot.
	Diagnose(ctx context.Context, service string, opts Options) (diagnostics.Report, error)
}

// Options narrow a diagnosis.
type Options struct {
	Since    time.Duration  // how far back to read; zero: the configured one
	Only     []string       // codes of checks; those that they need come along; empty: all
	Progress func(Progress) // called after each check, never twice at once; may be nil
}

// Progress is how far a diagnosis has come.
type Progress struct {
	Done, Total int
	Code        string             // of the check that was judged last
	Status      diagnostics.Status // of that check
}

// CheckInfo describes a check to people.
type CheckInfo struct {
	Code     string
	Row      int // of the runbook's matrix, from 1; 0: a gate before all rows
	Title    diagnostics.Text
	Applies  string   // CEL over the service; empty: to every service
	Needs    []string // codes
	Reads    []Reading
	Outcomes []Outcome
	Doc      CheckDoc
	Command  string // what a person could run instead; may be empty
}

// CheckDoc is what a person should know about a check.
type CheckDoc struct {
	Meaning, Impact, Diagnosis, Mitigation diagnostics.Text
}

// Reading is one probe that a check asks.
type Reading struct {
	Name  string           // by which the check's expressions call it
	Probe string           // like vault.health
	Doc   diagnostics.Text // what it reads
	Args  []string         // like "job: ${service.job}"
}

// Outcome is one way in which a check can end, the first whose When is true.
type Outcome struct {
	When    string // CEL; empty: otherwise
	Status  diagnostics.Status
	Summary diagnostics.Text
	Remedy  diagnostics.Text // zero when there is none
	Fixes   []diagnostics.FixSpec
}

// UnknownServiceError says that the configuration has no such service.
type UnknownServiceError struct {
	Name    string
	Known   []string
	Command string // that it was named for; empty: diagnose
}

func (e *UnknownServiceError) Error() string {
	return fmt.Sprintf("unknown service %q; known are %s", e.Name, strings.Join(e.Known, ", "))
}

// WhichServiceError says that a service was left out, and that nothing tells
// which one is meant.
type WhichServiceError struct {
	Known []string
	Named []string // of those, the ones that the conversation is named after, if there are several
}

func (e *WhichServiceError) Error() string { return "no service is named" }

// UnknownCheckError says that the catalogue has no check of that code.
type UnknownCheckError struct {
	Code  string
	Known []string
}

func (e *UnknownCheckError) Error() string { return fmt.Sprintf("unknown check %q", e.Code) }

// CheckNotForError says that a check does not apply to a service.
type CheckNotForError struct{ Code, Service string }

func (e *CheckNotForError) Error() string {
	return fmt.Sprintf("check %s does not apply to %s", e.Code, e.Service)
}

// Resolve returns the name by which the diagnoser knows the service, which a
// person may write in any case, and checks the codes. Errors are an
// *UnknownServiceError, a *WhichServiceError or an *UnknownCheckError: a face
// asks before it promises a diagnosis.
func Resolve(d Diagnoser, ask Diagnose) (service string, opts Options, err error) {
	known := d.Services()
	if ask.Service == "" {
		return "", Options{}, &WhichServiceError{Known: known}
	}
	at := slices.IndexFunc(known, func(s string) bool { return strings.EqualFold(s, ask.Service) })
	if at < 0 {
		return "", Options{}, &UnknownServiceError{Name: ask.Service, Known: known}
	}
	codes := Codes(d)
	for _, code := range ask.Check {
		if !slices.Contains(codes, code) {
			return "", Options{}, &UnknownCheckError{Code: code, Known: codes}
		}
	}
	return known[at], Options{Since: time.Duration(ask.Since), Only: ask.Check}, nil
}

// FindCheck returns the description of a check or an *UnknownCheckError.
func FindCheck(d Diagnoser, code string) (CheckInfo, error) {
	for _, c := range d.Checks() {
		if c.Code == code {
			return c, nil
		}
	}
	return CheckInfo{}, &UnknownCheckError{Code: code, Known: Codes(d)}
}

// Codes returns the codes of every check, in the order of the chain.
func Codes(d Diagnoser) []string {
	var codes []string
	for _, c := range d.Checks() {
		codes = append(codes, c.Code)
	}
	return codes
}
