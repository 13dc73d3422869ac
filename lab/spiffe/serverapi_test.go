package spiffe

import (
	"slices"
	"strings"
	"testing"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const aliasID = "spiffe://neural-hive.local/cluster/neural-hive"

func (w *world) entryAPI() entryv1.EntryClient { return entryv1.NewEntryClient(w.dial(w.ServerAddr())) }

func (w *world) agentAPI() agentv1.AgentClient { return agentv1.NewAgentClient(w.dial(w.ServerAddr())) }

func (w *world) authorityAPI() localauthorityv1.LocalAuthorityClient {
	return localauthorityv1.NewLocalAuthorityClient(w.dial(w.ServerAddr()))
}

// paths are the SPIFFE IDs of entries without their trust domain.
func paths(entries []*types.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.SpiffeId.Path)
	}
	return out
}

func TestListAndCountEntries(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	match := func(b types.SelectorMatch_MatchBehavior, texts ...string) *types.SelectorMatch {
		selectors, err := parseSelectors(texts)
		if err != nil {
			t.Fatal(err)
		}
		return &types.SelectorMatch{Match: b, Selectors: selectors}
	}
	const alias, orchestrator, worker, registry, bot = "/cluster/neural-hive",
		"/ns/neural-hive-orchestration/sa/orchestrator-dynamic", "/ns/neural-hive-execution/sa/worker-agents",
		"/ns/neural-hive-core/sa/service-registry", "/ns/tandem/sa/bot"
	for _, tt := range []struct {
		name   string
		filter *entryv1.ListEntriesRequest_Filter
		want   []string
	}{
		{"all", nil, []string{alias, orchestrator, worker, registry, bot}},
		{"by ID", &entryv1.ListEntriesRequest_Filter{BySpiffeId: protoID(t, workerID)}, []string{worker}},
		{"by parent", &entryv1.ListEntriesRequest_Filter{ByParentId: protoID(t, aliasID)}, []string{orchestrator, worker, registry, bot}},
		{"exact", &entryv1.ListEntriesRequest_Filter{BySelectors: match(types.SelectorMatch_MATCH_EXACT, "k8s:sa:worker-agents", "k8s:ns:neural-hive-execution")}, []string{worker}},
		{"exact needs all", &entryv1.ListEntriesRequest_Filter{BySelectors: match(types.SelectorMatch_MATCH_EXACT, "k8s:sa:worker-agents")}, nil},
		{"any", &entryv1.ListEntriesRequest_Filter{BySelectors: match(types.SelectorMatch_MATCH_ANY, "k8s:sa:worker-agents", "k8s:ns:neural-hive-core")}, []string{worker, registry}},
		{"superset", &entryv1.ListEntriesRequest_Filter{BySelectors: match(types.SelectorMatch_MATCH_SUPERSET, "k8s:sa:worker-agents")}, []string{worker}},
		{"subset", &entryv1.ListEntriesRequest_Filter{BySelectors: match(types.SelectorMatch_MATCH_SUBSET, "k8s:sa:worker-agents", "k8s:ns:neural-hive-execution", "k8s:pod-label:app:worker")}, []string{worker}},
		{"hint", &entryv1.ListEntriesRequest_Filter{ByHint: wrapperspb.String("x")}, nil},
		{"downstream", &entryv1.ListEntriesRequest_Filter{ByDownstream: wrapperspb.Bool(true)}, nil},
		{"federation", &entryv1.ListEntriesRequest_Filter{ByFederatesWith: &types.FederatesWithMatch{TrustDomains: []string{"other.test"}, Match: types.FederatesWithMatch_MATCH_ANY}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := api.ListEntries(w.ctx, &entryv1.ListEntriesRequest{Filter: tt.filter})
			if err != nil {
				t.Fatal(err)
			}
			if got := paths(list.Entries); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			f := tt.filter
			count, err := api.CountEntries(w.ctx, &entryv1.CountEntriesRequest{Filter: &entryv1.CountEntriesRequest_Filter{
				BySpiffeId: f.GetBySpiffeId(), ByParentId: f.GetByParentId(), BySelectors: f.GetBySelectors(),
				ByHint: f.GetByHint(), ByDownstream: f.GetByDownstream(), ByFederatesWith: f.GetByFederatesWith(),
			}})
			if err != nil || int(count.Count) != len(tt.want) {
				t.Errorf("counted %d, %v, want %d", count.GetCount(), err, len(tt.want))
			}
		})
	}
}

