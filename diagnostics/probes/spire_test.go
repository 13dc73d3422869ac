package probes

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"tandem/diagnostics"
	"tandem/lab/spiffe"
)

func TestSPIREServer(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spireProbes{SPIFFE: deps, now: now}
	if err := world.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err := p.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	kids := world.State().Kids.Server
	slices.Sort(kids)
	if !facts.Reachable || !facts.Serving || facts.X509Authorities != 1 || facts.ActiveKid != world.State().JWT.Active || !facts.ActiveInBundle || !facts.ActiveExpiresAt.After(at) {
		t.Errorf("facts are %+v", facts)
	}
	if diff := cmp.Diff(kids, facts.JWTKids); diff != "" || len(kids) != 2 {
		t.Error(diff)
	}
	inject(t, world, spiffe.Faults{ServerUnhealthy: true})
	facts, evidence, err = p.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Serving || !facts.Reachable {
		t.Errorf("unhealthy gives %+v", facts)
	}
	inject(t, world, spiffe.Faults{ServerDown: true})
	facts, evidence, err = p.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if diff := cmp.Diff(SPIREServer{Problem: "refused"}, facts); diff != "" {
		t.Error(diff)
	}
	p.ServerAddress = "unix://" + filepath.Join(t.TempDir(), "none")
	facts, evidence, err = p.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if diff := cmp.Diff(SPIREServer{Problem: "missing"}, facts); diff != "" {
		t.Error(diff)
	}
}

func TestSPIREEntries(t *testing.T) {
	_, deps := spiffeWorld(t, func(c *spiffe.Config) {
		c.Entries = []spiffe.Entry{
			{SPIFFEID: workerID, Selectors: []string{"k8s:ns:ne", "k8s:sa:worker"}, JWTTTL: spiffe.Duration(5 * time.Minute)},
			{SPIFFEID: workerID, Selectors: []string{"k8s:ns:ne", "k8s:sa:worker", "k8s:pod-label:app:worker", "k8s:pod-label:tier:x"}},
			{SPIFFEID: "spiffe://neural-hive.local/other", Selectors: []string{"k8s:ns:ne"}},
		}
	})
	p := spireProbes{SPIFFE: deps, now: now}
	for name, c := range map[string]struct {
		live    []string
		matches []bool // in the order of the number of selectors
		missing []string
		others  []string
	}{
		"one applies": {[]string{"k8s:ns:ne", "k8s:sa:worker", "k8s:pod-label:app:worker"}, []bool{true, false}, nil, []string{"spiffe://neural-hive.local/other"}},
		"renamed":     {[]string{"k8s:ns:ne", "k8s:sa:work"}, []bool{false, false}, []string{"k8s:sa:worker"}, []string{"spiffe://neural-hive.local/other"}},
		"elsewhere":   {[]string{"k8s:ns:x"}, []bool{false, false}, []string{"k8s:ns:ne", "k8s:sa:worker"}, nil},
		"unknown":     {nil, []bool{false, false}, []string{"k8s:ns:ne", "k8s:sa:worker"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			facts, evidence, err := p.entries(soon(t), EntriesArgs{SPIFFEID: workerID, Selectors: c.live})
			wantSeen(t, facts, evidence, err)
			slices.SortFunc(facts.Entries, func(a, b Entry) int { return len(a.Selectors) - len(b.Selectors) })
			slices.Sort(facts.MissingSelectors)
			got := []bool{facts.Entries[0].Matches, facts.Entries[1].Matches}
			matching := int64(0)
			for _, m := range c.matches {
				if m {
					matching++
				}
			}
			if !slices.Equal(got, c.matches) || facts.Count != 2 || facts.Matching != matching || facts.Entries[0].JWTSVIDTTL != 5*time.Minute || facts.Entries[0].ParentID == "" {
				t.Errorf("facts are %+v", facts)
			}
			if diff := cmp.Diff([][]string{c.missing, c.others}, [][]string{facts.MissingSelectors, facts.OtherIDs}); diff != "" {
				t.Error(diff)
			}
		})
	}
	facts, evidence, err := p.entries(soon(t), EntriesArgs{SPIFFEID: "spiffe://neural-hive.local/none", Selectors: []string{"k8s:ns:ne"}})
	wantSeen(t, facts, evidence, err)
	if facts.Count != 0 || len(facts.OtherIDs) != 1 || len(facts.MissingSelectors) != 0 {
		t.Errorf("facts of no entry are %+v", facts)
	}
}

