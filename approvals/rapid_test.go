package approvals_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/approvals"
)

// Whatever people do, and whatever becomes of them meanwhile, nothing is carried
// out that is not approved, at that moment, by as many entitled, distinct, other
// people as the policy asks for; and the audit has it all.
func TestNothingMovesWithoutASecondPerson(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, risk(rapid.SampledFrom([]approvals.Risk{approvals.Low, approvals.Medium}).Draw(rt, "risk")))
		m := &machine{w: w, t: rt, ids: []string{"none"}}
		w.execute = m.execute
		rt.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "vote": m.vote, "vote again": m.vote, "vote by reaction": m.vote, "withdraw": m.withdraw, "cancel": m.cancel,
			"work": m.work, "leave or join": m.turn, "drift": m.drift, "break": m.fault, "wait": m.wait, "": m.check,
		})
	})
}

// machine is a world to which anything happens.
type machine struct {
	w   *world
	t   *rapid.T
	ids []string
}

var everybody = []string{"ana", "ana.admin", "ana.plus", "bruno", "carla", "davi", "outsider", "guest", "bot", "nomail", "elsewhere"}

func (m *machine) someone() string { return rapid.SampledFrom(everybody).Draw(m.t, "who") }

func (m *machine) some() approvals.Request {
	r, _ := m.w.s.Find(m.w.t.Context(), rapid.SampledFrom(m.ids).Draw(m.t, "request"))
	return r
}

func (m *machine) ask(*rapid.T) {
	a := ask()
	a.By = m.someone()
	if r, _, err := m.w.s.Ask(m.w.t.Context(), a); err == nil && !slices.Contains(m.ids, r.ID) {
		m.ids = append(m.ids, r.ID)
		m.w.show(r.ID)
	}
}

func (m *machine) vote(*rapid.T) {
	r := m.some()
	b := react(r, m.someone(), rapid.SampledFrom([]approvals.Choice{approvals.Approve, approvals.Approve, approvals.Approve, approvals.Deny}).Draw(m.t, "choice"))
	_, _ = m.w.s.Vote(m.w.t.Context(), b)
}

func (m *machine) withdraw(*rapid.T) {
	_, _ = m.w.s.Withdraw(m.w.t.Context(), react(m.some(), m.someone(), approvals.Approve))
}

func (m *machine) cancel(*rapid.T) {
	_, _ = m.w.s.Cancel(m.w.t.Context(), m.some().ID, m.someone(), approvals.ByCommand, "")
}

func (m *machine) work(*rapid.T) {
	m.w.sweep()
	m.w.work()
	for _, id := range m.w.store.order { // replacements are known when they were opened
		if !slices.Contains(m.ids, id) {
			m.ids = append(m.ids, id)
		}
	}
}

func (m *machine) turn(*rapid.T) {
	id := m.someone()
	m.w.set(func() {
		group := rapid.SampledFrom([]string{"sre", "approvers"}).Draw(m.t, "group")
		if i := slices.Index(m.w.groups[group], id); i >= 0 {
			m.w.groups[group] = slices.Delete(slices.Clone(m.w.groups[group]), i, i+1)
			return
		}
		m.w.groups[group] = append(slices.Clone(m.w.groups[group]), id)
	})
}

func (m *machine) drift(*rapid.T) {
	m.w.set(func() { m.w.basis = rapid.SampledFrom([]string{"3", "4"}).Draw(m.t, "basis") })
}

func (m *machine) fault(*rapid.T) { m.w.set(func() { m.w.status = "fail" }) }

func (m *machine) wait(*rapid.T) {
	m.w.pass(time.Duration(rapid.IntRange(1, 20).Draw(m.t, "minutes")) * time.Minute)
}

func (m *machine) check(*rapid.T) {
	if err := m.w.store.intact(); err != nil {
		m.t.Fatal(err)
	}
}

// execute is the remedy: it looks who let it be carried out.
func (m *machine) execute(ctx context.Context, act approvals.Act) error {
	running, err := m.w.s.List(ctx, approvals.Filter{States: []approvals.State{approvals.Executing}})
	if err != nil || len(running) != 1 {
		m.t.Fatalf("%d requests are carried out at once, %v", len(running), err)
	}
	r, persons := running[0], map[string]bool{}
	for _, v := range r.Approvals() {
		if !m.entitled(v.ID) {
			continue
		}
		persons[personOf(v.ID)] = true
	}
	delete(persons, personOf(r.Requester.ID))
	if len(persons) < policy().Risks[r.Plan.Risk].Quorum {
		m.t.Fatalf("carried out for %s with the approvals of %v", r.Requester.ID, persons)
	}
	return m.w.mend(ctx, act)
}

func (m *machine) entitled(id string) bool {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	a := m.w.accounts[id]
	return a.Standing == approvals.Member && a.Team == team && slices.Contains(m.w.groups["approvers"], id)
}

// personOf is who an account is, as the tests know.
func personOf(id string) string {
	who, _, _ := strings.Cut(id, ".")
	return who
}
