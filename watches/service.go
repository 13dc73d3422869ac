package watches

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"tandem/diagnostics"
)

// The time that a run has beyond the diagnosis: to be told, and to be recorded.
const (
	tellTime   = time.Minute
	claimSlack = 30 * time.Second
)

// soon is when what could not be told is tried once more.
const soon = time.Minute

// Options are what a Service needs.
type Options struct {
	Store  Store
	Hushes Hushes
	// Diagnose looks at a service. Bad weather is part of the report; an error means
	// that there is none.
	Diagnose func(ctx context.Context, service string) (diagnostics.Report, error)
	// Keep keeps a report that is told, and returns the id by which people find it;
	// nil: nobody keeps it.
	Keep     func(ctx context.Context, w Watch, report diagnostics.Report) (string, error)
	Timeout  time.Duration // of one Diagnose; zero: a minute
	Now      func() time.Time
	NewID    func() string
	Log      *slog.Logger
	Observer Observer
}

// Observer is told how runs ended; each function may be nil.
type Observer struct {
	Ran  func(status diagnostics.Status, took time.Duration) // empty: without a report
	Told func(kind Kind, err error)                          // not for Quiet
}

// Service watches. It is safe for use by several goroutines.
type Service struct {
	opts Options
	face atomic.Pointer[Face]
}

// New returns a service that has nobody to tell yet.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Hushes == nil || o.Diagnose == nil {
		return nil, errors.New("make the watches: the store and the diagnosis are needed")
	}
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = func() string { return strings.ToLower(rand.Text()[:10]) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{opts: o}, nil
}

// Meet has the service tell people from now on.
func (s *Service) Meet(f Face) { s.face.Store(&f) }

// Face is who tells; nil when there is nobody yet.
func (s *Service) Face() Face {
	if f := s.face.Load(); f != nil {
		return *f
	}
	return nil
}

// Watch has a service looked at, now and from then on. Asking again for the same
// service and channel changes the interval.
func (s *Service) Watch(ctx context.Context, w Watch) (Watch, error) {
	if w.Every < MinEvery || w.Every > MaxEvery {
		return Watch{}, fmt.Errorf("the interval: %w", ErrBounds)
	}
	now := s.opts.Now()
	w.ID, w.Asked, w.Due, w.Alert = s.opts.NewID(), now, now, nil
	kept, err := s.opts.Store.PutWatch(ctx, w)
	if err != nil {
		return Watch{}, err
	}
	s.opts.Log.InfoContext(ctx, "a watch was asked for", "watch", kept.ID, "service", kept.Service, "channel", kept.Channel, "every", kept.Every.String(), "by", kept.By)
	return kept, nil
}

// Unwatch ends the watch of a service in a channel, or in all when it is empty.
// It returns those that it ended, and ErrNone when there are none.
func (s *Service) Unwatch(ctx context.Context, service, channel, by string) ([]Watch, error) {
	all, err := s.opts.Store.Watches(ctx)
	if err != nil {
		return nil, err
	}
	var ended []Watch
	for _, w := range all {
		if w.Alert != nil || w.Service != service || channel != "" && w.Channel != channel {
			continue
		}
		if err := s.opts.Store.EndWatch(ctx, w.ID); err != nil && !errors.Is(err, ErrNone) {
			return ended, err
		}
		s.opts.Log.InfoContext(ctx, "a watch was ended", "watch", w.ID, "service", service, "channel", w.Channel, "by", by)
		ended = append(ended, w)
	}
	if len(ended) == 0 {
		return nil, ErrNone
	}
	return ended, nil
}

// Heard takes up what Alertmanager says of a group: it is looked at at once. Of
// an alert that is over and that nobody was told of there is nothing to look at.
func (s *Service) Heard(ctx context.Context, w Watch) error {
	now := s.opts.Now()
	w.ID, w.Asked, w.Due, w.Every, w.Alert.Heard = s.opts.NewID(), now, now, 0, now
	if w.Alert.Began.IsZero() || w.Alert.Began.After(now) {
		w.Alert.Began = now
	}
	_, err := s.opts.Store.PutWatch(ctx, w)
	return err
}

// List returns all watches, alerts among them.
func (s *Service) List(ctx context.Context) ([]Watch, error) { return s.opts.Store.Watches(ctx) }

// Suppress keeps watches quiet about a check until its end.
func (s *Service) Suppress(ctx context.Context, x Suppression) (Suppression, error) {
	x.Since = s.opts.Now()
	x.Reason = strings.TrimSpace(x.Reason)
	span := x.Until.Sub(x.Since)
	if span <= 0 || span > MaxSuppression || x.Reason == "" || utf8.RuneCountInString(x.Reason) > MaxReason {
		return x, fmt.Errorf("the suppression: %w", ErrBounds)
	}
	if err := s.opts.Hushes.Suppress(ctx, x); err != nil {
		return x, err
	}
	s.opts.Log.InfoContext(ctx, "a check was suppressed", "check", x.Code, "service", x.Service, "owner", x.Owner, "by", x.By, "until", x.Until)
	return x, nil
}

// Unsuppress ends the suppressions of a check, of one service or of all.
func (s *Service) Unsuppress(ctx context.Context, code, service, by string) error {
	if err := s.opts.Hushes.Unsuppress(ctx, code, service); err != nil {
		return err
	}
	s.opts.Log.InfoContext(ctx, "a suppression was ended", "check", code, "service", service, "by", by)
	return nil
}

// Suppressions returns those that are not over, the first to end first.
func (s *Service) Suppressions(ctx context.Context) ([]Suppression, error) {
	return s.opts.Hushes.Suppressions(ctx, s.opts.Now())
}

