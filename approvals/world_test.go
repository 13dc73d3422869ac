package approvals_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/i18n"
)

const (
	team    = "T1"
	channel = "C1"
	worker  = "worker"
)

// world is a workspace, a broken service and the remedy that mends it.
type world struct {
	t     *testing.T
	store *memory
	s     *approvals.Service
	opts  approvals.Options

	mu       sync.Mutex
	skipped  time.Duration // by which the time here is ahead
	accounts map[string]approvals.Account
	groups   map[string][]string
	deaf     error // of the directory
	status   string
	params   map[string]string // that the finding gives
	basis    string
	unmet    bool
	planErr  error
	examErr  error
	mended   int // how often the remedy was carried out
	execute  func(ctx context.Context, act approvals.Act) error
	shown    map[string]int
	lines    []i18n.Text
	told     []string // whom, and why what they said does not count
	reacted  map[string][]approvals.Choice
	faceErr  error
}

var people = map[string]string{
	"ana": "ana@example.com", "bruno": "bruno@example.com", "carla": "carla@example.com",
	"davi": "davi@example.com", "eva": "eva@example.com", "root": "root@example.com", "outsider": "outsider@example.com",
}

// newWorld has a policy in which @sre asks, and @approvers approves; the quorum
// rises with the risk.
func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := &world{
		t: t, status: "fail", basis: "3",
		params:   map[string]string{"path": "secret/worker"},
		accounts: map[string]approvals.Account{}, shown: map[string]int{},
		groups: map[string][]string{
			"sre":       {"ana", "ana.admin", "bruno", "carla", "guest"},
			"approvers": {"ana", "ana.admin", "ana.plus", "bruno", "carla", "davi", "eva", "bot", "guest", "elsewhere", "gone", "nomail"},
		},
	}
	for id, mail := range people {
		w.accounts[id] = approvals.Account{ID: id, Team: team, Email: mail, Standing: approvals.Member}
	}
	w.strangers()
	w.store = newMemory(w.now)
	w.opts = approvals.Options{
		Policy: policy(), Remedies: []approvals.Remedy{w.remedy()}, Store: w.store, Leases: w.store, Examine: w.examine,
		Replica: "r1", Now: w.now,
	}
	for _, f := range change {
		f(w)
	}
	w.s = w.service("r1")
	return w
}

func (w *world) strangers() {
	for id, a := range map[string]approvals.Account{
		"ana.admin": {Email: "", Standing: approvals.Member}, // mapped to ana
		"ana.plus":  {Email: "Ana+admin@Example.com", Standing: approvals.Member},
		"nomail":    {Standing: approvals.Member},
		"bot":       {Email: "bot@example.com", Standing: "bot"},
		"guest":     {Email: "guest@example.com", Standing: "guest"},
		"gone":      {Email: "gone@example.com", Standing: "deactivated"},
	} {
		a.ID, a.Team = id, team
		w.accounts[id] = a
	}
	w.accounts["elsewhere"] = approvals.Account{ID: "elsewhere", Team: "T2", Email: "e@example.com", Standing: approvals.Member}
}

func policy() approvals.Policy {
	approvers := approvals.Who{Groups: []string{"approvers"}}
	return approvals.Policy{
		Risks: map[approvals.Risk]approvals.Rule{
			approvals.Low:    {Ask: approvals.Who{Groups: []string{"sre"}}, Approve: approvers, Quorum: 1, Reactions: true},
			approvals.Medium: {Ask: approvals.Who{Groups: []string{"sre"}}, Approve: approvers, Quorum: 2, Reactions: true},
			approvals.High:   {Ask: approvals.Who{Groups: []string{"sre"}}, Approve: approvers, Quorum: 2, Reason: true},
		},
		People: map[string]string{"ana": "ana", "ana.admin": "ana"},
	}
}

// risk has the operator see the remedy's risk so.
func risk(r approvals.Risk) func(*world) {
	return func(w *world) { w.opts.Policy.Remedies = map[string]approvals.Risk{"kv-undelete": r} }
}

func (w *world) service(replica string) *approvals.Service {
	o := w.opts
	o.Replica = replica
	s, err := approvals.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Meet(w, w, team)
	return s
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skipped)
}

func (w *world) pass(d time.Duration) { w.set(func() { w.skipped += d }) }

// set changes the world.
func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// remedy mends the service by one call.
func (w *world) remedy() approvals.Remedy {
	return approvals.Remedy{
		Name: "kv-undelete", Risk: approvals.Low, Params: []approvals.Param{{Name: "path", Required: true}, {Name: "version"}},
		Settle: time.Second,
		Plan: func(_ context.Context, want approvals.Want) (approvals.Plan, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return approvals.Plan{
				Target: "vault:" + want.Params["path"], Does: i18n.Text{EN: "Undelete", PT: "Restaurar"},
				Calls:         []approvals.Call{{System: "vault", What: "PUT /v1/" + want.Params["path"]}},
				Basis:         []approvals.Fact{{Name: "version", Value: w.basis}},
				Preconditions: []approvals.Precondition{{Text: i18n.Text{EN: "it is deleted"}, Holds: !w.unmet}},
				Proof:         []string{"VLT-001"},
			}, w.planErr
		},
		Execute: func(ctx context.Context, _ approvals.Plan, act approvals.Act) error {
			w.mu.Lock()
			do := w.execute
			w.mu.Unlock()
			if do != nil {
				return do(ctx, act)
			}
			return w.mend(ctx, act)
		},
	}
}

