package slack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
	"tandem/i18n"
	lab "tandem/lab/slack"
	"tandem/store"
	"tandem/watches"
)

// People of the workspace, beside the others'.
const (
	anaAdmin = "U0ANAADM01" // ana's second account, with the same address
	anaOther = "U0ANAOTHER" // ana's third one, which the map of people names
	deploy   = "U0DEPLOYB1" // a bot
)

// canaries must stand nowhere: what a secret holds, and what a foreign server
// says when it breaks.
const (
	canaryValue = "canary-secret-of-the-database"
	canaryError = "canary-secret-in-an-error"
)

// stage is a service that fails, remedies that mend it, and the approvals of
// them on a database of their own.
type stage struct {
	t       *testing.T
	dir     string // of the database
	store   *jobs
	service *approvals.Service
	watches *watches.Service // nil: there are none
	told    []approvals.Change
	policy  approvals.Policy

	mu       sync.Mutex
	skipped  time.Duration // by which the time here is ahead
	status   string        // of the service
	version  int           // of the secret
	stubborn bool          // nothing mends it
	broken   bool          // the remedy's server fails
	made     int           // ids
	ran      int           // how often a remedy was carried out
	during   func()        // in the middle of a remedy
}

// jobs is a store whose jobs the test does, one after the other.
type jobs struct {
	*store.Store
	now func() time.Time

	mu  sync.Mutex
	due []approvals.Job
}

func (s *jobs) Commit(ctx context.Context, c approvals.Change) (approvals.Entry, error) {
	made := c.Jobs
	c.Jobs = nil
	e, err := s.Store.Commit(ctx, c)
	if err == nil {
		s.add(made...)
	}
	return e, err
}

func (s *jobs) add(made ...approvals.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = append(s.due, made...)
}

// take returns the first job that is due, and forgets it.
func (s *jobs) take() (approvals.Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, j := range s.due {
		if !j.At.After(s.now()) {
			s.due = append(s.due[:i:i], s.due[i+1:]...)
			return j, true
		}
	}
	return approvals.Job{}, false
}

// lose forgets all jobs, as a queue that was lost.
func (s *jobs) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = nil
}

