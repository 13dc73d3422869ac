package guide

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tandem/diagnostics"
	"tandem/i18n"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The views are contracts: what changes here changes for everybody's programs.
func TestViewsAreStable(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	line := func(ago time.Duration, event, level string) Line {
		return Line{At: at.Add(-ago), Service: "worker", Pod: "w-0", Event: event, Level: level, RequestID: "req-7", PlanID: "plan-7", Text: "reason=expired"}
	}
	blind := &diagnostics.BlindError{Reason: diagnostics.ReasonTimeout, Detail: "GET /x: no answer", Next: diagnostics.Both("look", "olhe")}
	logs := Logs{
		Service: "worker", Search: Search{Text: "jwt"}, Since: at.Add(-time.Hour), Until: at, Lines: 10, Newest: at, Pods: 2, Counted: at.Add(-time.Hour),
		Found: 2, Bad: 1, Unseen: []string{"w-1: 403"}, Source: "kubernetes", Command: "kubectl logs",
	}
	logs.Count([]Line{line(time.Minute, "jwt_invalid", "error"), line(2*time.Minute, "plan_taken", "info")})
	logs.Latest = []Line{line(time.Minute, "jwt_invalid", "error")}
	trace := Trace{ID: "req-7", Since: at.Add(-time.Hour), Until: at, Heard: []Heard{{Service: "worker", Steps: 2, Lines: 10, Command: "grep"}, {Service: "quiet", Blind: blind}}}
	trace.Follow([]Line{line(time.Minute, "jwt_invalid", "error"), line(2*time.Minute, "plan_taken", "info")})
	reading := Reading{Measure: Measure{
		Metric: "up", Group: Gate, Unit: Share, Limits: Limits{Warn: 1, Fail: math.NaN(), Below: true}, Query: "up",
		What: diagnostics.Both("targets", "alvos"), Trap: diagnostics.Both("a trap", "uma armadilha"),
	}, Service: "worker", Command: "curl"}
	unread := reading
	reading.Read([]Series{{Label: "a", Points: []Point{{At: at, V: 0.5}}}}, at)
	unread.Read(nil, at)
	unread.Blind = blind
	metrics := Metrics{About: "worker", Since: at.Add(-time.Hour), Until: at, Readings: []Reading{reading, unread}}

	for name, view := range map[string]any{
		"logs.en.json": logs.In(i18n.English), "trace.en.json": trace.In(i18n.English), "metrics.en.json": metrics.In(i18n.English),
		"metrics.pt-BR.json": metrics.In(i18n.Portuguese), "empty-logs.json": Logs{}.In(i18n.English), "empty-trace.json": Trace{}.In(i18n.English),
		"empty-metrics.json": Metrics{}.In(i18n.English), "nothing.json": NothingView{Status: diagnostics.Unknown, Blind: BlindIn(blind, i18n.English)},
	} {
		got, err := json.MarshalIndent(view, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		sameInYAML(t, name, view, got)
	}
}

// sameInYAML holds that YAML has the fields of the JSON.
func sameInYAML(t *testing.T, name string, view any, inJSON []byte) {
	t.Helper()
	inYAML, err := yaml.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(inJSON, &a); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(inYAML, &b); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sorted, again) {
		t.Errorf("%s: YAML has %s\nJSON has %s", name, again, sorted)
	}
}