func TestCompareEntriesPastTheirTime(t *testing.T) {
	entry := &types.Entry{Id: "e", Selectors: []*types.Selector{{Type: "a", Value: "b"}}, ExpiresAt: at.Unix()}
	args := EntriesArgs{SPIFFEID: workerID, Selectors: []string{"a:b"}}
	facts := compareEntries([]*types.Entry{entry}, []*types.Entry{entry}, args, at)
	if facts.Matching != 0 || !facts.Entries[0].Expired || len(facts.OtherIDs) != 0 {
		t.Errorf("facts are %+v", facts)
	}
	entry.ExpiresAt = 0
	if facts := compareEntries([]*types.Entry{entry}, nil, args, at); facts.Matching != 1 {
		t.Errorf("facts of an entry without an end are %+v", facts)
	}
}

func TestSPIREAgents(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spireProbes{SPIFFE: deps, now: now}
	for _, c := range []struct {
		state string
		want  Agents
	}{
		{"", Agents{Total: 1, Healthy: 1, Nodes: 1}},
		{spiffe.AgentBanned, Agents{Total: 1, Banned: 1, Nodes: 1}},
		{spiffe.AgentExpired, Agents{Total: 1, Expired: 1, Nodes: 1}},
		{spiffe.AgentEvicted, Agents{}},
	} {
		inject(t, world, spiffe.Faults{AgentState: c.state})
		facts, evidence, err := p.agents(soon(t), None{})
		wantSeen(t, facts, evidence, err)
		for _, a := range facts.Agents {
			if !strings.HasPrefix(a.ID, "spiffe://neural-hive.local/spire/agent/") {
				t.Errorf("agent %+v", a)
			}
		}
		facts.Agents = nil
		if diff := cmp.Diff(c.want, facts); diff != "" {
			t.Errorf("%q: %s", c.state, diff)
		}
	}
}

func TestSPIREAgentsThatDiffer(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	p := spireProbes{SPIFFE: deps, now: now}
	inject(t, world, spiffe.Faults{Peers: []string{"", spiffe.AgentStuck, spiffe.AgentOld, spiffe.AgentBanned, spiffe.AgentExpired}})
	facts, evidence, err := p.agents(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	var late, out, versions []string
	for _, a := range facts.Agents {
		if a.Late {
			late = append(late, a.Name)
		}
		if a.Banned || a.Expired {
			out = append(out, a.Node)
		}
		if a.Version == "" || !a.CanReattest || a.Attestation != "k8s_psat" {
			t.Errorf("agent %+v", a)
		}
		versions = append(versions, a.Version)
	}
	want := []any{[]string{"neural-hive-node-3"}, []string{"neural-hive-node-5", "neural-hive-node-6"}, 2}
	slices.Sort(versions)
	if diff := cmp.Diff(want, []any{late, out, len(slices.Compact(versions))}); diff != "" {
		t.Error(diff)
	}
	if words := evidence[0].Observed; !strings.Contains(words, "neural-hive-node-5: banned") || !strings.Contains(words, "and 1 more") {
		t.Errorf("the evidence is %s", words)
	}
}

func TestSPIREAgentsOfOtherKinds(t *testing.T) {
	facts := Agents{}
	facts.take(&types.Agent{Id: &types.SPIFFEID{TrustDomain: "x", Path: "/spire/agent/join_token/abc"}, AttestationType: "join_token", X509SvidExpiresAt: at.Add(time.Hour).Unix()}, at)
	facts.take(&types.Agent{
		Id: &types.SPIFFEID{TrustDomain: "x", Path: "/spire/agent/other/def"}, X509SvidExpiresAt: at.Add(25 * time.Minute).Unix(),
		Selectors: []*types.Selector{{Type: "other", Value: "agent_node_name:n"}},
	}, at)
	facts.compare(at)
	if a := facts.Agents[0]; facts.Nodes != 0 || a.Name != "abc" || a.Node != "" || a.Late {
		t.Errorf("facts are %+v", facts)
	}
	if b := facts.Agents[1]; b.Name != "def" || b.Node != "" || b.Late { // 25 of 60 is later than half less a tenth
		t.Errorf("facts are %+v", facts)
	}
}

// everySPIREProbe asks each of them.
func everySPIREProbe(p spireProbes) map[string]func(ctx context.Context) ([]diagnostics.Evidence, error) {
	return map[string]func(ctx context.Context) ([]diagnostics.Evidence, error){
		"server": func(ctx context.Context) ([]diagnostics.Evidence, error) {
			_, evidence, err := p.server(ctx, None{})
			return evidence, err
		},
		"entries": func(ctx context.Context) ([]diagnostics.Evidence, error) {
			_, evidence, err := p.entries(ctx, EntriesArgs{SPIFFEID: workerID})
			return evidence, err
		},
		"agents": func(ctx context.Context) ([]diagnostics.Evidence, error) {
			_, evidence, err := p.agents(ctx, None{})
			return evidence, err
		},
	}
}

func TestSPIREBlind(t *testing.T) {
	world, deps := spiffeWorld(t, nil)
	inject(t, world, spiffe.Faults{ServerHang: true})
	for probe, ask := range everySPIREProbe(spireProbes{SPIFFE: deps, now: now}) {
		evidence, err := ask(short(t))
		t.Run(probe+" hangs", func(t *testing.T) { wantBlind(t, err, evidence, diagnostics.ReasonTimeout) })
	}
	for probe, ask := range everySPIREProbe(spireProbes{now: now}) {
		evidence, err := ask(soon(t))
		t.Run(probe+" not configured", func(t *testing.T) { wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured) })
	}
	for probe, ask := range everySPIREProbe(spireProbes{SPIFFE: SPIFFE{ServerAddress: closedPort(t)}, now: now}) {
		if probe == "server" { // to which it is a fact
			continue
		}
		evidence, err := ask(soon(t))
		t.Run(probe+" refused", func(t *testing.T) { wantBlind(t, err, evidence, diagnostics.ReasonUnreachable) })
	}
	_, _, err := spireProbes{SPIFFE: deps, now: now}.entries(soon(t), EntriesArgs{SPIFFEID: "worker"})
	if blindOf(t, err).Reason != diagnostics.ReasonNotConfigured {
		t.Errorf("an identity that is none: %v", err)
	}
}

