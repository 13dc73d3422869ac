package spiffe

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// soon is how long a test waits for an answer that does not come.
const soon = 300 * time.Millisecond

// fetchNew asks by a connection of its own, as a probe does.
func (w *world) fetchNew() (*jwtsvid.SVID, error) { return w.fetchWithin(patience) }

func (w *world) fetchWithin(d time.Duration) (*jwtsvid.SVID, error) {
	ctx, cancel := context.WithTimeout(w.ctx, d)
	defer cancel()
	return workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: vaultAudience}, workloadapi.WithAddr(w.WorkloadAddr()))
}

// bundleNew asks the server the same way.
func (w *world) bundleNew() error { return w.bundleWithin(patience) }

func (w *world) bundleWithin(d time.Duration) error {
	ctx, cancel := context.WithTimeout(w.ctx, d)
	defer cancel()
	_, err := bundlev1.NewBundleClient(w.dial(w.ServerAddr())).GetBundle(ctx, &bundlev1.GetBundleRequest{})
	return err
}

// wantFailure fails unless err has the code and some of the text.
func wantFailure(t *testing.T, err error, code codes.Code, part string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), part) {
		t.Errorf("got %v, want %v with %q", err, code, part)
	}
}

// healthy fails unless everything works again.
func (w *world) healthy() {
	w.t.Helper()
	if code, body := w.http(http.MethodDelete, w.AdminURL()+"/admin/faults", ""); code != http.StatusOK {
		w.t.Fatalf("reset: %d %s", code, body)
	}
	if got := w.Faults(); !reflect.DeepEqual(got, Faults{}) {
		w.t.Errorf("still faulty: %+v", got)
	}
	svid, err := w.fetchNew()
	if err != nil {
		w.t.Fatalf("still faulty: %v", err)
	}
	if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), w.oidcKeys(), []string{vaultAudience}); err != nil {
		w.t.Errorf("still faulty: %v", err)
	}
	if err := w.bundleNew(); err != nil {
		w.t.Errorf("still faulty: %v", err)
	}
}

func TestAgentDown(t *testing.T) {
	w := startWorld(t)
	for _, tt := range []struct {
		fault string
		code  codes.Code
		part  string
		file  bool

		within time.Duration
	}{
		{AgentMissing, codes.Unavailable, "no such file or directory", false, patience},
		{AgentRefused, codes.Unavailable, "connection refused", true, patience},
		{AgentHang, codes.DeadlineExceeded, "", true, soon},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			w.put(`{"agent_down":"` + tt.fault + `"}`)
			_, err := w.fetchWithin(tt.within)
			wantFailure(t, err, tt.code, tt.part)
			_, statErr := os.Stat(w.cfg.WorkloadSocket)
			if errors.Is(statErr, fs.ErrNotExist) == tt.file {
				t.Errorf("the socket's file: %v", statErr)
			}
			w.healthy()
		})
	}
}

func TestAgentDownCutsStreams(t *testing.T) {
	w := startWorld(t)
	watch := w.watchX509()
	watch.next()
	w.put(`{"agent_down":"refused"}`)
	wantFailure(t, <-watch.ended, codes.Unavailable, "")
}

func TestHangHoldsConnectionsUntilItEnds(t *testing.T) {
	w := startWorld(t)
	w.put(`{"agent_down":"hang"}`)
	conn, err := net.Dial("unix", w.cfg.WorkloadSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	w.put(`{"agent_down":""}`)
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v, want the end of the connection", n, err)
	}
}

func TestServerDown(t *testing.T) {
	clock := newTestClock()
	w := startWorld(t, WithClock(clock.now))
	kept, err := w.fetchNew()
	if err != nil {
		t.Fatal(err)
	}
	w.put(`{"server_down":true}`)
	wantFailure(t, w.bundleNew(), codes.Unavailable, "connection refused")

	// The agent lives on what it has: its token until that ends, nothing for another audience.
	clock.add(15 * time.Second)
	if again, err := w.fetchNew(); err != nil || again.Marshal() != kept.Marshal() {
		t.Errorf("the token that has not ended: %v", err)
	}
	_, err = w.client().FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: "other"})
	wantFailure(t, err, codes.Unavailable, "could not fetch JWT-SVID: failed to fetch JWT SVID: rpc error: code = Unavailable desc = connection error")
	clock.add(6 * time.Second)
	_, err = w.fetchNew()
	wantFailure(t, err, codes.Unavailable, `could not fetch JWT-SVID: unable to renew JWT for "`+botID+`" (err=failed to fetch JWT SVID: `)

	w.healthy()
}

