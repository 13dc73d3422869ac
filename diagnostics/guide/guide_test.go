package guide

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func line(ago time.Duration, service, event, level string) Line {
	return Line{At: noon.Add(-ago), Service: service, Event: event, Level: level}
}

func TestCountOverTime(t *testing.T) {
	l := Logs{Since: noon.Add(-24 * time.Minute), Until: noon}
	l.Count([]Line{
		line(0, "w", "token_renewed", "info"), // the very end is in the last part
		line(90*time.Second, "w", "boom", "error"),
		line(90*time.Second, "w", "jwt_invalid", "warning"), // a failure by what it is
		line(24*time.Minute, "w", "token_renewed", "info"),
	})
	if len(l.Rows) != len(Events())+1 || len(l.Failures) != 2 {
		t.Fatalf("%d rows, %d failures", len(l.Rows), len(l.Failures))
	}
	got := map[string]string{}
	for _, r := range l.Rows {
		if r.Count > 0 {
			got[r.Name] = Spark(r.Counts)
		}
	}
	blank := strings.Repeat("·", 22)
	want := map[string]string{"token_renewed": "█" + blank + "█", "boom": blank + "█·", "jwt_invalid": blank + "█·"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A note is there only when its trap can be fallen into.
func TestNotes(t *testing.T) {
	quiet := Logs{Since: noon.Add(-time.Hour), Until: noon}
	quiet.Count(nil)
	names := func(l Logs) (all []string) {
		for _, e := range l.Notes() {
			all = append(all, e.Name)
		}
		return all
	}
	if diff := cmp.Diff([]string{"jwt_svid_attached", "vault_token_renewed_successfully", "grpc_discovery_error"}, names(quiet)); diff != "" {
		t.Error(diff)
	}
	busy := Logs{Since: noon.Add(-time.Hour), Until: noon}
	busy.Count([]Line{
		line(1, "w", "jwt_svid_attached", "debug"), line(1, "w", "vault_token_renewed_successfully", "info"), line(1, "w", "grpc_discovery_error", "error"),
		line(1, "w", "postgres_credentials_renewed_connection_pool_update_required", "warning"),
	})
	if diff := cmp.Diff([]string{"postgres_credentials_renewed_connection_pool_update_required"}, names(busy)); diff != "" {
		t.Error(diff)
	}
	for _, e := range Events() {
		if (e.Note.EN == "") != (e.Note.PT == "") {
			t.Errorf("%s has a note in one language", e.Name)
		}
	}
}

func TestFollow(t *testing.T) {
	trace := Trace{ID: "req-1", Heard: []Heard{{Service: "registry"}, {Service: "silent", Blind: &diagnostics.BlindError{}}, {Service: "orchestrator"}}}
	second := line(3*time.Second, "registry", "jwt_invalid", "error")
	second.RequestID, second.PlanID = "req-1", "plan-1"
	trace.Follow([]Line{
		line(time.Second, "orchestrator", "authentication_failed", "error"),
		second,
		line(3500*time.Millisecond, "orchestrator", "plan_created", "info"),
	})
	type step struct {
		Event      string
		After      time.Duration
		Gap, First bool
	}
	var got []step
	for _, s := range trace.Steps {
		got = append(got, step{s.Event, s.After, s.Gap, s.First})
	}
	want := []step{{"plan_created", 0, false, false}, {"jwt_invalid", 500 * time.Millisecond, false, true}, {"authentication_failed", 2 * time.Second, true, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"plan-1"}, trace.Related); diff != "" {
		t.Error(diff)
	}
	if trace.Heard[0].Service != "orchestrator" || trace.Heard[2].Service != "silent" || !trace.Unseen() {
		t.Errorf("heard %+v", trace.Heard)
	}
}

func TestSpark(t *testing.T) {
	if got := Spark([]int64{0, 1, 4, 8}); got != "·▁▄█" {
		t.Errorf("drawn as %s", got)
	}
	if got := Spark([]int64{1_000_000_000_000, 1}); got != "█▁" {
		t.Errorf("drawn as %s", got)
	}
}
