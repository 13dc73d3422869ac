package remedies

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/i18n"
)

// office is all that a service of approvals needs, for one request after the
// other: a store that keeps requests as JSON, a workspace of members, a thread.
type office struct {
	mu       sync.Mutex
	requests map[string][]byte
	cards    map[string]approvals.Card
	chain    []approvals.Entry
	said     []string
	onSay    func()
}

func (o *office) Commit(_ context.Context, c approvals.Change) (approvals.Entry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.Request != nil {
		r := *c.Request
		r.Version++
		raw, err := json.Marshal(r)
		if err != nil {
			return approvals.Entry{}, err
		}
		o.requests[r.ID] = raw
	}
	if c.Card != nil {
		o.cards[c.Card.Request] = c.Card.Card
	}
	before := approvals.Genesis
	for _, n := range c.Notes {
		if len(o.chain) > 0 {
			before = o.chain[len(o.chain)-1].Hash
		}
		o.chain = append(o.chain, approvals.Seal(n, int64(len(o.chain)+1), before))
	}
	return approvals.Entry{}, nil
}

func (o *office) Request(_ context.Context, id string) (r approvals.Request, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.requests[id] == nil {
		return r, approvals.ErrNotFound
	}
	err = json.Unmarshal(o.requests[id], &r)
	r.Card = o.cards[id]
	return r, err
}

func (o *office) Trail(context.Context, approvals.TrailFilter) ([]approvals.Entry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.chain, nil
}

func (*office) Requests(context.Context, approvals.Filter) ([]approvals.Request, error) {
	return nil, nil
}

func (*office) Freezes(context.Context) ([]approvals.Freeze, error)           { return nil, nil }
func (*office) Broken(context.Context) (*approvals.Break, error)              { return nil, nil }
func (*office) Release(context.Context, string, string) error                 { return nil }
func (*office) Hold(context.Context, string, string, time.Time) (bool, error) { return true, nil }
func (*office) Member(context.Context, string, string) (bool, error)          { return true, nil }
func (*office) Account(_ context.Context, id string) (approvals.Account, error) {
	return approvals.Account{ID: id, Team: "T1", Name: id, Email: id + "@example.com", Standing: approvals.Member}, nil
}

func (*office) Show(_ context.Context, r approvals.Request, _ []approvals.Entry) (approvals.Card, error) {
	return approvals.Card{Channel: "C1", TS: "1." + r.ID}, nil
}

func (*office) Refused(context.Context, approvals.Request, string, *approvals.Refusal) {}

func (*office) Votes(context.Context, approvals.Request) (map[string][]approvals.Choice, error) {
	return nil, nil
}

func (o *office) Say(_ context.Context, _ approvals.Request, line i18n.Text) error {
	o.mu.Lock()
	o.said = append(o.said, line.EN, line.PT)
	o.mu.Unlock()
	o.onSay()
	return nil
}

// TestFromAskToProof takes every remedy the whole way: asked with as little as a
// person says, planned, approved by another, planned again, carried out, proved.
// Nowhere is a secret written down.
func TestFromAskToProof(t *testing.T) {
	b := startBench(t)
	b.connectDatabase(t)
	for _, make := range vaultRemedies {
		remedy := make(b.deps).Remedy
		t.Run(remedy.Name, func(t *testing.T) {
			o := &office{requests: map[string][]byte{}, cards: map[string]approvals.Card{}, onSay: func() {}}
			if remedy.Name == "kv-write" {
				o.onSay = func() { b.put(t, canary) }
			}
			s := b.service(t, o)
			ask := approvals.Ask{Remedy: remedy.Name, Service: "orchestrator", By: "ana", Via: approvals.ByCommand, Lang: "pt-BR", Params: b.ailing(t, remedy.Name)}
			r, _, err := s.Ask(soon(t), ask)
			check(t, err)
			check(t, s.Work(soon(t), approvals.Job{Kind: approvals.JobShow, Request: r.ID}))
			_, err = s.Vote(soon(t), approvals.Ballot{Request: r.ID, By: "bruno", Via: approvals.ByCommand, Choice: approvals.Approve})
			check(t, err)
			check(t, s.Work(soon(t), approvals.Job{Kind: approvals.JobExecute, Request: r.ID}))
			if r = must[approvals.Request](t)(s.Find(soon(t), r.ID)); r.State != approvals.Verified {
				t.Errorf("it ends as %s: %s\n%+v", r.State, r.Ending, r.Run.Steps)
			}
			noCanary(t, r, o.chain, o.said)
			if _, privileged := strings.CutPrefix(lastCall(r), "PUT /v1/auth/token/revoke-self"); privileged == (remedy.Name == "kv-write") {
				t.Errorf("the last call is %s", lastCall(r))
			}
		})
	}
}

func lastCall(r approvals.Request) string { return r.Run.Steps[len(r.Run.Steps)-1].Call }

// service is one whose checks are content.
func (b *bench) service(t *testing.T, o *office) *approvals.Service {
	t.Helper()
	anybody := approvals.Rule{Approve: approvals.Who{Groups: []string{"S1"}}, Quorum: 1}
	return must[*approvals.Service](t)(approvals.New(approvals.Options{
		Policy:   approvals.Policy{Team: "T1", Risks: map[approvals.Risk]approvals.Rule{approvals.Low: anybody, approvals.Medium: anybody, approvals.High: anybody}},
		Remedies: All(b.deps), Store: o, Leases: o, Directory: o, Face: o, Replica: "one",
		Examine: func(_ context.Context, _ string, codes []string) (approvals.Examination, error) {
			var seen approvals.Examination
			for _, code := range codes {
				seen.Checks = append(seen.Checks, approvals.Observation{Code: code, Status: "pass"})
			}
			return seen, nil
		},
	}))
}