// mend is the call that mends the service.
func (w *world) mend(ctx context.Context, act approvals.Act) error {
	return act.Call(ctx, "PUT /v1/secret/worker", "role tandem-kv-undelete", func(context.Context) (string, error) {
		w.set(func() { w.mended++; w.status = "pass" })
		return "204", nil
	})
}

func (w *world) examine(_ context.Context, _ string, codes []string) (approvals.Examination, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := approvals.Observation{Code: "VLT-001", Status: w.status, Summary: i18n.Text{EN: "the secret is " + w.status}}
	if w.status == "fail" {
		o.Fixes = []approvals.Fix{{Remedy: "kv-undelete", Params: maps.Clone(w.params)}}
	}
	e := approvals.Examination{At: time.Now(), Status: w.status}
	if len(codes) == 0 || slices.Contains(codes, o.Code) {
		e.Checks = []approvals.Observation{o}
	}
	return e, w.examErr
}

func (w *world) Account(_ context.Context, id string) (approvals.Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.accounts[id]
	if !ok {
		a = approvals.Account{ID: id, Team: team, Standing: "stranger"}
	}
	return a, w.deaf
}

func (w *world) Member(_ context.Context, group, id string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.groups[group], id), w.deaf
}

func (w *world) Show(_ context.Context, r approvals.Request, trail []approvals.Entry) (approvals.Card, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown[r.ID]++
	card := r.Card
	if card.TS == "" {
		card.Channel, card.TS = r.Place.Channel, "card-"+r.ID
	}
	if len(trail) > 0 {
		card.Shown = trail[len(trail)-1].Number
	}
	return card, w.faceErr
}

func (w *world) Say(_ context.Context, _ approvals.Request, line i18n.Text) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
	return w.faceErr
}

func (w *world) Refused(_ context.Context, _ approvals.Request, account string, why *approvals.Refusal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, account+": "+string(why.Why))
}

func (w *world) Votes(context.Context, approvals.Request) (map[string][]approvals.Choice, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.reacted), w.faceErr
}

// work does all jobs that are due, and those that follow from them.
func (w *world) work() {
	w.t.Helper()
	for jobs := w.store.take(); len(jobs) > 0; jobs = w.store.take() {
		for _, j := range jobs {
			if err := w.s.Work(w.t.Context(), j); err != nil {
				w.t.Fatalf("%s: %v", j.Kind, err)
			}
		}
	}
}

// ask is ana's, by the finding.
func ask() approvals.Ask {
	return approvals.Ask{
		Check: "VLT-001", Service: worker, By: "ana", Via: approvals.ByCommand, Reason: "worker is down",
		Place: approvals.Place{Channel: channel, Thread: "1.1"}, Lang: "en",
	}
}

// asked is a request of ana's, shown.
func (w *world) asked() approvals.Request {
	w.t.Helper()
	r, found, err := w.s.Ask(w.t.Context(), ask())
	if err != nil || found {
		w.t.Fatalf("ask: %v, found %v", err, found)
	}
	w.show(r.ID)
	return w.find(r.ID)
}

func (w *world) show(id string) {
	w.t.Helper()
	if err := w.s.Work(w.t.Context(), approvals.Job{Kind: approvals.JobShow, Request: id}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) find(id string) approvals.Request {
	w.t.Helper()
	r, err := w.s.Find(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// react is a vote by reaction on the card.
func react(r approvals.Request, by string, c approvals.Choice) approvals.Ballot {
	return approvals.Ballot{Request: r.ID, Card: r.Card.TS, Channel: r.Card.Channel, By: by, Via: approvals.ByReaction, Choice: c}
}

// say is a vote by command.
func say(r approvals.Request, by string, c approvals.Choice, reason string) approvals.Ballot {
	return approvals.Ballot{Request: r.ID, Channel: channel, By: by, Via: approvals.ByCommand, Choice: c, Reason: reason}
}

func (w *world) vote(b approvals.Ballot) approvals.Request {
	w.t.Helper()
	r, err := w.s.Vote(w.t.Context(), b)
	if err != nil {
		w.t.Fatalf("vote of %s: %v", b.By, err)
	}
	return r
}

// approved is a request that bruno approved, not yet carried out.
func (w *world) approved() approvals.Request {
	w.t.Helper()
	r := w.asked()
	if r = w.vote(react(r, "bruno", approvals.Approve)); r.State != approvals.Approved {
		w.t.Fatalf("the request is %s", r.State)
	}
	return r
}

// ends has the jobs done, and wants a request in a state.
func (w *world) ends(id string, want approvals.State) approvals.Request {
	w.t.Helper()
	w.work()
	r := w.find(id)
	if r.State != want {
		w.t.Fatalf("the request is %s (%s), want %s", r.State, r.Ending, want)
	}
	return r
}

// refused wants a refusal, and that the audit has it.
func (w *world) refused(err error, want approvals.Why, actor string) {
	w.t.Helper()
	var r *approvals.Refusal
	if !errors.As(err, &r) || r.Why != want {
		w.t.Fatalf("got %v, want the refusal %s", err, want)
	}
	trail, _ := w.store.Trail(w.t.Context(), approvals.TrailFilter{})
	last := trail[len(trail)-1]
	if last.Deed != approvals.DeedRefused || last.Actor != actor || last.Detail[approvals.KeyWhy] != string(want) {
		w.t.Fatalf("the last audit entry is %+v, want the refusal %s of %s", last.Note, want, actor)
	}
}

// deeds are what the audit of a request tells, in order.
func (w *world) deeds(id string) []approvals.Deed {
	w.t.Helper()
	trail, err := w.s.Trail(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var deeds []approvals.Deed
	for _, e := range trail {
		deeds = append(deeds, e.Deed)
	}
	return deeds
}