// stingy is a SPIRE server as it answers those who are not administrators.
type stingy struct {
	entryv1.UnimplementedEntryServer
	agentv1.UnimplementedAgentServer
	bundlev1.UnimplementedBundleServer
	localauthorityv1.UnimplementedLocalAuthorityServer
	grpc_health_v1.UnimplementedHealthServer
}

var errDenied = status.Error(codes.PermissionDenied, "authorization denied for method, token="+canary)

func (stingy) ListEntries(context.Context, *entryv1.ListEntriesRequest) (*entryv1.ListEntriesResponse, error) {
	return nil, errDenied
}

func (stingy) ListAgents(context.Context, *agentv1.ListAgentsRequest) (*agentv1.ListAgentsResponse, error) {
	return nil, errDenied
}

func (stingy) GetBundle(context.Context, *bundlev1.GetBundleRequest) (*types.Bundle, error) {
	return &types.Bundle{SequenceNumber: 7, JwtAuthorities: []*types.JWTKey{{KeyId: "b"}, {KeyId: "a"}}}, nil
}

func (stingy) GetJWTAuthorityState(context.Context, *localauthorityv1.GetJWTAuthorityStateRequest) (*localauthorityv1.GetJWTAuthorityStateResponse, error) {
	return nil, errDenied
}

func (stingy) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// The bundle is for everybody, the rest for administrators.
func TestSPIREWithoutRights(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	entryv1.RegisterEntryServer(server, stingy{})
	agentv1.RegisterAgentServer(server, stingy{})
	bundlev1.RegisterBundleServer(server, stingy{})
	localauthorityv1.RegisterLocalAuthorityServer(server, stingy{})
	grpc_health_v1.RegisterHealthServer(server, stingy{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	p := spireProbes{SPIFFE: SPIFFE{ServerAddress: "tcp://" + l.Addr().String()}, now: now}
	facts, evidence, err := p.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if diff := cmp.Diff(SPIREServer{Reachable: true, Serving: true, JWTKids: []string{"a", "b"}, Sequence: 7}, facts); diff != "" {
		t.Error(diff)
	}
	for probe, ask := range everySPIREProbe(p) {
		if probe == "server" {
			continue
		}
		evidence, err := ask(soon(t))
		wantBlind(t, err, evidence, diagnostics.ReasonDenied)
		if next := blindOf(t, err).Next.EN; !strings.Contains(next, "administrators") {
			t.Errorf("the next step is %s", next)
		}
	}
}
