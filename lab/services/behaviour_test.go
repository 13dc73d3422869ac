package services

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBehaviourMergesFieldByField(t *testing.T) {
	healthy := Behaviour{RenewalTask: "ok", Pool: "ok", TokenRenewal: "ok", VerifierBundle: "live", SVID: "ok"}
	with := func(change func(*Behaviour)) Behaviour {
		b := healthy
		change(&b)
		return b
	}
	tests := []struct {
		name    string
		patches []string
		want    Behaviour
		err     string
	}{
		{"nothing said", []string{`{}`}, healthy, ""},
		{"fields add up", []string{`{"pool":"stale"}`, `{"svid":"cached"}`}, with(func(b *Behaviour) { b.Pool, b.SVID = "stale", "cached" }), ""},
		{"taken back", []string{`{"pool":"stale"}`, `{"pool":"ok"}`}, healthy, ""},
		{"empty is the default", []string{`{"renewal_task":"dead"}`, `{"renewal_task":""}`}, healthy, ""},
		{"nobody is allowed", []string{`{"verifier_allow_list":[]}`}, with(func(b *Behaviour) { b.VerifierAllowList = []string{} }), ""},
		{"list taken back", []string{`{"verifier_allow_list":["a"]}`, `{"verifier_allow_list":null}`}, healthy, ""},
		{"unknown word", []string{`{"pool":"maybe","svid":"x"}`}, healthy, `svid "x": want one of ok, cached, placeholder`},
		{"unknown field", []string{`{"poool":"stale"}`}, healthy, "poool"},
		{"no object", []string{`[]`}, healthy, "decode behaviour"},
		{"nothing", []string{``}, healthy, "decode behaviour"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mustSwitches(t, Behaviour{})
			var err error
			for _, patch := range tt.patches {
				_, err = s.merge([]byte(patch))
			}
			if (err != nil) != (tt.err != "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error = %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, s.now()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBehaviourTellsOfChangesOnly(t *testing.T) {
	s := mustSwitches(t, Behaviour{})
	_, changed := s.get()
	if _, err := s.merge([]byte(`{"pool":"maybe"}`)); err == nil || closed(changed) {
		t.Errorf("error %v, told %v; want an error and no word of it", err, closed(changed))
	}
	change(t, s, `{"pool":"stale"}`)
	if !closed(changed) {
		t.Error("nobody was told of the change")
	}
}

func FuzzBehaviour(f *testing.F) {
	f.Add([]byte(`{"pool":"stale","verifier_allow_list":["x"]}`))
	f.Add([]byte(`{"pool":1}`))
	f.Fuzz(func(t *testing.T, patch []byte) {
		s, err := newSwitches(Behaviour{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.merge(patch); err != nil {
			return
		}
		text, err := json.Marshal(s.now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.merge(text); err != nil {
			t.Errorf("what was taken is not taken again: %v", err)
		}
	})
}
