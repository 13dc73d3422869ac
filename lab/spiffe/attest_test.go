package spiffe

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
)

func TestPodSelectors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		want    []string
	}{
		{"nothing", nil, nil},
		{"no service account", []string{"POD_NAMESPACE=a"}, nil},
		{"pod", []string{"PATH=/bin", "POD_NAMESPACE=a", "POD_SERVICE_ACCOUNT=b"}, []string{"k8s:ns:a", "k8s:sa:b"}},
		{"labels", []string{"POD_NAMESPACE=a", "POD_SERVICE_ACCOUNT=b", "POD_LABELS=app=w, tier=x=y,,bad,=no"}, []string{"k8s:ns:a", "k8s:pod-label:app:w", "k8s:pod-label:tier:x=y", "k8s:sa:b"}},
		{"repeated label", []string{"POD_NAMESPACE=a", "POD_SERVICE_ACCOUNT=b", "POD_LABELS=x=1,x=1"}, []string{"k8s:ns:a", "k8s:pod-label:x:1", "k8s:sa:b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := podSelectors([]byte(strings.Join(tt.environ, "\x00"))); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestProcAttestorOfGoneProcess(t *testing.T) {
	_, err := ProcAttestor(t.Context(), Peer{PID: -1})
	if err == nil || !strings.Contains(err.Error(), "read environment of process -1") {
		t.Errorf("got %v", err)
	}
	got, err := ProcAttestor(t.Context(), Peer{PID: int32(os.Getpid()), UID: 7})
	if err != nil || got[0] != "unix:uid:7" || !strings.HasPrefix(got[1], "unix:path:/") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPeerOfOtherConnections(t *testing.T) {
	if _, _, err := (peerCredentials{}).ServerHandshake(nil); err == nil {
		t.Error("took a connection that is no Unix socket")
	}
	if _, err := peerFrom(t.Context()); err == nil {
		t.Error("found a peer in an empty context")
	}
}

func FuzzPodSelectors(f *testing.F) {
	f.Add([]byte("POD_NAMESPACE=a\x00POD_SERVICE_ACCOUNT=b\x00POD_LABELS=app=w,x"))
	f.Add([]byte("POD_NAMESPACE=\x00=\x00"))
	f.Fuzz(func(t *testing.T, environ []byte) {
		selectors := podSelectors(environ)
		if selectors == nil {
			return
		}
		parsed, err := parseSelectors(selectors)
		if err != nil {
			t.Fatalf("%q: %v", selectors, err)
		}
		if err := checkSelectors(parsed); err != nil && !strings.Contains(err.Error(), "value") {
			t.Fatalf("%q: %v", selectors, err)
		}
	})
}

func FuzzFaults(f *testing.F) {
	f.Add([]byte(`{"agent_down":"hang","jwt_ttl":"3s"}`))
	f.Add([]byte(`{"jwt_ttl":null}{}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		merged, err := (Faults{}).merge(object)
		if err == nil && merged.validate() != nil {
			t.Fatalf("%q was taken as %+v", object, merged)
		}
	})
}

func FuzzParseSelectors(f *testing.F) {
	f.Add("k8s:ns:a")
	f.Add(":")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseSelectors([]string{text})
		if err != nil {
			return
		}
		if back := parsed[0].Type + ":" + parsed[0].Value; back != text {
			t.Fatalf("%q became %q", text, back)
		}
		if err := checkSelectors(parsed); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzValidateToken(f *testing.F) {
	authority, err := newAuthority(spiffeDomain(f), 1<<40, newTestClock().now)
	if err != nil {
		f.Fatal(err)
	}
	bundle := authority.bundle()
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJzcGlmZmU6Ly9uZXVyYWwtaGl2ZS5sb2NhbC94IiwiZXhwIjoxfQ.AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if id, _, err := validateToken(token, bundle, "a", newTestClock().now()); err == nil {
			t.Fatalf("%q passes as %v", token, id)
		}
	})
}

func TestSelectorsMatchNothingWhenEmpty(t *testing.T) {
	some := []*types.Selector{{Type: "a", Value: "b"}}
	if subset(nil, some) {
		t.Error("an entry without selectors would be everybody's")
	}
	if matchSelectors(some, &types.SelectorMatch{Match: 99, Selectors: some}) {
		t.Error("an unknown match matches")
	}
}
