package remedies

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem/approvals"
	"tandem/lab/spiffe"
)

const clusterParent = "spiffe://neural-hive.local/cluster/neural-hive"

// spireBench is a SPIRE server beside the cluster, with no entry of the worker's.
type spireBench struct {
	api    entryv1.EntryClient
	agents agentv1.AgentClient
	deps   Deps
}

func (b *clusterBench) startSPIRE(t *testing.T) *spireBench {
	t.Helper()
	dir := must[string](t)(os.MkdirTemp("", "spire")) // a socket's path is short
	t.Cleanup(func() { os.RemoveAll(dir) })
	server := must[*spiffe.Server](t)(spiffe.Start(t.Context(), spiffe.Config{
		TrustDomain: "neural-hive.local", WorkloadSocket: filepath.Join(dir, "agent"), ServerSocket: filepath.Join(dir, "server"),
		OIDCAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Entries: []spiffe.Entry{},
	}, spiffe.WithLogger(slog.New(slog.DiscardHandler))))
	t.Cleanup(func() { check(t, server.Close()) })
	conn := must[*grpc.ClientConn](t)(grpc.NewClient(server.ServerAddr(), grpc.WithTransportCredentials(insecure.NewCredentials())))
	t.Cleanup(func() { conn.Close() })
	s := &spireBench{api: entryv1.NewEntryClient(conn), agents: agentv1.NewAgentClient(conn), deps: b.deps}
	s.deps.SPIRE.Server, s.deps.SPIRE.Admin = server.ServerAddr(), server.ServerAddr()
	s.declare("k8s:ns:neural-hive-execution", "k8s:sa:worker-agents")
	return s
}

// declare declares the only entry of the worker.
func (s *spireBench) declare(selectors ...string) {
	s.deps.SPIRE.Entries = []Entry{{SPIFFEID: workerSPIFFEID, ParentID: clusterParent, Selectors: selectors, JWTTTL: time.Minute}}
}

func (s *spireBench) stored(t *testing.T) []*types.Entry {
	t.Helper()
	answer, err := s.api.ListEntries(soon(t), &entryv1.ListEntriesRequest{Filter: &entryv1.ListEntriesRequest_Filter{BySpiffeId: &types.SPIFFEID{
		TrustDomain: "neural-hive.local", Path: "/ns/neural-hive-execution/sa/worker-agents",
	}}})
	check(t, err)
	return answer.Entries
}

func (s *spireBench) plan(t *testing.T) approvals.Plan {
	t.Helper()
	return must[approvals.Plan](t)(spireEntry(s.deps).Plan(soon(t), approvals.Want{Service: "worker"}))
}

func (s *spireBench) carryOut(t *testing.T, p approvals.Plan) *record {
	t.Helper()
	act := &record{}
	check(t, spireEntry(s.deps).Execute(soon(t), p, act))
	return act
}

func (s *spireBench) update(t *testing.T, change func(*types.Entry)) {
	t.Helper()
	e := s.stored(t)[0]
	change(e)
	answer, err := s.api.BatchUpdateEntry(soon(t), &entryv1.BatchUpdateEntryRequest{Entries: []*types.Entry{e}})
	check(t, batchError(err, answer))
}

func (b *clusterBench) testEntry(t *testing.T) {
	s := b.startSPIRE(t)
	p := s.plan(t)
	if unmet, ok := p.Unmet(); ok {
		t.Fatalf("unmet: %+v", unmet)
	}
	act := s.carryOut(t, p)
	made := s.stored(t)
	if len(made) != 1 || made[0].JwtSvidTtl != 60 || !slices.Equal(texts(made[0].Selectors), s.deps.SPIRE.Entries[0].Selectors) {
		t.Fatalf("stored: %v", made)
	}
	if !slices.Equal(act.Calls, []string{p.Calls[0].What}) || !strings.Contains(p.WayBack.EN, "entry delete") || !strings.Contains(p.WayBack.EN, made[0].Id) {
		t.Errorf("calls %q, way back %q", act.Calls, p.WayBack.EN)
	}
	// Once more, as after a crash: nothing is called.
	if act = s.carryOut(t, p); len(act.Calls) != 0 || len(s.stored(t)) != 1 {
		t.Errorf("the second time: %q", act.Calls)
	}
	_, err := spireEntry(s.deps).Plan(soon(t), approvals.Want{Service: "worker"})
	if why := refusal(t, err); why != approvals.WhyHealthy {
		t.Errorf("all is stored: %s", why)
	}
	s.testEntryUpdate(t)
}