func TestListEntriesByPages(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	var got []string
	var sizes []int
	token := ""
	for {
		resp, err := api.ListEntries(w.ctx, &entryv1.ListEntriesRequest{PageSize: 2, PageToken: token, OutputMask: &types.EntryMask{SpiffeId: true}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range resp.Entries {
			if e.Id == "" || e.ParentId != nil || e.Selectors != nil {
				t.Errorf("the mask does not hold: %v", e)
			}
		}
		got, sizes = append(got, paths(resp.Entries)...), append(sizes, len(resp.Entries))
		if token = resp.NextPageToken; token == "" {
			break
		}
	}
	if len(got) != 5 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 5 || !slices.Equal(sizes, []int{2, 2, 1, 0}) {
		t.Errorf("got %v in pages of %v", got, sizes)
	}
	_, err := api.ListEntries(w.ctx, &entryv1.ListEntriesRequest{PageSize: 2, PageToken: "x"})
	wantStatus(t, err, codes.Internal, "failed to list entries: could not parse token 'x'")
}

func TestEntryFilterErrors(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	for _, tt := range []struct {
		name   string
		filter *entryv1.ListEntriesRequest_Filter
		want   string
	}{
		{"other domain", &entryv1.ListEntriesRequest_Filter{BySpiffeId: protoID(t, "spiffe://other.test/x")}, `malformed SPIFFE ID filter: "spiffe://other.test/x" is not a member of trust domain "neural-hive.local"`},
		{"reserved", &entryv1.ListEntriesRequest_Filter{BySpiffeId: protoID(t, "spiffe://neural-hive.local/spire/server")}, `malformed SPIFFE ID filter: "spiffe://neural-hive.local/spire/server" is not a workload in trust domain "neural-hive.local"; path is in the reserved namespace`},
		{"no path", &entryv1.ListEntriesRequest_Filter{ByParentId: &types.SPIFFEID{TrustDomain: testDomain}}, `malformed parent ID filter: "spiffe://neural-hive.local" is not a member of trust domain "neural-hive.local"; path is empty`},
		{"no selectors", &entryv1.ListEntriesRequest_Filter{BySelectors: &types.SelectorMatch{}}, "malformed selectors filter: empty selector set"},
		{"no type", &entryv1.ListEntriesRequest_Filter{BySelectors: &types.SelectorMatch{Selectors: []*types.Selector{{Value: "x"}}}}, "malformed selectors filter: missing selector type"},
		{"colon", &entryv1.ListEntriesRequest_Filter{BySelectors: &types.SelectorMatch{Selectors: []*types.Selector{{Type: "a:b", Value: "x"}}}}, "malformed selectors filter: selector type contains ':'"},
		{"no value", &entryv1.ListEntriesRequest_Filter{BySelectors: &types.SelectorMatch{Selectors: []*types.Selector{{Type: "a"}}}}, "malformed selectors filter: missing selector value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := api.ListEntries(w.ctx, &entryv1.ListEntriesRequest{Filter: tt.filter})
			wantStatus(t, err, codes.InvalidArgument, tt.want)
		})
	}
}

func wantResult(t *testing.T, got *types.Status, code codes.Code, text string) {
	t.Helper()
	if codes.Code(got.Code) != code || got.Message != text {
		t.Errorf("got %v %q, want %v %q", codes.Code(got.Code), got.Message, code, text)
	}
}

func TestEntryLifeCycle(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	e := entryFor(t, "/ns/a/sa/b", "k8s:ns:a", "k8s:sa:b")
	created := w.create(api, e)
	if created.Id == "" || created.CreatedAt == 0 || created.RevisionNumber != 0 {
		t.Errorf("got %v", created)
	}

	same := entryFor(t, "/ns/a/sa/b", "k8s:sa:b", "k8s:ns:a")
	again, err := api.BatchCreateEntry(w.ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{same, {SpiffeId: e.SpiffeId, ParentId: e.ParentId}}})
	if err != nil {
		t.Fatal(err)
	}
	wantResult(t, again.Results[0].Status, codes.AlreadyExists, "similar entry already exists")
	if again.Results[0].Entry.GetId() != created.Id {
		t.Errorf("got %v, want the entry there is", again.Results[0].Entry)
	}
	wantResult(t, again.Results[1].Status, codes.InvalidArgument, "failed to convert entry: selector list is empty")

	updated, err := api.BatchUpdateEntry(w.ctx, &entryv1.BatchUpdateEntryRequest{
		Entries:   []*types.Entry{{Id: created.Id, JwtSvidTtl: 30, Hint: "ignored", RevisionNumber: 99}},
		InputMask: &types.EntryMask{JwtSvidTtl: true, RevisionNumber: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantResult(t, updated.Results[0].Status, codes.OK, "OK")
	got, err := api.GetEntry(w.ctx, &entryv1.GetEntryRequest{Id: created.Id})
	if err != nil || got.JwtSvidTtl != 30 || got.Hint != "" || got.RevisionNumber != 1 || len(got.Selectors) != 2 {
		t.Errorf("got %v, %v", got, err)
	}

	deleted, err := api.BatchDeleteEntry(w.ctx, &entryv1.BatchDeleteEntryRequest{Ids: []string{created.Id, created.Id, ""}})
	if err != nil {
		t.Fatal(err)
	}
	wantResult(t, deleted.Results[0].Status, codes.OK, "OK")
	wantResult(t, deleted.Results[1].Status, codes.NotFound, "entry not found")
	wantResult(t, deleted.Results[2].Status, codes.InvalidArgument, "missing entry ID")
	_, err = api.GetEntry(w.ctx, &entryv1.GetEntryRequest{Id: created.Id})
	wantStatus(t, err, codes.NotFound, "entry not found")
	_, err = api.GetEntry(w.ctx, &entryv1.GetEntryRequest{})
	wantStatus(t, err, codes.InvalidArgument, "missing ID")
}

func TestUpdateOfTheWholeEntry(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	created := w.create(api, entryFor(t, "/a", "k8s:ns:a"))
	replacement := entryFor(t, "/b", "k8s:ns:b", "k8s:sa:b")
	replacement.Id = created.Id
	resp, err := api.BatchUpdateEntry(w.ctx, &entryv1.BatchUpdateEntryRequest{Entries: []*types.Entry{
		replacement, {Id: "absent", SpiffeId: replacement.SpiffeId, ParentId: replacement.ParentId, Selectors: replacement.Selectors},
	}, OutputMask: &types.EntryMask{SpiffeId: true, Selectors: true}})
	if err != nil {
		t.Fatal(err)
	}
	got := resp.Results[0].Entry
	if got.SpiffeId.Path != "/b" || len(got.Selectors) != 2 || got.ParentId != nil {
		t.Errorf("got %v", got)
	}
	wantResult(t, resp.Results[1].Status, codes.Internal, "failed to update entry: datastore-sql: record not found")
}

func TestEntryOfTheCallersID(t *testing.T) {
	w := startWorld(t)
	api := w.entryAPI()
	first, second := entryFor(t, "/a", "k8s:ns:a"), entryFor(t, "/b", "k8s:ns:b")
	first.Id, second.Id = "mine", "mine"
	if got := w.create(api, first); got.Id != "mine" {
		t.Errorf("got %q", got.Id)
	}
	resp, err := api.BatchCreateEntry(w.ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{second}})
	if err != nil {
		t.Fatal(err)
	}
	wantResult(t, resp.Results[0].Status, codes.Internal, "failed to create entry: datastore-sql: UNIQUE constraint failed: registered_entries.entry_id")
}

func TestExpiredEntryIsGoneForTheAgent(t *testing.T) {
	w := startWorld(t, WithAttestor(as("new", "comer")))
	e := entryFor(t, "/x", "k8s:ns:new")
	e.ExpiresAt = time.Now().Add(-time.Minute).Unix()
	w.create(w.entryAPI(), e)
	if got := w.entries.authorized(w.node.id, w.node.selectors); len(got) != 4 {
		t.Errorf("the agent gets %v", paths(got))
	}
}

func TestAgents(t *testing.T) {
	w := startWorld(t)
	api := w.agentAPI()
	list, err := api.ListAgents(w.ctx, &agentv1.ListAgentsRequest{})
	if err != nil || len(list.Agents) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	a := list.Agents[0]
	if !strings.HasPrefix(a.Id.Path, "/spire/agent/k8s_psat/neural-hive/") || a.AttestationType != "k8s_psat" || a.Banned ||
		a.X509SvidSerialNumber == "" || a.X509SvidExpiresAt < time.Now().Unix() || len(a.Selectors) == 0 {
		t.Errorf("got %v", a)
	}
	got, err := api.GetAgent(w.ctx, &agentv1.GetAgentRequest{Id: a.Id, OutputMask: &types.AgentMask{Banned: true}})
	if err != nil || got.Id.GetPath() != a.Id.Path || got.X509SvidSerialNumber != "" {
		t.Errorf("got %v, %v", got, err)
	}
	unknown := &types.SPIFFEID{TrustDomain: testDomain, Path: "/spire/agent/k8s_psat/neural-hive/none"}
	_, err = api.GetAgent(w.ctx, &agentv1.GetAgentRequest{Id: unknown})
	wantStatus(t, err, codes.NotFound, "agent not found")
	_, err = api.DeleteAgent(w.ctx, &agentv1.DeleteAgentRequest{Id: unknown})
	wantStatus(t, err, codes.NotFound, "agent not found")
	_, err = api.BanAgent(w.ctx, &agentv1.BanAgentRequest{Id: protoID(t, workerID)})
	wantStatus(t, err, codes.InvalidArgument, `invalid agent ID: "`+workerID+`" is not an agent in trust domain "neural-hive.local"; path is not in the agent namespace`)
	_, err = api.GetAgent(w.ctx, &agentv1.GetAgentRequest{})
	wantStatus(t, err, codes.InvalidArgument, "invalid agent ID: request must specify SPIFFE ID")
	_, err = api.CreateJoinToken(w.ctx, &agentv1.CreateJoinTokenRequest{})
	wantStatus(t, err, codes.Unimplemented, "method CreateJoinToken not implemented")
}

func TestAgentFilters(t *testing.T) {
	w := startWorld(t)
	api := w.agentAPI()
	cluster := []*types.Selector{{Type: "k8s_psat", Value: "cluster:neural-hive"}}
	soon, late := time.Now().Format(expiresBeforeForm), time.Now().Add(time.Hour).Format(expiresBeforeForm)
	for _, tt := range []struct {
		name string
		f    *agentv1.ListAgentsRequest_Filter
		want int32
	}{
		{"none", nil, 1},
		{"type", &agentv1.ListAgentsRequest_Filter{ByAttestationType: "k8s_psat"}, 1},
		{"other type", &agentv1.ListAgentsRequest_Filter{ByAttestationType: "join_token"}, 0},
		{"banned", &agentv1.ListAgentsRequest_Filter{ByBanned: wrapperspb.Bool(true)}, 0},
		{"not banned", &agentv1.ListAgentsRequest_Filter{ByBanned: wrapperspb.Bool(false)}, 1},
		{"reattests", &agentv1.ListAgentsRequest_Filter{ByCanReattest: wrapperspb.Bool(true)}, 1},
		{"selectors", &agentv1.ListAgentsRequest_Filter{BySelectorMatch: &types.SelectorMatch{Match: types.SelectorMatch_MATCH_SUPERSET, Selectors: cluster}}, 1},
		{"expires before now", &agentv1.ListAgentsRequest_Filter{ByExpiresBefore: soon}, 0},
		{"expires before later", &agentv1.ListAgentsRequest_Filter{ByExpiresBefore: late}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := api.ListAgents(w.ctx, &agentv1.ListAgentsRequest{Filter: tt.f, PageSize: 1})
			if err != nil || len(list.Agents) != int(tt.want) {
				t.Errorf("listed %v, %v, want %d", list.GetAgents(), err, tt.want)
			}
			if tt.want == 1 {
				if list, err = api.ListAgents(w.ctx, &agentv1.ListAgentsRequest{PageSize: 1, PageToken: list.NextPageToken}); err != nil || len(list.Agents) != 0 {
					t.Errorf("the second page has %v, %v", list.GetAgents(), err)
				}
			}
			count, err := api.CountAgents(w.ctx, &agentv1.CountAgentsRequest{Filter: &agentv1.CountAgentsRequest_Filter{
				ByAttestationType: tt.f.GetByAttestationType(), ByBanned: tt.f.GetByBanned(), ByCanReattest: tt.f.GetByCanReattest(),
				BySelectorMatch: tt.f.GetBySelectorMatch(), ByExpiresBefore: tt.f.GetByExpiresBefore(),
			}})
			if err != nil || count.Count != tt.want {
				t.Errorf("counted %v, %v, want %d", count, err, tt.want)
			}
		})
	}
	_, err := api.ListAgents(w.ctx, &agentv1.ListAgentsRequest{Filter: &agentv1.ListAgentsRequest_Filter{BySelectorMatch: &types.SelectorMatch{Selectors: []*types.Selector{{}}}}})
	wantStatus(t, err, codes.InvalidArgument, "failed to parse selectors: missing selector type")
}

func TestAgentRenewsItself(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	before := w.node.shown()
	clock.add(11 * time.Second)
	w.eventually("a new serial number", func() bool {
		after := w.node.shown()
		return after.Serial != before.Serial && after.ExpiresAt > before.ExpiresAt
	})
}

func TestBannedAgentStaysOutUntilDeleted(t *testing.T) {
	w := startWorld(t)
	api := w.agentAPI()
	id := idProto(w.node.id)
	if _, err := api.BanAgent(w.ctx, &agentv1.BanAgentRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	w.agent.sync()
	got, err := api.GetAgent(w.ctx, &agentv1.GetAgentRequest{Id: id})
	if err != nil || !got.Banned || got.X509SvidSerialNumber != "" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := api.DeleteAgent(w.ctx, &agentv1.DeleteAgentRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the agent to attest again", func() bool {
		s := w.node.shown()
		return s != nil && !s.Banned && s.Serial != ""
	})
}

func TestBundle(t *testing.T) {
	w := startWorld(t)
	api := bundlev1.NewBundleClient(w.dial(w.ServerAddr()))
	b, err := api.GetBundle(w.ctx, &bundlev1.GetBundleRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if b.TrustDomain != testDomain || len(b.X509Authorities) != 1 || len(b.JwtAuthorities) != 1 || b.JwtAuthorities[0].KeyId != w.State().JWT.Active {
		t.Errorf("got %v", b)
	}
	masked, err := api.GetBundle(w.ctx, &bundlev1.GetBundleRequest{OutputMask: &types.BundleMask{JwtAuthorities: true}})
	if err != nil || len(masked.X509Authorities) != 0 || len(masked.JwtAuthorities) != 1 || masked.TrustDomain != testDomain {
		t.Errorf("got %v, %v", masked, err)
	}
	if err := w.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	after, err := api.GetBundle(w.ctx, &bundlev1.GetBundleRequest{})
	if err != nil || after.SequenceNumber <= b.SequenceNumber || len(after.JwtAuthorities) != 2 {
		t.Errorf("got %v, %v", after, err)
	}
	if count, err := api.CountBundles(w.ctx, &bundlev1.CountBundlesRequest{}); err != nil || count.Count != 1 {
		t.Errorf("got %v, %v", count, err)
	}
	_, err = api.AppendBundle(w.ctx, &bundlev1.AppendBundleRequest{})
	wantStatus(t, err, codes.Unimplemented, "method AppendBundle not implemented")
}

func TestJWTAuthorityRotation(t *testing.T) {
	w := startWorld(t)
	api := w.authorityAPI()
	state, err := api.GetJWTAuthorityState(w.ctx, &localauthorityv1.GetJWTAuthorityStateRequest{})
	if err != nil || state.Active.GetAuthorityId() == "" || state.Prepared != nil || state.Old != nil {
		t.Fatalf("got %v, %v", state, err)
	}
	first := state.Active.AuthorityId
	prepare, err := api.PrepareJWTAuthority(w.ctx, &localauthorityv1.PrepareJWTAuthorityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	second := prepare.PreparedAuthority.AuthorityId
	if kids := w.State().Kids.Server; !slices.Equal(kids, []string{first, second}) {
		t.Errorf("the bundle has %v", kids)
	}
	activate := func(id string) error {
		_, err := api.ActivateJWTAuthority(w.ctx, &localauthorityv1.ActivateJWTAuthorityRequest{AuthorityId: id})
		return err
	}
	taint := func(id string) error {
		_, err := api.TaintJWTAuthority(w.ctx, &localauthorityv1.TaintJWTAuthorityRequest{AuthorityId: id})
		return err
	}
	revoke := func(id string) error {
		_, err := api.RevokeJWTAuthority(w.ctx, &localauthorityv1.RevokeJWTAuthorityRequest{AuthorityId: id})
		return err
	}
	wantStatus(t, activate(""), codes.InvalidArgument, "no authority ID provided")
	wantStatus(t, activate("x"), codes.InvalidArgument, "unexpected authority ID")
	wantStatus(t, taint(""), codes.InvalidArgument, "no authority ID provided")
	wantStatus(t, taint(first), codes.InvalidArgument, "unable to taint current local authority")
	wantStatus(t, taint("x"), codes.InvalidArgument, "unexpected authority ID")
	wantStatus(t, taint(second), codes.InvalidArgument, "only Old local authorities can be tainted: unsupported local authority status: PREPARED")
	wantStatus(t, revoke(second), codes.InvalidArgument, "invalid authority ID: unable to use a prepared key")
	if err := activate(second); err != nil {
		t.Fatal(err)
	}
	state, err = api.GetJWTAuthorityState(w.ctx, &localauthorityv1.GetJWTAuthorityStateRequest{})
	if err != nil || state.Active.GetAuthorityId() != second || state.Old.GetAuthorityId() != first || state.Prepared != nil {
		t.Fatalf("got %v, %v", state, err)
	}
	wantStatus(t, activate(first), codes.Internal, "only Prepared authorities can be activated: unsupported local authority status: OLD")
	wantStatus(t, revoke(""), codes.InvalidArgument, "invalid authority ID: no authority ID provided")
	wantStatus(t, revoke(second), codes.InvalidArgument, "invalid authority ID: unable to use current authority")
	wantStatus(t, revoke("x"), codes.InvalidArgument, "invalid authority ID: no JWT authority found with provided authority ID")
	if err := taint(first); err != nil {
		t.Fatal(err)
	}
	if !w.authority.bundle().tainted(first) {
		t.Error("the bundle does not say that it is tainted")
	}
	if err := revoke(first); err != nil {
		t.Fatal(err)
	}
	if kids := w.State().Kids.Server; !slices.Equal(kids, []string{second}) {
		t.Errorf("the bundle has %v", kids)
	}
}

func TestTaintedJWTAuthorityEndsItsTokens(t *testing.T) {
	w := startWorld(t)
	c := w.client()
	before := w.fetch(c, vaultAudience)
	old := w.State().JWT.Active
	if err := w.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	if w.fetch(c, vaultAudience).Marshal() != before.Marshal() {
		t.Error("rotation alone must not end a token")
	}
	if _, err := w.authorityAPI().TaintJWTAuthority(w.ctx, &localauthorityv1.TaintJWTAuthorityRequest{AuthorityId: old}); err != nil {
		t.Fatal(err)
	}
	w.eventually("a token by the new key", func() bool { return w.fetch(c, vaultAudience).Marshal() != before.Marshal() })
}

func TestX509AuthorityRules(t *testing.T) {
	w := startWorld(t)
	api := w.authorityAPI()
	revoke := func(id string) error {
		_, err := api.RevokeX509Authority(w.ctx, &localauthorityv1.RevokeX509AuthorityRequest{AuthorityId: id})
		return err
	}
	first := w.State().X509.Active
	wantStatus(t, revoke(""), codes.InvalidArgument, "invalid authority ID: no authority ID provided")
	wantStatus(t, revoke(first), codes.InvalidArgument, "invalid authority ID: unable to use current authority")
	prepared, err := api.PrepareX509Authority(w.ctx, &localauthorityv1.PrepareX509AuthorityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	second := prepared.PreparedAuthority.AuthorityId
	wantStatus(t, revoke(second), codes.InvalidArgument, "invalid authority ID: only Old local authority can be revoked")
	if _, err := api.ActivateX509Authority(w.ctx, &localauthorityv1.ActivateX509AuthorityRequest{AuthorityId: second}); err != nil {
		t.Fatal(err)
	}
	if err := revoke(first); err != nil {
		t.Fatal(err)
	}
	state, err := api.GetX509AuthorityState(w.ctx, &localauthorityv1.GetX509AuthorityStateRequest{})
	if err != nil || state.Active.GetAuthorityId() != second || state.Old != nil || state.Active.ExpiresAt == 0 {
		t.Errorf("got %v, %v", state, err)
	}
	_, err = api.GetWITAuthorityState(w.ctx, &localauthorityv1.GetWITAuthorityStateRequest{})
	wantStatus(t, err, codes.Unimplemented, "method GetWITAuthorityState not implemented")
}

func TestHealth(t *testing.T) {
	w := startWorld(t)
	for _, address := range []string{w.ServerAddr(), w.WorkloadAddr()} {
		api := grpc_health_v1.NewHealthClient(w.dial(address))
		got, err := api.Check(w.ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil || got.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("%s: got %v, %v", address, got, err)
		}
		_, err = api.Check(w.ctx, &grpc_health_v1.HealthCheckRequest{Service: "x"})
		wantStatus(t, err, codes.InvalidArgument, "per-service health is not supported")
	}
}
