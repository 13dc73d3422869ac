package remedies

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

func flags(more ...string) map[string]string {
	params := map[string]string{"path": "orchestrator/flags"}
	for i := 0; i < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	return params
}

// person writes a value when the remedy asks for it.
func (b *bench) person(t *testing.T, p approvals.Plan, cas int, data map[string]any) *record {
	asked := false
	return &record{before: func(call string) {
		if call == p.Calls[0].What && !asked {
			asked = true
			b.write(t, "secret/data/orchestrator/flags", map[string]any{"options": map[string]any{"cas": cas}, "data": data})
		}
	}}
}

func (b *bench) testWrite(t *testing.T) {
	p := b.plan(t, "kv-write", flags())
	if want := "vault kv put -mount=secret -cas=0 orchestrator/flags -"; p.Calls[0].ByHand != want || p.Calls[0].System != "person" {
		t.Errorf("the call is %+v, want %s", p.Calls[0], want)
	}
	act := b.person(t, p, 0, map[string]any{"a": canary})
	if text := b.fails(t, p, act); !strings.Contains(text, "lacks the key b") {
		t.Errorf("of a key that was forgotten it says: %s", text)
	}
	p = b.plan(t, "kv-write", flags())
	if want := "vault kv patch -mount=secret -cas=1 orchestrator/flags b=-"; p.Calls[0].ByHand != want {
		t.Errorf("the call is %+v, want %s", p.Calls[0], want)
	}
	act = b.person(t, p, 1, map[string]any{"a": canary, "b": canary})
	check(t, b.remedy(t, "kv-write").Execute(soon(t), p, act))
	noCanary(t, act)
	if len(act.Calls) != 1 || len(act.Said) != 1 || !strings.Contains(act.Said[0], p.Calls[0].ByHand) {
		t.Errorf("it did %+v", act)
	}
	check(t, b.remedy(t, "kv-write").Execute(soon(t), p, &record{})) // after a crash: it is written
	b.testWriteAnew(t)
}

func (b *bench) testWriteAnew(t *testing.T) {
	b.wantRefused(t, "kv-write", flags(), approvals.WhyHealthy)
	for keys, command := range map[string]string{
		"a":    "vault kv patch -mount=secret -cas=2 orchestrator/flags a=-",
		"b, a": "vault kv put -mount=secret -cas=2 orchestrator/flags -",
	} {
		if p := b.plan(t, "kv-write", flags("keys", keys)); p.Calls[0].ByHand != command {
			t.Errorf("for %s the call is %s, want %s", keys, p.Calls[0].ByHand, command)
		}
	}
	wrong := b.plan(t, "kv-write", mongodb(), approvals.Observation{Code: "MDB-002", Status: "fail"})
	if want := "vault kv put -mount=secret -cas=5 orchestrator/mongodb uri=-"; wrong.Calls[0].ByHand != want {
		t.Errorf("for a value that is wrong the call is %s, want %s", wrong.Calls[0].ByHand, want)
	}
	if !slices.Contains(wrong.Proof, "MDB-002") || wrong.Why[0].Code != "MDB-002" {
		t.Errorf("the finding is neither evidence nor proof: %+v", wrong)
	}
	for _, keys := range []string{"c", "a,c", "a,a", ",", "a b", canary} {
		b.wantRefused(t, "kv-write", flags("keys", keys), approvals.WhyParameters)
	}
	p := b.plan(t, "kv-write", flags("keys", "a"))
	b.write(t, "secret/data/orchestrator/flags", map[string]any{"data": map[string]any{"a": 1, "b": 2}})
	if p.Fingerprint() == b.plan(t, "kv-write", flags("keys", "a")).Fingerprint() {
		t.Error("another version has the same fingerprint")
	}
	b.write(t, "secret/data/orchestrator/flags", map[string]any{"data": map[string]any{"a": 1, "b": 2}})
	if text := b.fails(t, p, &record{}); !strings.Contains(text, "has version 4, and only version 3") {
		t.Errorf("of two versions it says: %s", text)
	}
}

// answers is a Vault that answers the same for ever.
type answers struct {
	status int
	body   string
	asked  int
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked++
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(bytes.NewBufferString(a.body)), Header: http.Header{}, Request: r}, nil
}

// waiting is a plan that waits for a person, at a Vault of canned answers.
func waiting(t *testing.T, a *answers) (Deps, approvals.Plan) {
	t.Helper()
	client := must[*api.Client](t)(api.NewClient(&api.Config{Address: "http://vault.test", HttpClient: &http.Client{Transport: a}}))
	client.SetMaxRetries(0)
	s := Secret{Mount: "secret", Path: "orchestrator/mongodb", Keys: []string{"uri"}}
	d := Deps{Now: time.Now, Services: []Service{{Name: "orchestrator", Secrets: []Secret{s}}}, Vault: Vault{Client: client}}
	p, err := d.planWrite(t.Context(), approvals.Want{Service: "orchestrator"})
	check(t, err)
	return d, p
}

const oneVersion = `{"data":{"current_version":1,"versions":{"1":{"destroyed":true}}}}`

func TestNobodyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{status: http.StatusOK, body: oneVersion}
		d, p := waiting(t, a)
		act, began := &record{}, time.Now()
		err := d.handOver(t.Context(), p, act)
		if text := troubleOf(t, err); !strings.Contains(text, "nothing was changed") || !strings.Contains(text, "ask again") {
			t.Errorf("it says: %s", text)
		}
		if waited := time.Since(began); waited < handOverSpells*handOverSpell || waited > (handOverSpells+1)*handOverSpell {
			t.Errorf("it waited %s", waited)
		}
		if len(act.Calls) != handOverSpells || a.asked > 400 {
			t.Errorf("it asked %d times in %d calls", a.asked, len(act.Calls))
		}
	})
}

func TestNobodySeesWhetherItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{status: http.StatusOK, body: oneVersion}
		d, p := waiting(t, a)
		a.status, a.body = http.StatusServiceUnavailable, `{"errors":["Vault is sealed, and `+canary+`"]}`
		if text := troubleOf(t, d.handOver(t.Context(), p, &record{})); !strings.Contains(text, "nobody knows") || !strings.Contains(text, "sealed") {
			t.Errorf("it says: %s", text)
		}
	})
}

// A kill switch is heard between two spells, and a shutdown at once.
func TestTheWaitCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := waiting(t, &answers{status: http.StatusOK, body: oneVersion})
		frozen := &approvals.Trouble{Text: "a call was not made: refused: frozen"}
		calls := 0
		act := &record{refuse: func(string) error {
			if calls++; calls > 2 {
				return frozen
			}
			return nil
		}}
		if err := d.handOver(t.Context(), p, act); err != frozen { //nolint:errorlint // the very same error
			t.Errorf("under a kill switch it says: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if text := troubleOf(t, d.handOver(ctx, p, &record{})); !strings.Contains(text, "stopped while waiting") {
			t.Errorf("it says: %s", text)
		}
		if diff := cmp.Diff(3*time.Second, time.Since(began)); diff != "" {
			t.Errorf("it stopped at another time: %s", diff)
		}
	})
}