// testEntryUpdate mends an entry with other selectors.
func (s *spireBench) testEntryUpdate(t *testing.T) {
	s.update(t, func(e *types.Entry) {
		e.Selectors = append(e.Selectors, &types.Selector{Type: "k8s", Value: "pod-label:app:worker-v2"})
		e.FederatesWith, e.Hint = []string{"other.example"}, "old"
	})
	p, before := s.plan(t), s.stored(t)[0]
	if !strings.Contains(p.WayBack.EN, "-selector k8s:pod-label:app:worker-v2") || !strings.Contains(p.WayBack.EN, "-federatesWith other.example") || !strings.Contains(p.WayBack.EN, "-hint old") {
		t.Errorf("way back: %s", p.WayBack.EN)
	}
	// Somebody is faster: what was approved is not done.
	s.update(t, func(e *types.Entry) { e.Hint = "newer" })
	act := &record{}
	err := spireEntry(s.deps).Execute(soon(t), p, act)
	var trouble *approvals.Trouble
	if !errors.As(err, &trouble) || len(act.Calls) != 0 {
		t.Errorf("an entry that somebody changed: %v, calls %q", err, act.Calls)
	}
	if again := s.plan(t); again.Fingerprint() == p.Fingerprint() {
		t.Error("another revision has the same fingerprint")
	}
	s.carryOut(t, s.plan(t))
	after := s.stored(t)
	if len(after) != 1 || after[0].Id != before.Id || after[0].Hint != "" || !slices.Equal(texts(after[0].Selectors), s.deps.SPIRE.Entries[0].Selectors) {
		t.Errorf("stored: %v", after)
	}
	if !slices.Equal(after[0].FederatesWith, []string{"other.example"}) {
		t.Errorf("what is not declared changed: %v", after[0])
	}
	s.update(t, func(e *types.Entry) { e.Admin, e.Hint = true, "x" })
	if unmet, ok := s.plan(t).Unmet(); !ok || !strings.Contains(unmet.Text.EN, "admin") {
		t.Errorf("an admin's entry: %+v", unmet)
	}
}

func (b *clusterBench) testEntryReach(t *testing.T) {
	s := b.startSPIRE(t)
	for name, tt := range map[string]struct {
		selectors []string
		want      string // of what was observed; empty: it holds
	}{
		"by service account":    {[]string{"k8s:ns:neural-hive-execution", "k8s:sa:worker-agents"}, ""},
		"by label":              {[]string{"k8s:ns:neural-hive-execution", "k8s:pod-label:app:worker"}, ""},
		"by container and node": {[]string{"k8s:ns:neural-hive-execution", "k8s:container-name:worker", "k8s:node-name:neural-hive-node-1"}, ""},
		"a stranger":            {[]string{"k8s:ns:neural-hive-core", "k8s:sa:service-registry"}, "they also match 1 pods of others, like service-registry-"},
		"nobody":                {[]string{"k8s:ns:neural-hive-execution", "k8s:pod-label:app:worker-v2"}, "they match no living pod of the service"},
		"everywhere":            {[]string{"k8s:sa:worker-agents"}, "they name no namespace"},
		"two namespaces":        {[]string{"k8s:ns:neural-hive-execution", "k8s:ns:neural-hive-core"}, "they name two namespaces"},
		"an image":              {[]string{"k8s:ns:neural-hive-execution", "k8s:container-image:x"}, `the selector "k8s:container-image:x" cannot be compared with pods`},
		"a process":             {[]string{"unix:uid:0"}, `the selector "unix:uid:0" cannot be compared with pods`},
		"a hidden namespace":    {[]string{"k8s:ns:kube-system"}, "the pods of kube-system cannot be listed"},
	} {
		s.declare(tt.selectors...)
		unmet, broken := s.plan(t).Unmet()
		if broken != (tt.want != "") || !strings.HasPrefix(unmet.Observed, tt.want) {
			t.Errorf("%s: observed %q, want %q", name, unmet.Observed, tt.want)
		}
		if broken { // also when nobody asked before
			act := &record{}
			if err := spireEntry(s.deps).Execute(soon(t), s.plan(t), act); err == nil || len(act.Calls) != 0 {
				t.Errorf("%s: it is written: %v", name, err)
			}
		}
	}
	s.deps.Kubernetes = Kubernetes{}
	if _, broken := s.plan(t).Unmet(); !broken {
		t.Error("without a cluster nobody can tell, and it holds")
	}
}

