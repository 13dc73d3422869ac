package probes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

// knownTokens is a Vault that knows tokens by their accessors, with what each
// may do on secret/data/a.
func knownTokens(t *testing.T, live map[string]string) vaultProbes {
	t.Helper()
	return vaultAt(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Accessor string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		capability, known := live[asked.Accessor]
		switch {
		case !known:
			answer(403, `{"errors":["1 error occurred:\n\t* invalid accessor\n\n"]}`)(w, r)
		case strings.HasSuffix(r.URL.Path, "lookup-accessor"):
			answer(200, `{"data":{"ttl":1200,"type":"service","renewable":true}}`)(w, r)
		default:
			answer(200, fmt.Sprintf(`{"data":{"auth/token/renew-self":["update"],"secret/data/a":[%q,"list"]}}`, capability))(w, r)
		}
	}).URL)
}

// login is the line of a login of so long ago.
func login(ago time.Duration, pod, accessor string) LogLine {
	return LogLine{At: at.Add(-ago), Pod: pod, Text: fmt.Sprintf(`{"event":"vault_integration_initialized","token_accessor":%q}`, accessor)}
}

// Each pod has a token of its own: a dead one neither hides behind a live one
// nor speaks for it, and that of a replaced pod says nothing.
func TestVaultTokensOfEveryPod(t *testing.T) {
	both := map[string]int64{"w-0": 9, "w-1": 3}
	type counts struct {
		found                bool
		tokens, dead, noPods int64
		age                  time.Duration
	}
	for name, c := range map[string]struct {
		logins []LogLine
		pods   map[string]int64 // that still log
		live   []string
		want   counts
	}{
		"all live":            {[]LogLine{login(time.Minute, "w-1", "accessor-1"), login(time.Hour, "w-0", "accessor-0")}, both, []string{"accessor-0", "accessor-1"}, counts{true, 2, 0, 0, time.Minute}},
		"the older dead":      {[]LogLine{login(time.Minute, "w-1", "accessor-1"), login(time.Hour, "w-0", "accessor-0")}, both, []string{"accessor-1"}, counts{true, 2, 1, 0, time.Minute}},
		"the newest dead":     {[]LogLine{login(time.Minute, "w-1", "accessor-1"), login(time.Hour, "w-0", "accessor-0")}, both, []string{"accessor-0"}, counts{false, 2, 1, 0, time.Minute}},
		"all dead":            {[]LogLine{login(time.Minute, "w-1", "accessor-1"), login(time.Hour, "w-0", "accessor-0")}, both, nil, counts{false, 2, 2, 0, time.Minute}},
		"logged in again":     {[]LogLine{login(time.Minute, "w-0", "accessor-2"), login(time.Hour, "w-0", "accessor-0"), login(2*time.Hour, "w-1", "accessor-1")}, both, []string{"accessor-1", "accessor-2"}, counts{true, 2, 0, 0, time.Minute}},
		"replaced":            {[]LogLine{login(time.Minute, "w-new", "accessor-2"), login(time.Hour, "w-old", "accessor-0")}, map[string]int64{"w-new": 1}, []string{"accessor-2"}, counts{true, 1, 0, 0, time.Minute}},
		"the newest is gone":  {[]LogLine{login(time.Minute, "w-new", "accessor-2"), login(time.Hour, "w-old", "accessor-0")}, map[string]int64{"w-old": 1}, []string{"accessor-0"}, counts{true, 1, 0, 0, time.Hour}},
		"all silent":          {[]LogLine{login(time.Hour, "w-0", "accessor-0")}, nil, nil, counts{false, 1, 1, 0, time.Hour}},
		"no pods":             {[]LogLine{login(time.Minute, "", "accessor-1"), login(time.Hour, "", "accessor-0"), login(2*time.Hour, "", "accessor-0")}, nil, []string{"accessor-1"}, counts{true, 2, 1, 1, time.Minute}},
		"the line names pods": {[]LogLine{{At: at, Text: `{"event":"vault_integration_initialized","pod":"w-0","token_accessor":"accessor-1"}`}, {At: at, Text: `{"event":"vault_integration_initialized","pod":"w-0","token_accessor":"accessor-0"}`}}, nil, []string{"accessor-1"}, counts{true, 1, 0, 0, 0}},
		"other lines":         {[]LogLine{{At: at, Text: `{"event":"other","error":"vault_integration_initialized","token_accessor":"wrong-00"}`}, {At: at, Text: "Traceback"}, login(time.Minute, "", "accessor-1")}, nil, []string{"accessor-1"}, counts{true, 1, 0, 0, time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			live := map[string]string{}
			for _, acc := range c.live {
				live[acc] = "read"
			}
			v := knownTokens(t, live)
			v.logs = fakeLogs{page: LogPage{Lines: 9, Pods: c.pods, Matches: c.logins}}
			facts, evidence, err := v.token(soon(t), TokenArgs{Service: "worker"})
			wantSeen(t, facts, evidence, err)
			got := counts{facts.Found, facts.Tokens, facts.Dead, facts.DeadUnattributed, at.Sub(facts.AccessorAt)}
			if got != c.want || facts.AccessorFrom != "logs" || facts.CanRenewSelf != c.want.found {
				t.Errorf("facts are %+v, want %+v", facts, c.want)
			}
			if slices.ContainsFunc(evidence, func(e diagnostics.Evidence) bool { return strings.Contains(e.Invocation+e.Observed, "accessor-") }) {
				t.Errorf("an accessor itself is in the evidence: %+v", evidence)
			}
			access, evidence, err := v.access(soon(t), AccessArgs{Service: "worker", Paths: []string{"secret/data/a"}})
			wantSeen(t, access, evidence, err)
			if got := (counts{access.Found, access.Tokens, access.Dead, c.want.noPods, c.want.age}); got != c.want || (len(access.Paths) == 0) != (access.Dead == access.Tokens) {
				t.Errorf("access is %+v, want %+v", access, c.want)
			}
		})
	}
}

