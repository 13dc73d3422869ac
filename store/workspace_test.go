package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/i18n"
	"tandem/store"
)

const (
	team    = "T1"
	channel = "C1"

	once  = "once"  // a remedy that must not be carried out twice
	again = "again" // one that may
)

// workspace is the world outside the database: people, cards and the things that
// remedies mend. It remembers in files of a folder, so that it outlives a process
// that was killed, and knows what the store may have forgotten.
type workspace struct {
	dir    string
	quorum int
	pause  time.Duration // in each call of a remedy
	during func()        // in the first call of a remedy

	mu sync.Mutex // of the files, within this process
}

// The files. Each line is written by one write, which a kill cannot tear.
const (
	askedFile     = "asked"     // id: what the requester was told
	confirmedFile = "confirmed" // id voter: what the voter was told
	madeFile      = "made"      // remedy target call: what a remedy did
)

func (w *workspace) write(file string, words ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(w.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, words...)
	return errors.Join(err, f.Close())
}

// lines reads a file; one that is not there is empty.
func (w *workspace) lines(file string) []string {
	raw, _ := os.ReadFile(filepath.Join(w.dir, file))
	return strings.FieldsFunc(string(raw), func(r rune) bool { return r == '\n' })
}

// service is a replica on a store.
func (w *workspace) service(s approvals.Store, leases approvals.Leases, replica string, now func() time.Time) (*approvals.Service, error) {
	everybody := approvals.Who{Groups: []string{"everybody"}}
	service, err := approvals.New(approvals.Options{
		Policy: approvals.Policy{PerHour: 1 << 30, Risks: map[approvals.Risk]approvals.Rule{
			approvals.Low: {Ask: everybody, Approve: everybody, Quorum: w.quorum, Reactions: true, Patience: 24 * time.Hour},
		}},
		Remedies: []approvals.Remedy{w.remedy(once), w.remedy(again)},
		Store:    s, Leases: leases, Examine: w.examine, Replica: replica, Now: now,
	})
	if err == nil {
		service.Meet(w, w, team)
	}
	return service, err
}

// replica is a store, and a service that works on it until the test ends.
func (w *workspace) replica(db *database, name string) (*store.Store, *approvals.Service) {
	db.tb.Helper()
	s := db.open()
	service, err := w.service(s, s, name, db.now)
	if err != nil {
		db.tb.Fatal(err)
	}
	return s, service
}

func newWorkspace(tb testing.TB, quorum int) *workspace {
	return &workspace{dir: tb.TempDir(), quorum: quorum}
}