// Lease is how long a run may take before another replica takes it up.
func (s *Service) Lease() time.Duration { return s.opts.Timeout + tellTime + claimSlack }

// Work implements Worker.
func (s *Service) Work(ctx context.Context, id string) error {
	face := s.face.Load()
	if face == nil {
		return errors.New("nobody can be told yet")
	}
	w, mine, err := s.opts.Store.Claim(ctx, id, s.opts.Now().Add(s.Lease()))
	if err != nil || !mine {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Lease()-claimSlack/2)
	defer cancel()
	r := run{Service: s, face: *face, watch: w, log: s.opts.Log.With("watch", w.ID, "service", w.Service)}
	return r.all(ctx)
}

// run is one look at a watch that was claimed.
type run struct {
	*Service
	face  Face
	watch Watch
	log   *slog.Logger
}

func (r *run) all(ctx context.Context) error {
	news, next, err := r.look(ctx)
	if err != nil { // nobody was told anything: the next job begins anew
		return errors.Join(err, r.finish(ctx, r.watch.Due))
	}
	due := r.watch.After(r.opts.Now())
	if news.Kind != Quiet {
		thread, err := r.tell(ctx, news)
		if err != nil {
			r.log.WarnContext(ctx, "news of a watch could not be told", "kind", string(news.Kind), "channel", r.watch.Channel, "error", err)
			next, due = r.untold(next, due)
		} else if next.Incident != nil && news.Kind != Missed && news.Kind != Back {
			next.Incident.Thread = thread
		}
	}
	r.watch.Memory = next
	return r.finish(ctx, due)
}

// finish lets go of the claim, also when the bot is being stopped.
func (r *run) finish(ctx context.Context, due time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimSlack/2)
	defer cancel()
	err := r.opts.Store.Finish(ctx, r.watch, due)
	if errors.Is(err, ErrNone) {
		r.log.InfoContext(ctx, "a run ended after its watch did, or after its claim")
		return nil
	}
	return err
}

// look diagnoses, and says what there is to tell. A diagnosis without a report
// tells nothing, and is tried again at its next time; an alert is told without.
func (r *run) look(ctx context.Context) (News, Memory, error) {
	now := r.opts.Now()
	if r.watch.Service == "" {
		return r.lost(now)
	}
	if a := r.watch.Alert; a != nil && a.Resolved && r.watch.Memory.Incident == nil { // nobody was told of it
		return News{}, r.watch.Memory, nil
	}
	report, err := r.diagnose(ctx)
	if err == nil {
		hushes, err := r.opts.Hushes.Suppressions(ctx, now)
		if err != nil {
			return News{}, Memory{}, err
		}
		news, next := Judge(r.watch, report, hushes, r.opts.Now())
		return news, next, nil
	}
	if ctx.Err() != nil {
		return News{}, Memory{}, err
	}
	r.log.WarnContext(ctx, "a watch got no report", "error", err)
	next := r.watch.Memory
	next.Ran, next.Missed = now, next.Missed+1
	news := News{}
	if r.watch.Alert == nil && next.Missed == blindRuns {
		news = News{Kind: Missed, Thread: next.Incident.thread()}
	}
	if a := r.watch.Alert; a != nil && a.Resolved && next.Incident != nil {
		news = News{Kind: Closed, Over: true, Thread: next.Incident.Thread, Lasted: now.Sub(next.Incident.Began)}
		next.Incident = nil
	}
	return news, next, nil
}

// lost is what there is to tell of an alert that names no known service: once,
// that it is so.
func (r *run) lost(now time.Time) (News, Memory, error) {
	next := r.watch.Memory
	next.Ran = now
	if next.Incident != nil || r.watch.Alert == nil || r.watch.Alert.Resolved {
		return News{}, next, nil
	}
	next.Incident = &Incident{Began: r.watch.Alert.Began}
	return News{Kind: Lost}, next, nil
}

func (r *run) diagnose(ctx context.Context) (diagnostics.Report, error) {
	start := r.opts.Now()
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	report, err := r.opts.Diagnose(ctx, r.watch.Service)
	if ran := r.opts.Observer.Ran; ran != nil {
		ran(report.Verdict.Status, r.opts.Now().Sub(start))
	}
	return report, err
}

func (r *run) tell(ctx context.Context, n News) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	n.Run = r.keep(ctx, n.Report)
	thread, err := r.face.Tell(ctx, r.watch, n)
	if told := r.opts.Observer.Told; told != nil {
		told(n.Kind, err)
	}
	if err == nil {
		r.log.InfoContext(ctx, "a watch told news", "kind", string(n.Kind), "status", string(n.Report.Verdict.Status), "over", n.Over)
	}
	return thread, err
}

// keep keeps a report that is told. Without it the news are as good.
func (r *run) keep(ctx context.Context, report diagnostics.Report) string {
	if r.opts.Keep == nil || report.Verdict.Status == "" {
		return ""
	}
	id, err := r.opts.Keep(ctx, r.watch, report)
	if err != nil {
		r.log.WarnContext(ctx, "the report of a watch is not kept", "error", err)
	}
	return id
}

// untold is what to remember of news that nobody was told: what people know did
// not change, so that the next run tells it. The first time that is soon.
func (r *run) untold(next Memory, due time.Time) (Memory, time.Time) {
	m := r.watch.Memory
	m.Ran, m.Status, m.Headline = next.Ran, next.Status, next.Headline
	m.Untold = r.watch.Memory.Untold + 1
	retry := r.opts.Now().Add(min(soon<<min(m.Untold-1, 10), MaxEvery))
	if due.IsZero() || retry.Before(due) {
		due = retry
	}
	return m, due
}
