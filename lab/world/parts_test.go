package world

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPortsAreHandedOutOnce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port := hostAndPort(taken.Addr().String())
	p := newPorts(false)
	seen := map[string]bool{taken.Addr().String(): true}
	for range 50 {
		addr, err := p.addr(port)
		if err != nil {
			t.Fatal(err)
		}
		if seen[addr] {
			t.Fatalf("%s was handed out before", addr)
		}
		seen[addr] = true
	}
}

func TestPortsPreferTheWellKnown(t *testing.T) {
	free, err := newPorts(true).addr(0)
	if err != nil {
		t.Fatal(err)
	}
	_, port := hostAndPort(free)
	if got, err := newPorts(false).addr(port); err != nil || got != free {
		t.Errorf("preferred %d: got %s, %v", port, got, err)
	}
}

func TestOptions(t *testing.T) {
	complete, err := Options{}.complete()
	if err != nil || complete.TTL != DefaultTTL || !strings.HasSuffix(complete.Dir, "/"+DefaultDir) {
		t.Errorf("zero options become %+v, %v", complete, err)
	}
	for _, bad := range []time.Duration{time.Second, -time.Minute, 5500 * time.Millisecond} {
		if _, err := (Options{TTL: bad}).complete(); err == nil {
			t.Errorf("TTL %s is accepted", bad)
		}
	}
}

func TestMergePatch(t *testing.T) {
	type nested struct {
		A string `json:"a"`
		B string `json:"b"`
	}
	config := struct {
		TTL   string `json:"ttl"`
		Inner nested `json:"inner"`
		Gone  string `json:"gone"`
	}{"1m", nested{"1", "2"}, "x"}
	got, err := mergeConfig(config, map[string]any{
		"ttl": "5s", "gone": nil, "inner": map[string]any{"b": "3"}, "new": []any{"y"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"ttl": "5s", "inner": map[string]any{"a": "1", "b": "3"}, "new": []any{"y"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLaterOverrideWins(t *testing.T) {
	got := combined([]Override{
		{Env: map[string]string{"A": "1", "B": "1"}, Config: map[string]any{"x": 1.0}},
		{Env: map[string]string{"B": "2"}, Config: map[string]any{"x": 2.0}},
	})
	want := Override{Env: map[string]string{"A": "1", "B": "2"}, Config: map[string]any{"x": 2.0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryServiceHasItsPolicy(t *testing.T) {
	for _, s := range catalogue() {
		if _, err := Policy(s.policy); err != nil {
			t.Error(err)
		}
	}
	if _, err := Policy("nobody"); err == nil || !strings.Contains(err.Error(), "worker-agents-policy") {
		t.Errorf("unknown policy: %v, want the names there are", err)
	}
}

func TestExportsAreShell(t *testing.T) {
	if got := quoted(`it's`); got != `'it'\''s'` {
		t.Errorf("quoted: %s", got)
	}
	text := string(exports(State{Vault: VaultState{URL: "http://v", RootToken: "hvs.root"}}))
	for line := range strings.Lines(text) {
		if strings.Contains(line, "hvs.root") && !strings.HasPrefix(line, "export LAB_ROOT_TOKEN=") {
			t.Errorf("the root token is in %s", line)
		}
	}
	if !strings.Contains(text, "export VAULT_ADDR='http://v'\n") {
		t.Error(text)
	}
}

func TestSecretFilesAreNeverEmpty(t *testing.T) {
	if err := writeSecret(t.TempDir()+"/x", ""); err == nil {
		t.Error("an empty secret was written")
	}
}