// With many logins the newest are looked up, and no more than a few.
func TestVaultTokensAreBounded(t *testing.T) {
	var page LogPage
	for i := range 100 {
		page.Matches = append(page.Matches, login(time.Duration(i)*time.Minute, "", fmt.Sprintf("accessor-%d", i)))
	}
	v := knownTokens(t, map[string]string{"accessor-0": "read"})
	v.logs = fakeLogs{page: page}
	facts, evidence, err := v.token(soon(t), TokenArgs{Service: "worker"})
	wantSeen(t, facts, evidence, err)
	if !facts.Found || facts.Tokens != maxTokens || facts.Dead != maxTokens-1 {
		t.Errorf("facts are %+v", facts)
	}
}

// A service may do what each of its pods may.
func TestVaultAccessOfEveryPod(t *testing.T) {
	v := knownTokens(t, map[string]string{"accessor-0": "create", "accessor-1": "read"})
	v.logs = fakeLogs{page: LogPage{Matches: []LogLine{login(time.Minute, "", "accessor-1"), login(time.Hour, "", "accessor-0"), login(2*time.Hour, "", "accessor-9")}}}
	facts, evidence, err := v.access(soon(t), AccessArgs{Service: "worker", Paths: []string{"secret/data/a"}})
	wantSeen(t, facts, evidence, err)
	want := Access{Found: true, Tokens: 3, Dead: 1, Paths: []PathAccess{{Path: "secret/data/a", Capabilities: []string{"list"}}}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
}

func TestCommonCapabilities(t *testing.T) {
	for _, c := range []struct{ a, b, want []string }{
		{[]string{"read", "list"}, []string{"list", "update"}, []string{"list"}},
		{[]string{"root"}, []string{"read"}, []string{"read"}},
		{[]string{"read"}, []string{"root"}, []string{"read"}},
		{[]string{"deny"}, []string{"read"}, []string{"deny"}},
		{[]string{"read"}, []string{"update"}, []string{"deny"}},
	} {
		if got := common(c.a, c.b); !slices.Equal(got, c.want) {
			t.Errorf("common(%q, %q) = %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// When it is not known which pods still log, nothing is said of their tokens.
func TestVaultTokensBlindWithoutThePods(t *testing.T) {
	v := knownTokens(t, nil)
	v.logs = failsSecond{page: LogPage{Matches: []LogLine{login(time.Minute, "w-0", "accessor-0")}}, asked: new(int)}
	_, evidence, err := v.token(soon(t), TokenArgs{Service: "worker"})
	wantBlind(t, err, evidence, diagnostics.ReasonThrottled)
}

// A login of pods that are all gone tells nothing of those that run.
func TestVaultTokensBlindWhenTheLoginsAreOfGonePods(t *testing.T) {
	v := knownTokens(t, nil)
	v.logs = fakeLogs{page: LogPage{Pods: map[string]int64{"w-1": 4}, Matches: []LogLine{login(time.Minute, "w-0", "accessor-0")}}}
	_, evidence, err := v.token(soon(t), TokenArgs{Service: "worker"})
	wantBlind(t, err, evidence, diagnostics.ReasonNoData)
}