func (b *clusterBench) testEntries(t *testing.T) {
	s := b.startSPIRE(t)
	s.deps.Services = slices.Clone(s.deps.Services)
	for i, path := range []string{"/ns/neural-hive-orchestration/sa/orchestrator-dynamic", "/ns/neural-hive-execution/sa/worker-agents", "/ns/neural-hive-core/sa/service-registry"} {
		id := "spiffe://neural-hive.local" + path
		s.deps.Services[i].SPIFFEID = id
		names := strings.Split(path, "/")
		if i != 1 {
			s.deps.SPIRE.Entries = append(s.deps.SPIRE.Entries, Entry{SPIFFEID: id, ParentID: clusterParent, Selectors: []string{"k8s:ns:" + names[2], "k8s:sa:" + names[4]}})
		}
	}
	remedy := spireEntries(s.deps)
	p := must[approvals.Plan](t)(remedy.Plan(soon(t), approvals.Want{}))
	if unmet, ok := p.Unmet(); ok || len(p.Calls) != 3 || p.Target != "spire:entries" {
		t.Fatalf("%d calls, unmet %+v", len(p.Calls), unmet)
	}
	s.carryOut(t, s.plan(t)) // the worker's alone, meanwhile
	act := &record{}
	check(t, remedy.Execute(soon(t), p, act))
	if len(act.Calls) != 2 {
		t.Errorf("calls: %q", act.Calls)
	}
	_, err := remedy.Plan(soon(t), approvals.Want{})
	if why := refusal(t, err); why != approvals.WhyHealthy {
		t.Errorf("all is stored: %s", why)
	}
}

func TestCompareKeepsEntriesThatNobodyDeclared(t *testing.T) {
	declared := func(selectors ...string) Entry {
		return Entry{SPIFFEID: workerSPIFFEID, ParentID: clusterParent, Selectors: selectors}
	}
	entry := func(id string, e Entry) *types.Entry {
		made := must[*types.Entry](t)(e.proto())
		made.Id = id
		return made
	}
	other := declared("k8s:ns:a", "k8s:sa:x")
	other.ParentID = "spiffe://neural-hive.local/cluster/another"
	for name, tt := range map[string]struct {
		declared []Entry
		stored   []*types.Entry
		want     []string // ids that are updated; "" for one that is created
	}{
		"as declared, in another order": {[]Entry{declared("k8s:sa:b", "k8s:ns:a")}, []*types.Entry{entry("1", declared("k8s:ns:a", "k8s:sa:b"))}, nil},
		"the only one that is meant":    {[]Entry{declared("k8s:ns:a")}, []*types.Entry{entry("1", declared("k8s:ns:b"))}, []string{"1"}},
		"two that may be meant":         {[]Entry{declared("k8s:ns:a")}, []*types.Entry{entry("1", declared("k8s:ns:b")), entry("2", declared("k8s:ns:c"))}, []string{""}},
		"one beside the declared":       {[]Entry{declared("k8s:ns:a")}, []*types.Entry{entry("1", declared("k8s:ns:b")), entry("2", declared("k8s:ns:a"))}, nil},
		"two that are declared":         {[]Entry{declared("k8s:ns:a"), declared("k8s:ns:b")}, []*types.Entry{entry("1", declared("k8s:ns:c"))}, []string{"", ""}},
		"below another parent":          {[]Entry{declared("k8s:ns:a")}, []*types.Entry{entry("1", other)}, []string{""}},
	} {
		var got []string
		for _, w := range must[[]entryWork](t)(compare(tt.declared, tt.stored)) {
			if w.stored == nil {
				got = append(got, "")
				continue
			}
			got = append(got, w.stored.Id)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := compare([]Entry{declared("nothing")}, nil); refusal(t, err) != approvals.WhyParameters {
		t.Errorf("a selector that is none: %v", err)
	}
}
