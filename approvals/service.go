package approvals

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Service is how faces and jobs act on requests. It is safe for use by several
// goroutines and by several replicas on one store.
type Service struct {
	opts Options
}

// Options are what a Service works with.
type Options struct {
	Policy    Policy
	Remedies  []Remedy
	Store     Store
	Leases    Leases
	Directory Directory
	Face      Face // may be set later, by Meet
	Examine   Examine
	Replica   string // names this process among the replicas
	Now       func() time.Time
	Log       *slog.Logger
}

// New returns a service.
func New(o Options) (*Service, error) { return &Service{opts: o}, nil }

// Meet gives the service the face and the directory that it shows requests by,
// before anything else is called.
func (s *Service) Meet(f Face, d Directory, team string) {
	s.opts.Face, s.opts.Directory, s.opts.Policy.Team = f, d, team
}

// Ask is an ask for a remedy. Exactly one of Check and Remedy is set.
type Ask struct {
	Check      string // code of a finding, whose first remedy is meant
	Remedy     string
	Service    string
	Params     map[string]string // in addition to those that the finding gives
	By         string            // account
	Via        Via
	Reason     string
	BreakGlass bool
	Place      Place
	Lang       string
}

// Ballot is a vote as it came.
type Ballot struct {
	Request string
	Card    string // ts of the message voted on; empty for commands
	Channel string // where it was said
	By      string // account
	Via     Via
	Choice  Choice
	Reason  string
}

var errNotYet = errors.New("not there yet")

// Plan runs the check again and says what would be done, without asking for it.
// The Refusal says why nothing can be planned.
func (s *Service) Plan(ctx context.Context, a Ask) (Plan, error) { return Plan{}, errNotYet }

// Ask makes a pending request out of a plan made now. Errors are a *Refusal,
// which is audited, or the store's. When an open request for the same target
// has the same fingerprint, that one is returned with found true.
func (s *Service) Ask(ctx context.Context, a Ask) (r Request, found bool, err error) {
	return Request{}, false, errNotYet
}

// Vote judges and counts a vote. When it returns a request, the vote is in the
// store. Errors are a *Refusal, which is audited, ErrNotFound or the store's.
func (s *Service) Vote(ctx context.Context, b Ballot) (Request, error) { return Request{}, errNotYet }

// Withdraw takes a vote by reaction back. One that does not stand is no error.
func (s *Service) Withdraw(ctx context.Context, b Ballot) (Request, error) {
	return Request{}, errNotYet
}

// Cancel takes a request back on its requester's word.
func (s *Service) Cancel(ctx context.Context, id, by, reason string) (Request, error) {
	return Request{}, errNotYet
}

// Freeze pulls the kill switch for a service, a target or *. by is an account or
// terminal:NAME. Anybody who may ask may freeze: stopping is never refused to a
// member. Unfreeze needs somebody who may approve the highest risk.
func (s *Service) Freeze(ctx context.Context, target, by, reason string) error { return errNotYet }

// Unfreeze lets go of it.
func (s *Service) Unfreeze(ctx context.Context, target, by, reason string) error { return errNotYet }

// Freezes lists the freezes that hold, those of the configuration too.
func (s *Service) Freezes(ctx context.Context) ([]Freeze, error) { return nil, errNotYet }

// Find reads one request, by its whole id.
func (s *Service) Find(ctx context.Context, id string) (Request, error) {
	return s.opts.Store.Request(ctx, id)
}

// List lists requests, the latest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Request, error) {
	return s.opts.Store.Requests(ctx, f)
}

// Trail reads the audit entries of a request.
func (s *Service) Trail(ctx context.Context, id string) ([]Entry, error) {
	return s.opts.Store.Trail(ctx, TrailFilter{Request: id})
}

// Remedies are all that there are, in the order in which they were given.
func (s *Service) Remedies() []Remedy { return s.opts.Remedies }

// Reconcile makes the votes by reaction of every pending request what stands on
// their cards now. Call it after each reconnect and at the start.
func (s *Service) Reconcile(ctx context.Context) error { return errNotYet }

// Work implements Worker.
func (s *Service) Work(ctx context.Context, j Job) error { return errNotYet }

// Sweep implements Worker.
func (s *Service) Sweep(ctx context.Context) error { return errNotYet }
