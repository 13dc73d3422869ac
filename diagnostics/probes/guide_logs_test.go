package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

// guideLines are the log of a service: a flow that fails, secrets where they must
// not be shown, an event of no name that the runbook knows, and noise.
func guideLines(t *testing.T, now time.Time) []string {
	t.Helper()
	stamp := func(ago time.Duration) string { return now.Add(-ago).UTC().Format(time.RFC3339Nano) }
	entry := func(ago time.Duration, event, level, more string) string {
		return fmt.Sprintf(`{"timestamp":%q,"event":%q,"level":%q%s}`, stamp(ago), event, level, more)
	}
	wrapped, err := json.Marshal(map[string]string{"message": entry(4*time.Minute, "authorization_failed", "ERROR", `,"request_id":"req-7"`)})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{entry(9*time.Minute, "vault_integration_initialized", "info", "")}
	for i := range 30 {
		lines = append(lines, entry(8*time.Minute-time.Duration(i)*time.Second, "request_served", "info", fmt.Sprintf(`,"request_id":"req-%d00"`, i)))
	}
	return append(lines,
		entry(5*time.Minute, "plan_created", "info", `,"request_id":"req-7","plan_id":"plan-7"`),
		string(wrapped),
		entry(3*time.Minute, "disk_full", "critical", `,"message":"no room for `+canary+`"`),
		entry(2*time.Minute, "request_served", "info", `,"reason":"\"quoted\" W\u00f6rds","note":"aside","error":"token=`+canary+`"`),
		"Traceback: "+canary,
	)
}

// testGuide asks what people ask, of any source that has guideLines as the log
// of registry.
func testGuide(t *testing.T, source LogSource) {
	t.Helper()
	g := NewLogGuide(source, time.Now)
	ask := func(s guide.Search) guide.Logs {
		t.Helper()
		found, err := g.Logs(soon(t), guide.LogsAsk{Service: "registry", Search: s, Since: 20 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%+v", found.Rows) + fmt.Sprintf("%+v%+v", found.Failures, found.Latest); strings.Contains(text, canary) {
			t.Errorf("a secret is shown in what is found of %+v", s)
		}
		return found
	}
	all := ask(guide.Search{})
	counts := map[string]int64{}
	for _, r := range all.Rows {
		counts[r.Name] = r.Count
	}
	if counts["vault_integration_initialized"] != 1 || counts["authorization_failed"] != 1 || counts["disk_full"] != 1 || len(all.Failures) != 2 || all.Truncated {
		t.Errorf("counts are %v, %d failures, truncated %t", counts, len(all.Failures), all.Truncated)
	}
	if len(all.Latest) != 35 || all.Silent() || all.Bad > 1 { // files do not tell bad lines from others
		t.Errorf("%d latest lines of %d, %d bad", len(all.Latest), all.Lines, all.Bad)
	}
	for name, c := range map[string]struct {
		search guide.Search
		lines  int
	}{
		"an event":               {guide.Search{Text: "disk_full"}, 1},
		"words in another case":  {guide.Search{Text: "QUOTED\" wörds"}, 1},
		"a request":              {guide.Search{RequestID: "req-7"}, 2},
		"not a request's prefix": {guide.Search{RequestID: "req-70"}, 0},
		"a plan":                 {guide.Search{PlanID: "plan-7"}, 1},
		"a request as a plan":    {guide.Search{PlanID: "req-7"}, 0},
		"a secret":               {guide.Search{Text: canary}, 0},
		"the beginning of it":    {guide.Search{Text: canary[:8]}, 0},
		"a text of a regexp":     {guide.Search{Text: "disk.full"}, 0},
		"what is not shown":      {guide.Search{Text: "aside"}, 0},
		"a level":                {guide.Search{Text: "critical"}, 1},
	} {
		found := ask(c.search)
		if len(found.Latest) != c.lines || found.Bad != 0 || found.Truncated {
			t.Errorf("%s: %d lines, want %d; %d bad, truncated %t", name, len(found.Latest), c.lines, found.Bad, found.Truncated)
		}
	}
	trace, err := g.Trace(soon(t), guide.TraceAsk{ID: "req-7", Services: []string{"registry"}, Since: 20 * time.Minute})
	if err != nil || len(trace.Steps) != 2 || trace.Steps[0].Event != "plan_created" || !trace.Steps[1].First || trace.Heard[0].Lines < 35 {
		t.Errorf("trace %+v, error %v", trace, err)
	}
}

func TestGuideOfFiles(t *testing.T) {
	file := writeLog(t, t.TempDir(), "registry.log", strings.Join(guideLines(t, time.Now()), "\n")+"\n")
	testGuide(t, NewFiles(map[string][]string{"registry": {file}}))
}

func TestGuideOfRealLoki(t *testing.T) {
	url := startLoki(t)
	now := time.Now()
	push(t, url, "registry-0", now.Add(-10*time.Minute), guideLines(t, now))
	testGuide(t, NewLoki(url, `{service="$service"}`, nil))
}

// What keeps the guide from one log does not keep it from the others.
func TestTraceSaysWhatItCouldNotSee(t *testing.T) {
	file := writeLog(t, t.TempDir(), "registry.log", strings.Join(guideLines(t, time.Now()), "\n")+"\n")
	g := NewLogGuide(NewFiles(map[string][]string{"registry": {file}}), time.Now)
	trace, err := g.Trace(soon(t), guide.TraceAsk{ID: "plan-7", Services: []string{"absent", "registry"}, Since: time.Hour})
	if err != nil || len(trace.Steps) != 1 || trace.Heard[0].Blind != nil || trace.Heard[1].Blind == nil || !trace.Unseen() {
		t.Errorf("trace %+v, error %v", trace, err)
	}
	_, err = NewLogGuide(nil, time.Now).Logs(soon(t), guide.LogsAsk{Service: "registry", Since: time.Hour})
	if blind, ok := errors.AsType[*diagnostics.BlindError](err); !ok || blind.Reason != diagnostics.ReasonNotConfigured {
		t.Errorf("error %v", err)
	}
}