func TestServerHang(t *testing.T) {
	w := startWorld(t)
	w.put(`{"server_hang":true}`)
	wantFailure(t, w.bundleWithin(soon), codes.DeadlineExceeded, "")
	_, err := w.fetchWithin(soon)
	if err == nil || !strings.Contains(err.Error(), "DeadlineExceeded") { // the client's own, or what the agent says of it
		t.Errorf("got %v", err)
	}
	w.healthy()
}

func TestServerUnhealthy(t *testing.T) {
	w := startWorld(t)
	w.put(`{"server_unhealthy":true}`)
	got, err := grpc_health_v1.NewHealthClient(w.dial(w.ServerAddr())).Check(w.ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || got.Status != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("got %v, %v", got, err)
	}
	w.healthy()
}

func TestOIDCFrozen(t *testing.T) {
	w := startWorld(t)
	w.put(`{"oidc_frozen":true}`)
	if err := w.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	svid, err := w.client().FetchJWTSVID(w.ctx, jwtsvid.Params{Audience: vaultAudience})
	if err != nil {
		t.Fatal(err)
	}
	_, err = jwtsvid.ParseAndValidate(svid.Marshal(), w.oidcKeys(), []string{vaultAudience})
	if err == nil || !strings.Contains(err.Error(), "no JWT authority") {
		t.Errorf("got %v", err)
	}
	if kids := w.State().Kids; len(kids.OIDC) != 1 || len(kids.Server) != 2 || len(kids.Agent) != 2 {
		t.Errorf("got %+v", kids)
	}
	w.put(`{"server_unhealthy":true}`) // another fault does not thaw it
	if kids := w.State().Kids; len(kids.OIDC) != 1 {
		t.Errorf("got %+v", kids)
	}
	w.healthy()
	if kids := w.State().Kids; !slices.Equal(kids.OIDC, kids.Server) {
		t.Errorf("got %+v", kids)
	}
}

func TestAgentBundleFrozen(t *testing.T) {
	w := startWorld(t)
	w.put(`{"agent_bundle_frozen":true}`)
	if err := w.RotateJWT(); err != nil {
		t.Fatal(err)
	}
	c := w.client()
	svid := w.fetch(c, vaultAudience)
	b, err := c.FetchJWTBundles(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), b, []string{vaultAudience}); err == nil || !strings.Contains(err.Error(), "no JWT authority") {
		t.Errorf("got %v", err)
	}
	_, err = c.ValidateJWTSVID(w.ctx, svid.Marshal(), vaultAudience)
	wantFailure(t, err, codes.InvalidArgument, "not found in trust domain")
	if _, err := jwtsvid.ParseAndValidate(svid.Marshal(), w.oidcKeys(), []string{vaultAudience}); err != nil {
		t.Errorf("the OIDC keys are not frozen: %v", err)
	}
	w.healthy()
	if _, err := c.ValidateJWTSVID(w.ctx, svid.Marshal(), vaultAudience); err != nil {
		t.Error(err)
	}
}

func TestOIDCDownAndGarbage(t *testing.T) {
	w := startWorld(t)
	url := w.OIDCURL()
	w.put(`{"oidc_garbage":true}`)
	if code, body := w.http(http.MethodGet, url+"/keys", ""); code != http.StatusOK || !strings.HasPrefix(body, "<!doctype html>") {
		t.Errorf("got %d %q", code, body)
	}
	w.put(`{"oidc_garbage":false,"oidc_down":true}`)
	if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		_ = conn.Close()
		t.Error("somebody listens")
	}
	w.healthy()
	if w.OIDCURL() != url {
		t.Errorf("moved from %s to %s", url, w.OIDCURL())
	}
}

func TestSVIDExpired(t *testing.T) {
	w := startWorld(t)
	if _, err := w.fetchNew(); err != nil { // a good token is kept, and must not hide the fault
		t.Fatal(err)
	}
	w.put(`{"svid_expired":true}`)
	_, err := w.fetchNew()
	if err == nil || !strings.Contains(err.Error(), "token has expired") {
		t.Errorf("got %v", err)
	}
	w.healthy()
}

func TestPlaceholderSVID(t *testing.T) {
	w := startWorld(t)
	w.put(`{"placeholder_svid":true}`)
	_, err := w.fetchNew()
	if err == nil || !strings.Contains(err.Error(), "unable to parse JWT token") {
		t.Errorf("got %v", err)
	}
	w.healthy()
}

func TestJWTTTLOverride(t *testing.T) {
	w := startWorld(t)
	w.put(`{"jwt_ttl":"3s"}`)
	svid, err := w.fetchNew()
	if err != nil {
		t.Fatal(err)
	}
	if life := svid.Claims["exp"].(float64) - svid.Claims["iat"].(float64); life != 3 {
		t.Errorf("lives %v s", life)
	}
	w.put(`{"jwt_ttl":""}`)
	if w.Faults().JWTTTL != 0 {
		t.Error("the override cannot be taken back")
	}
}

