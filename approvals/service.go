package approvals

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/maphash"
	"log/slog"
	"strings"
	"time"
)

// Service is how faces and jobs act on requests. It is safe for use by several
// goroutines and by several replicas on one store.
type Service struct {
	opts  Options
	turns turns
	calls calls
}

// Options are what a Service works with.
type Options struct {
	Policy    Policy
	Remedies  []Remedy
	Store     Store
	Leases    Leases
	Directory Directory // may be set later, by Meet
	Face      Face      // may be set later, by Meet
	Examine   Examine
	Replica   string // names this process among the replicas
	Now       func() time.Time
	Log       *slog.Logger
	NewID     func() string // of requests; nil: random
	// Told, if set, is called with each change that was committed. It must be
	// quick: metrics are made of it.
	Told func(Change)
}

// New returns a service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Leases == nil {
		return nil, errors.New("approvals need a store and leases")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NewID == nil {
		o.NewID = newID
	}
	if o.Told == nil {
		o.Told = func(Change) {}
	}
	return &Service{opts: o, turns: turns{seed: maphash.MakeSeed()}}, nil
}

// newID has 60 random bits, in letters that are hard to mistake when typed.
func newID() string { return strings.ToLower(rand.Text()[:12]) }

// Meet gives the service the face and the directory that it shows requests by,
// before anything else is called.
func (s *Service) Meet(f Face, d Directory, team string) {
	s.opts.Face, s.opts.Directory, s.opts.Policy.Team = f, d, team
}

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

// Work implements Worker.
func (s *Service) Work(ctx context.Context, j Job) error {
	switch j.Kind {
	case JobShow:
		return s.show(ctx, j.Request)
	case JobExecute:
		return s.execute(ctx, j.Request)
	case JobExpire:
		return s.expire(ctx, j.Request)
	default: // of a newer replica; it will find the work by its sweep
		s.opts.Log.WarnContext(ctx, "unknown kind of job", "kind", j.Kind)
		return nil
	}
}

// now is the time, as requests and notes keep it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) remedy(name string) (Remedy, bool) {
	for _, r := range s.opts.Remedies {
		if r.Name == name {
			return r, true
		}
	}
	return Remedy{}, false
}