func (w *workspace) remedy(name string) approvals.Remedy {
	return approvals.Remedy{
		Name: name, Risk: approvals.Low, Procedure: true, Repeatable: name == again, Settle: time.Second,
		Params: []approvals.Param{{Name: "target", Required: true}},
		Plan: func(_ context.Context, want approvals.Want) (approvals.Plan, error) {
			return approvals.Plan{
				Target: want.Params["target"], Does: i18n.Text{EN: "Mend it", PT: "Consertar"},
				Calls: []approvals.Call{{System: "files", What: "first"}, {System: "files", What: "second"}},
				Proof: []string{"CHK-001"},
			}, nil
		},
		Execute: func(ctx context.Context, p approvals.Plan, act approvals.Act) error {
			for _, c := range p.Calls {
				if err := act.Call(ctx, c.What, "nobody", func(context.Context) (string, error) {
					if time.Sleep(w.pause); w.during != nil && c.What == "first" {
						w.during()
					}
					return "done", w.write(madeFile, name, p.Target, c.What)
				}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// made counts how often a call was made to a target.
func (w *workspace) made(target, call string) int {
	n := 0
	for _, l := range w.lines(madeFile) {
		if words := strings.Fields(l); words[1] == target && words[2] == call {
			n++
		}
	}
	return n
}

// examine finds a target mended after its second call. Here each service has
// one target, of its name.
func (w *workspace) examine(_ context.Context, target string, _ []string) (approvals.Examination, error) {
	o := approvals.Observation{Code: "CHK-001", Status: "fail", Summary: i18n.Text{EN: "it is down"}}
	if w.made(target, "second") > 0 {
		o.Status = "pass"
	}
	return approvals.Examination{Status: o.Status, Checks: []approvals.Observation{o}}, nil
}

func (w *workspace) Account(_ context.Context, id string) (approvals.Account, error) {
	return approvals.Account{ID: id, Team: team, Email: id + "@example.com", Standing: approvals.Member}, nil
}

func (w *workspace) Member(context.Context, string, string) (bool, error) { return true, nil }

// Show tells each entry once, whatever the store remembers of that.
func (w *workspace) Show(_ context.Context, r approvals.Request, trail []approvals.Entry) (approvals.Card, error) {
	thread := "thread-" + r.ID
	told := w.lines(thread)
	for _, e := range trail {
		if line := fmt.Sprint(e.Number, " ", e.Deed); !slices.Contains(told, line) {
			if err := w.write(thread, line); err != nil {
				return approvals.Card{}, err
			}
		}
	}
	return approvals.Card{Channel: r.Place.Channel, TS: "card-" + r.ID, Shown: trail[len(trail)-1].Number}, nil
}

func (w *workspace) Say(context.Context, approvals.Request, i18n.Text) error { return nil }

func (*workspace) Refused(context.Context, approvals.Request, string, *approvals.Refusal) {}

func (w *workspace) Votes(context.Context, approvals.Request) (map[string][]approvals.Choice, error) {
	return nil, errors.New("nobody looks at reactions here")
}

func ask(remedy, target string) approvals.Ask {
	return approvals.Ask{
		Remedy: remedy, Service: target, Params: map[string]string{"target": target}, By: "ana", Via: approvals.ByCommand,
		Reason: "it is down", Place: approvals.Place{Channel: channel, Thread: "1.1"}, Lang: "en",
	}
}

func click(r approvals.Request, by string, c approvals.Choice) approvals.Ballot {
	return approvals.Ballot{Request: r.ID, Card: "card-" + r.ID, Channel: channel, By: by, Via: approvals.ByButton, Choice: c, Reason: "I looked"}
}

// asked is a request that is shown.
func (w *workspace) asked(t testing.TB, s *approvals.Service, remedy, target string) approvals.Request {
	t.Helper()
	r, _, err := s.Ask(context.Background(), ask(remedy, target))
	if err == nil {
		err = s.Work(context.Background(), approvals.Job{Kind: approvals.JobShow, Request: r.ID})
	}
	if err == nil {
		r, err = s.Find(context.Background(), r.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bring has people bring a target to its end: somebody asks, others vote, until
// the request has ended. What they were told is written down.
func (w *workspace) bring(ctx context.Context, s *approvals.Service, remedy, target string) error {
	for {
		latest, err := s.List(ctx, approvals.Filter{Target: target, Limit: 1})
		switch {
		case err != nil:
			return err
		case len(latest) == 0:
			err = w.ask(ctx, s, remedy, target)
		case latest[0].State == approvals.Pending && latest[0].Card.TS != "":
			err = w.vote(ctx, s, latest[0])
		case latest[0].State.Ended():
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is stuck: %+v", target, latest)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *workspace) ask(ctx context.Context, s *approvals.Service, remedy, target string) error {
	r, _, err := s.Ask(ctx, ask(remedy, target))
	if err != nil {
		return err
	}
	return w.write(askedFile, r.ID)
}

func (w *workspace) vote(ctx context.Context, s *approvals.Service, r approvals.Request) error {
	for i := range w.quorum {
		voter := fmt.Sprintf("voter%d", i)
		_, err := s.Vote(ctx, click(r, voter, approvals.Approve))
		var refusal *approvals.Refusal
		if errors.As(err, &refusal) { // it went on without this vote
			continue
		}
		if err != nil {
			return err
		}
		if err := w.write(confirmedFile, r.ID, voter); err != nil {
			return err
		}
	}
	return nil
}

// honest checks what the store says against what people were told and what was
// done to the world.
func (w *workspace) honest(ctx context.Context, s *store.Store, targets map[string]string) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, id := range w.lines(askedFile) {
		if _, err := s.Request(ctx, id); err != nil {
			complain("a request that was told to be there is not: %s: %w", id, err)
		}
	}
	for _, l := range w.lines(confirmedFile) {
		id, voter, _ := strings.Cut(l, " ")
		if err := voted(ctx, s, id, voter); err != nil {
			complain("the confirmed vote of %s on %s: %w", voter, id, err)
		}
	}
	for target, remedy := range targets {
		latest, err := s.Requests(ctx, approvals.Filter{Target: target, Limit: 1})
		if err != nil || len(latest) == 0 || !latest[0].State.Ended() {
			complain("%s did not come to an end: %+v, %w", target, latest, err)
			continue
		}
		first, second := w.made(target, "first"), w.made(target, "second")
		if remedy == once && (first > 1 || second > 1) {
			complain("%s was carried out %d and %d times", target, first, second)
		}
		state, mended := latest[0].State, first > 0 && second > 0
		tired := state == approvals.Interrupted && latest[0].Run.Attempt >= 5 // taken over as often as it may be
		if state == approvals.Verified && !mended || remedy == again && state != approvals.Verified && !tired {
			complain("%s is %s (%s), and was carried out %d and %d times", target, state, latest[0].Ending, first, second)
		}
		if remedy == once && state != approvals.Verified && state != approvals.Interrupted {
			complain("%s is %s: %s", target, state, latest[0].Ending)
		}
	}
	broken, err := s.Verify(ctx)
	if err != nil || broken != nil {
		complain("the audit: %+v, %w", broken, err)
	}
	return errors.Join(errs...)
}

// tally says in few words what was done.
func (w *workspace) tally(targets map[string]string) string {
	var done []string
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		done = append(done, fmt.Sprintf("%s (%s) called %d+%d times", target, targets[target], w.made(target, "first"), w.made(target, "second")))
	}
	return fmt.Sprintf("%d votes confirmed, %s", len(w.lines(confirmedFile)), strings.Join(done, ", "))
}

// voted wants a vote in the request and in the audit.
func voted(ctx context.Context, s *store.Store, id, voter string) error {
	r, err := s.Request(ctx, id)
	if err != nil {
		return err
	}
	trail, err := s.Trail(ctx, approvals.TrailFilter{Request: id})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(r.Votes, func(v approvals.Vote) bool { return v.ID == voter }) {
		return errors.New("is not in the request")
	}
	if !slices.ContainsFunc(trail, func(e approvals.Entry) bool { return e.Deed == approvals.DeedVoted && e.Actor == voter }) {
		return errors.New("is not in the audit")
	}
	return nil
}