func TestAgentState(t *testing.T) {
	for _, tt := range []struct {
		state string
		check func(*types.Agent) bool
		text  string
	}{
		{AgentExpired, func(a *types.Agent) bool { return a != nil && a.X509SvidExpiresAt < time.Now().Unix() && !a.Banned }, "SVID is expired"},
		{AgentBanned, func(a *types.Agent) bool { return a != nil && a.Banned && a.X509SvidSerialNumber == "" }, "is banned"},
		{AgentEvicted, func(a *types.Agent) bool { return a == nil }, "is not attested"},
	} {
		t.Run(tt.state, func(t *testing.T) {
			w := startWorld(t)
			w.put(`{"agent_state":"` + tt.state + `"}`)
			w.agent.sync()
			list, err := w.agentAPI().ListAgents(w.ctx, &agentv1.ListAgentsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			var a *types.Agent
			if len(list.Agents) > 0 {
				a = list.Agents[0]
			}
			if !tt.check(a) {
				t.Errorf("listed %v", a)
			}
			_, err = w.fetchNew()
			wantStatus(t, err, codes.Unavailable, `could not fetch JWT-SVID: failed to fetch JWT SVID: rpc error: code = PermissionDenied desc = agent "`+w.node.id.String()+`" `+tt.text)
			w.create(w.entryAPI(), entryFor(t, "/late", "k8s:ns:late"))
			w.agent.sync()
			selectors, _ := parseSelectors([]string{"k8s:ns:late"})
			if got := w.agent.matching(selectors).entries; len(got) != 0 {
				t.Errorf("the agent still learns of entries: %v", got)
			}
			w.healthy()
			if s := w.node.shown(); s == nil || s.Banned || s.ExpiresAt <= time.Now().Unix() {
				t.Errorf("after the reset: %+v", s)
			}
		})
	}
}

func TestResetLiftsABan(t *testing.T) {
	w := startWorld(t)
	if _, err := w.agentAPI().BanAgent(w.ctx, &agentv1.BanAgentRequest{Id: idProto(w.node.id)}); err != nil {
		t.Fatal(err)
	}
	w.healthy()
	if w.node.shown().Banned {
		t.Error("still banned")
	}
}

func TestFaultsMerge(t *testing.T) {
	w := startWorld(t)
	w.put(`{"oidc_frozen":true}`)
	w.put(`{"server_unhealthy":true}`)
	var got Faults
	w.getJSON(w.AdminURL()+"/admin/faults", &got)
	if want := (Faults{OIDCFrozen: true, ServerUnhealthy: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, tt := range []struct{ object, want string }{
		{`{"oidc_frosen":true}`, `unknown field "oidc_frosen": GET /admin/faults shows every key`},
		{`{"agent_down":"asleep"}`, `agent_down: "asleep" is none of ["missing" "refused" "hang"]`},
		{`{"agent_state":"tired"}`, `agent_state: "tired" is none of`},
		{`{"jwt_ttl":"soon"}`, "use a form like 20s"},
		{`{"jwt_ttl":"-1s"}`, "use svid_expired"},
		{`{} {}`, "send one JSON object only"},
		{``, "read faults"},
		{`{"agent_down":"` + strings.Repeat("x", maxFaultsBody) + `"}`, "too large"},
	} {
		code, body := w.http(http.MethodPut, w.AdminURL()+"/admin/faults", tt.object)
		if code != http.StatusBadRequest || !strings.Contains(body, tt.want) {
			t.Errorf("%.40s: got %d %q, want %q", tt.object, code, body, tt.want)
		}
	}
	if !reflect.DeepEqual(w.Faults(), got) {
		t.Errorf("a refused request changed the faults to %+v", w.Faults())
	}
}

func TestAdminStateHasNoKeys(t *testing.T) {
	w := startWorld(t)
	code, body := w.http(http.MethodGet, w.AdminURL()+"/admin/state", "")
	token := w.fetch(w.client(), vaultAudience).Marshal()
	if code != http.StatusOK || strings.Contains(body, token) || strings.Contains(body, "PRIVATE") {
		t.Errorf("got %d %s", code, body)
	}
	if state := w.State(); state.Entries != 5 || state.Agent == nil || state.JWT.Active == "" || state.TrustDomain != testDomain {
		t.Errorf("got %+v", state)
	}
	if code, _ := w.http(http.MethodGet, w.AdminURL()+"/healthz", ""); code != http.StatusOK {
		t.Errorf("health: %d", code)
	}
	if code, _ := w.http(http.MethodGet, w.AdminURL()+"/admin/rotate-jwt", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET rotates: %d", code)
	}
}

func TestFaultsAfterClose(t *testing.T) {
	s, err := Start(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.SetFaults(Faults{OIDCDown: true}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("got %v", err)
	}
}