func newStage(t *testing.T, change ...func(*stage)) *stage {
	t.Helper()
	s := &stage{t: t, status: "fail", version: 3, policy: stagePolicy()}
	for _, f := range change {
		f(s)
	}
	s.dir = t.TempDir()
	kept, err := store.Open(t.Context(), store.Options{SQLite: filepath.Join(s.dir, "approvals.db"), Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	s.store = &jobs{Store: kept, now: s.now}
	s.service = s.newService()
	return s
}

// stagePolicy has one rule of each kind: a reaction, two people, and a reason.
func stagePolicy() approvals.Policy {
	oncall := approvals.Who{Groups: []string{sre}}
	both := approvals.Who{Groups: []string{sre, security}}
	return approvals.Policy{
		Risks: map[approvals.Risk]approvals.Rule{
			approvals.Low:    {Ask: oncall, Approve: both, Reactions: true},
			approvals.Medium: {Ask: oncall, Approve: both, Quorum: 2, Reactions: true},
			approvals.High:   {Ask: oncall, Approve: approvals.Who{Groups: []string{security}}, Reason: true},
		},
		People:     map[string]string{ana: "ana", anaOther: "ana"},
		BreakGlass: &approvals.BreakGlass{Who: approvals.Who{People: []string{bruno}}, Risks: []approvals.Risk{approvals.Low}, Channel: warRoom},
	}
}

func (s *stage) newService() *approvals.Service {
	service, err := approvals.New(approvals.Options{
		Policy: s.policy, Remedies: s.remedies(), Store: s.store, Leases: s.store, Examine: s.examine, Replica: "r1", Now: s.now,
		NewID: s.newID, Told: func(c approvals.Change) { s.set(func() { s.told = append(s.told, c) }) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return service
}

// on has the approvals of the stage in a workspace.
func (s *stage) on(o *Options, c *lab.Config) {
	o.Approvals, o.Watches, o.Diagnoser, o.Now, c.Now = s.service, s.watches, s, s.now, s.now
	people, groups := peopleAndGroups()
	c.People, c.UserGroups = people, groups
}

// peopleAndGroups has everybody in @sre whose group alone must not be enough.
func peopleAndGroups() ([]lab.Person, []lab.UserGroup) {
	mail := func(name string) string { return name + "@neural-hive.example" }
	people := []lab.Person{
		{ID: ana, Name: "ana", RealName: "Ana Souza", Email: mail("ana"), TZ: "America/Sao_Paulo", Locale: "pt-BR"},
		{ID: bruno, Name: "bruno", RealName: "Bruno Lima", Email: mail("bruno"), TZ: "America/New_York", Locale: "en-US"},
		{ID: carla, Name: "carla", RealName: "Carla Dias", Email: mail("carla"), TZ: "Europe/Lisbon", Locale: "en-US"},
		{ID: anaAdmin, Name: "ana.admin", RealName: "Ana Souza (admin)", Email: mail("Ana+admin"), Locale: "pt-BR", IsAdmin: true},
		{ID: anaOther, Name: "ana.other", RealName: "A. Souza", Email: "ana@private.example", Locale: "pt-BR"},
		{ID: gil, Name: "gil", RealName: "Gil Prado", Email: "gil@contractor.example", Locale: "pt-BR", IsRestricted: true},
		{ID: paula, TeamID: "T0PARTNER1", Name: "paula", RealName: "Paula Reis", IsStranger: true},
		{ID: deploy, Name: "deploybot", RealName: "Deploy Bot", IsBot: true, Locale: "en-US"},
		{ID: "U0EVA00001", Name: "eva", RealName: "Eva Nunes", Email: mail("eva"), Locale: "en-US"},
		{ID: "U0NOMAIL01", Name: "nomail", RealName: "No Mail", Locale: "en-US"},
	}
	return people, []lab.UserGroup{
		{ID: sre, Handle: "sre", Name: "Site reliability", Users: []string{ana, bruno, anaAdmin, anaOther, gil, paula, deploy, "U0NOMAIL01"}},
		{ID: security, Handle: "security", Name: "Security", Users: []string{carla}},
	}
}

// files are what the database is in.
func (s *stage) files() []string {
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func (s *stage) newID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return fmt.Sprintf("k3xq7m2v9a%02d", s.made)
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.skipped)
}

func (s *stage) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stage) get() (status string, version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, s.version
}

// work does all jobs that are due. Those that fail are kept for the next time.
func (s *stage) work() {
	var failed []approvals.Job
	for j, ok := s.store.take(); ok; j, ok = s.store.take() {
		if err := s.service.Work(s.t.Context(), j); err != nil {
			s.t.Logf("%s of %s is done again later: %v", j.Kind, j.Request, err)
			failed = append(failed, j)
		}
	}
	s.store.add(failed...)
}

// remedies are one of each risk, one whose plan fits on no card, and a procedure.
func (s *stage) remedies() []approvals.Remedy {
	return []approvals.Remedy{
		{
			Name: "kv-undelete", Risk: approvals.Low, Settle: time.Millisecond,
			Title: both("Undelete a secret", "Restaurar um segredo"),
			About: both("Brings back the version that was deleted last.", "Traz de volta a versão apagada por último."),
			Plan:  s.planning(approvals.Low, 1), Execute: s.undelete,
		},
		{
			Name: "kv-rollback", Risk: approvals.Medium, Settle: time.Millisecond,
			Title: both("Roll a secret back", "Voltar um segredo"),
			About: both("Writes an older version again.", "Grava de novo uma versão antiga."),
			Plan:  s.planning(approvals.Medium, 1), Execute: s.undelete,
		},
		{
			Name: "policy-fix", Risk: approvals.High, Settle: time.Millisecond,
			Title: both("Write a reviewed policy", "Gravar uma policy revisada"),
			About: both("Writes the policy from the reviewed text.", "Grava a policy a partir do texto revisado."),
			Plan:  s.planning(approvals.High, 1), Execute: s.undelete,
		},
		{
			Name: "spire-entries", Risk: approvals.Low, Settle: time.Millisecond,
			Title: both("Create the declared entries", "Criar as entradas declaradas"),
			About: both("Creates the entries that are declared and missing.", "Cria as entradas declaradas que faltam."),
			Plan:  s.planning(approvals.Low, 200), Execute: s.undelete,
		},
		{
			Name: "e2e", Risk: approvals.Low, Procedure: true, Settle: time.Millisecond,
			Title: both("Run the end-to-end check", "Rodar a verificação de ponta a ponta"),
			About: both("Runs the check as a Job, and reads its report.", "Roda a verificação como Job e lê o relatório."),
			Plan:  s.planProcedure, Execute: s.endToEnd,
		},
	}
}

// planning plans so many calls against the secret as it is now.
func (s *stage) planning(risk approvals.Risk, calls int) func(context.Context, approvals.Want) (approvals.Plan, error) {
	return func(_ context.Context, want approvals.Want) (approvals.Plan, error) {
		if want.Service != "worker" {
			return approvals.Plan{}, &approvals.Refusal{Why: approvals.WhyParameters, Detail: diagnostics.Text{EN: "no service is called " + want.Service}}
		}
		_, version := s.get()
		p := approvals.Plan{
			Target: "vault:secret/worker/mongodb", Risk: risk,
			Does: both(fmt.Sprintf("Undelete version %d of secret/worker/mongodb", version),
				fmt.Sprintf("Restaurar a versão %d de secret/worker/mongodb", version)),
			Why:           []approvals.Evidence{{Code: "KVS-001", Invocation: "vault kv metadata get secret/worker/mongodb", Observed: fmt.Sprintf("version %d is deleted", version), At: noon}},
			Basis:         []approvals.Fact{{Name: "current_version", Value: fmt.Sprint(version)}},
			Preconditions: []approvals.Precondition{{Text: both("the version is not destroyed", "a versão não foi destruída"), Holds: true}},
			Blast:         both("worker reads the secret again within a minute", "worker lê o segredo de novo em até um minuto"),
			WayBack:       both("delete the version again", "apagar a versão de novo"),
			Proof:         []string{"KVS-001"},
		}
		for i := range calls {
			p.Calls = append(p.Calls, approvals.Call{System: "vault", What: fmt.Sprintf(`PUT /v1/secret/undelete/worker/mongodb {"versions":[%d]}%s`, version, strings.Repeat(" ", i))})
		}
		return p, nil
	}
}

// undelete mends the service by one call, as far as the world lets it.
func (s *stage) undelete(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	return act.Call(ctx, p.Calls[0].What, "vault role tandem-kv-undelete", func(context.Context) (string, error) {
		s.set(func() { s.ran++ })
		s.mu.Lock()
		during, broken, stubborn := s.during, s.broken, s.stubborn
		s.mu.Unlock()
		if during != nil {
			during()
		}
		if broken {
			return canaryValue, errors.New(canaryError)
		}
		if !stubborn {
			s.set(func() { s.status = "pass" })
		}
		return "204", nil
	})
}

func (s *stage) planProcedure(_ context.Context, want approvals.Want) (approvals.Plan, error) {
	return approvals.Plan{
		Target: "job:e2e/" + want.Service, Risk: approvals.Low,
		Does:  both("Run the end-to-end check of "+want.Service, "Rodar a verificação de ponta a ponta de "+want.Service),
		Calls: []approvals.Call{{System: "kubernetes", What: "create job e2e from the allowed template"}},
		Blast: both("nobody", "ninguém"), WayBack: both("nothing to undo", "nada a desfazer"),
	}, nil
}

func (s *stage) endToEnd(ctx context.Context, _ approvals.Plan, act approvals.Act) error {
	err := act.Call(ctx, "create job e2e", "kubernetes tandem-e2e", func(context.Context) (string, error) { return "created", nil })
	for _, line := range []string{"ok  login with the SVID", "ok  query the database"} { // a third may come with the second, or not
		if err == nil {
			err = act.Say(ctx, i18n.Text{EN: line, PT: line})
		}
	}
	return err
}

// examine runs the one check that there is.
func (s *stage) examine(_ context.Context, service string, _ []string) (approvals.Examination, error) {
	status, _ := s.get()
	if service != "worker" {
		status = "pass"
	}
	o := approvals.Observation{
		Code: "KVS-001", Title: both("The secret can be read", "O segredo pode ser lido"), Status: status,
		Summary: both("the newest version is deleted", "a versão mais nova está apagada"),
	}
	if status == "pass" {
		o.Summary = both("the newest version is there", "a versão mais nova está lá")
	} else {
		for _, fix := range stageFixes() {
			o.Fixes = append(o.Fixes, approvals.Fix{Remedy: fix.Remedy})
		}
	}
	return approvals.Examination{At: s.now(), Status: status, Checks: []approvals.Observation{o}}, nil
}

// stageFixes are what the finding offers.
func stageFixes() []diagnostics.Fix {
	return []diagnostics.Fix{{Remedy: "kv-undelete"}, {Remedy: "kv-rollback"}, {Remedy: "policy-fix"}, {Remedy: "spire-entries"}}
}

// Services implements commands.Diagnoser, as do the two below.
func (s *stage) Services() []string { return []string{"orchestrator", "service-registry", "worker"} }

func (s *stage) Checks() []commands.CheckInfo {
	return []commands.CheckInfo{{Code: "KVS-001", Row: 1, Title: both("The secret can be read", "O segredo pode ser lido")}}
}

func (s *stage) Diagnose(ctx context.Context, service string, _ commands.Options) (diagnostics.Report, error) {
	seen, err := s.examine(ctx, service, nil)
	o := seen.Checks[0]
	r := diagnostics.Report{
		Target: service, At: noon, Took: 400 * time.Millisecond,
		Verdict: diagnostics.Verdict{Status: diagnostics.Status(o.Status), Headline: o.Summary},
		Checks:  []diagnostics.Result{{Code: o.Code, Title: o.Title, Status: diagnostics.Status(o.Status), Summary: o.Summary}},
	}
	if o.Status == "fail" {
		fixes := stageFixes()
		r.Checks[0].Fixes = fixes
		r.Verdict.Causes = []diagnostics.Cause{{Code: o.Code, Title: o.Title, Fixes: fixes}}
	}
	return r, err
}
