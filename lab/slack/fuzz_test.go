package slack

import (
	"encoding/json"
	"testing"
)

// FuzzView checks that whatever an app sends as a view is taken or refused, and that a view that is taken can be shown,
// filled in and written again.
func FuzzView(f *testing.F) {
	f.Add(form, "modal")
	f.Add(`{"type":"home","blocks":[{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"A"}}]}]}`, "home")
	f.Add(`{"type":"modal","title":{},"blocks":[1]}`, "modal")
	f.Add(`null`, "modal")
	f.Fuzz(func(t *testing.T, raw, kind string) {
		if kind != "home" {
			kind = "modal"
		}
		v, err := readView(json.RawMessage(raw), kind)
		if err != nil {
			return
		}
		st, err := stateOf(v.Blocks, v.State, nil)
		if err != nil {
			t.Fatalf("untouched: %v", err)
		}
		complaints(v.Blocks, st)
		v.State = st
		v.State = keptState(v, v)
		if _, err := json.Marshal(v.shown()); err != nil {
			t.Fatalf("shown: %v", err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add(testManifest)
	f.Add(`{"display_information":{"name":"A"},"features":{"slash_commands":[{}]},"settings":null}`)
	f.Fuzz(func(t *testing.T, raw string) {
		cfg := Config{Manifest: json.RawMessage(raw), App: defaultApp()}
		if cfg.install() == nil && (cfg.App.Name == "" || cfg.App.Events == nil || cfg.Scopes == nil) {
			t.Errorf("incomplete: %+v", cfg.App)
		}
	})
}

func FuzzImmediateAnswer(f *testing.F) {
	f.Add([]byte(`{"response_action":"errors","errors":{"text":"no"}}`), "application/json")
	f.Add([]byte(`{"text":"hi"}`), "application/json")
	f.Add([]byte("hi"), "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		payload, err := answered{kind: kind, body: body}.payload()
		if err != nil {
			t.Fatal(err)
		}
		_ = answered{kind: kind, body: body}.echoes("x")
		if kind != "application/json" && len(payload) > 0 && !json.Valid(payload) {
			t.Errorf("%q became %q", body, payload)
		}
	})
}
