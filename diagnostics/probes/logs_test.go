package probes

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

func TestParseLogLine(t *testing.T) {
	full := `{"event":"jwt_invalid","level":"warning","timestamp":"2026-03-01T11:59:00.25Z","reason":"unknown_key","status_code":401,"code":16,` +
		`"sqlstate":"28P01","kid":"k1","expected":"a","actual":"b","pod":"w-0","request_id":"r","plan_id":"p","error":"no key","extra":"` + canary + `","token":"` + canary + `"}`
	wrapped, err := json.Marshal(map[string]string{"message": full, "stream": "stdout"})
	if err != nil {
		t.Fatal(err)
	}
	event := LogEvent{
		At: time.Date(2026, 3, 1, 11, 59, 0, 25e7, time.UTC), Pod: "w-0", Event: "jwt_invalid", Level: "warning", Reason: "unknown_key", StatusCode: 401, Code: "16",
		SQLState: "28P01", Kid: "k1", Expected: "a", Actual: "b", RequestID: "r", PlanID: "p", Error: "no key",
	}
	for name, c := range map[string]struct {
		line string
		want LogEvent
	}{
		"plain":           {full, event},
		"wrapped":         {string(wrapped), event},
		"empty object":    {`{}`, LogEvent{}},
		"wrong types":     {`{"event":{"a":1},"status_code":"x","reason":null,"error":{"a":1},"timestamp":true}`, LogEvent{}},
		"other names":     {`{"event":"e","error_class":"c","grpc_code":"PERMISSION_DENIED","expected_audience":"a","actual_audience":["b","c"],"spiffe_id":"spiffe://x/y"}`, LogEvent{Event: "e", Reason: "c", Code: "PERMISSION_DENIED", Expected: "a", Actual: "b c", SPIFFEID: "spiffe://x/y"}},
		"number as text":  {`{"event":"e","status_code":"503","code":"UNAVAILABLE"}`, LogEvent{Event: "e", StatusCode: 503, Code: "UNAVAILABLE"}},
		"epoch":           {`{"event":"e","timestamp":1772366340.5}`, LogEvent{Event: "e", At: time.Date(2026, 3, 1, 11, 59, 0, 5e8, time.UTC)}},
		"python time":     {`{"event":"e","timestamp":"2026-03-01T11:59:00.000005"}`, LogEvent{Event: "e", At: time.Date(2026, 3, 1, 11, 59, 0, 5000, time.UTC)}},
		"plain message":   {`{"message":"started","level":"info"}`, LogEvent{Level: "info"}},
		"time around it":  {`{"message":"{\"event\":\"e\"}","timestamp":"2026-03-01T11:59:00Z"}`, LogEvent{Event: "e", At: time.Date(2026, 3, 1, 11, 59, 0, 0, time.UTC)}},
		"secret in error": {`{"event":"e","error":"dial mongodb://u:` + canary + `@db failed"}`, LogEvent{Event: "e", Error: "dial mongodb://[redacted]@db failed"}},
		"secret as event": {`{"event":"hvs.` + canary + `"}`, LogEvent{Event: "[redacted]"}},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := parseLogLine(c.line)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, record.event); diff != "" {
				t.Error(diff)
			}
			noCanary(t, record.event, record.event.words())
		})
	}
	for _, line := range []string{"", "null", "[]", "1", `"x"`, "Traceback (most recent call last):", `{"event":`, "\xff"} {
		if record, err := parseLogLine(line); err == nil {
			t.Errorf("%q was read as %+v", line, record)
		}
	}
}

func FuzzParseLogLine(f *testing.F) {
	f.Add(`{"event":"jwt_invalid","timestamp":"2026-03-01T11:59:00Z","status_code":401}`)
	f.Add(`{"message":"{\"event\":\"e\",\"error\":\"hvs.abcdefghijkl\"}"}`)
	f.Add(`{"timestamp":1e300,"status_code":-1e99,"event":{}}`)
	f.Add(`{"message":"null"}`)
	f.Fuzz(func(t *testing.T, line string) {
		record, err := parseLogLine(line)
		if err != nil {
			if record != (logRecord{}) {
				t.Errorf("%q is no line and still %+v", line, record)
			}
			return
		}
		if e := record.event; len(e.Error) > maxDetail+len("…") || e.Error != clean(e.Error, 2*maxDetail) {
			t.Errorf("the error of %q is not clean: %q", line, e.Error)
		}
	})
}

func TestLogEvents(t *testing.T) {
	line := func(ago time.Duration, event string) LogLine {
		return LogLine{At: at.Add(-ago), Text: fmt.Sprintf(`{"event":%q,"reason":"r"}`, event)}
	}
	page := LogPage{Lines: 500, Newest: at, Read: 7, Truncated: true, Bad: 2, Matches: []LogLine{
		line(time.Second, "b"), {At: at, Text: "not JSON"}, line(2*time.Second, "mentions a, is not a"), line(3*time.Second, "a"), line(4*time.Second, "b"),
	}}
	facts, evidence, err := logProbes{source: fakeLogs{page: page}, now: now}.events(soon(t), EventsArgs{Service: "worker", Events: []string{"a", "b", "c"}, Since: time.Hour})
	wantSeen(t, facts, evidence, err)
	first := LogEvent{At: at.Add(-time.Second), Event: "b", Reason: "r"}
	want := Events{
		Matched: 3, Read: 7, Bad: 3, Truncated: true, Counts: map[string]int64{"a": 1, "b": 2, "c": 0}, Last: first,
		Events: []LogEvent{first, {At: at.Add(-3 * time.Second), Event: "a", Reason: "r"}, {At: at.Add(-4 * time.Second), Event: "b", Reason: "r"}},
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
}

// Events of others do not crowd out those of the caller that is asked about.
func TestLogEventsFiltered(t *testing.T) {
	var page LogPage
	for i := range 200 {
		page.Matches = append(page.Matches, LogLine{At: at.Add(-time.Duration(i) * time.Second), Text: `{"event":"jwt_invalid","reason":"expired","spiffe_id":"spiffe://x/other"}`})
	}
	for i, text := range []string{
		`{"event":"jwt_invalid","reason":"expired","spiffe_id":"spiffe://x/mine","pod":"registry-9"}`,
		`{"event":"jwt_invalid","error_class":"expired"}`,
		`{"event":"jwt_invalid","reason":"audience","spiffe_id":"spiffe://x/mine"}`,
		`{"event":"jwt_valid","reason":"expired","spiffe_id":"spiffe://x/mine"}`,
	} {
		page.Matches = append(page.Matches, LogLine{At: at.Add(-time.Duration(1000+i) * time.Second), Pod: "registry-0", Text: text})
	}
	page.Lines, page.Read = 204, 204
	mine := LogEvent{At: at.Add(-1000 * time.Second), Pod: "registry-0", Event: "jwt_invalid", Reason: "expired", SPIFFEID: "spiffe://x/mine"}
	nobody := LogEvent{At: at.Add(-1001 * time.Second), Pod: "registry-0", Event: "jwt_invalid", Reason: "expired"}
	audience := LogEvent{At: at.Add(-1002 * time.Second), Pod: "registry-0", Event: "jwt_invalid", Reason: "audience", SPIFFEID: "spiffe://x/mine"}
	for name, c := range map[string]struct {
		args EventsArgs
		want []LogEvent
	}{
		"caller":            {EventsArgs{SPIFFEID: "spiffe://x/mine"}, []LogEvent{mine, nobody, audience}},
		"caller and reason": {EventsArgs{SPIFFEID: "spiffe://x/mine", Reason: "expired"}, []LogEvent{mine, nobody}},
		"nobody's":          {EventsArgs{SPIFFEID: "spiffe://x/absent", Reason: "expired"}, []LogEvent{nobody}},
		"another reason":    {EventsArgs{Reason: "audience"}, []LogEvent{audience}},
	} {
		t.Run(name, func(t *testing.T) {
			c.args.Service, c.args.Events = "registry", []string{"jwt_invalid"}
			facts, evidence, err := logProbes{source: fakeLogs{page: page}, now: now}.events(soon(t), c.args)
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts.Events); diff != "" {
				t.Error(diff)
			}
			if n := int64(len(c.want)); facts.Matched != n || facts.Counts["jwt_invalid"] != n || facts.Read != 204 {
				t.Errorf("facts are %+v", facts)
			}
		})
	}
}

func TestLogEventsAreBounded(t *testing.T) {
	var page LogPage
	for i := range 200 {
		page.Matches = append(page.Matches, LogLine{At: at, Text: fmt.Sprintf(`{"event":"e%d","error":%q}`, i, strings.Repeat("x", 2000))})
	}
	page.Lines = 200
	facts, _, err := logProbes{source: fakeLogs{page: page}, now: now}.events(soon(t), EventsArgs{Service: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Events) != 50 || facts.Matched != 200 || len(facts.Counts) != 50 || len(facts.Events[0].Error) > maxDetail+len("…") {
		t.Errorf("%d events of %d, %d counts, error of %d bytes", len(facts.Events), facts.Matched, len(facts.Counts), len(facts.Events[0].Error))
	}
}

func TestLogVolume(t *testing.T) {
	page := LogPage{Lines: 500, Newest: at, Read: 2, Matches: []LogLine{{At: at, Text: "not JSON"}, {At: at, Text: `{"event":"a"}`}}}
	facts, evidence, err := logProbes{source: fakeLogs{page: page}, now: now}.volume(soon(t), VolumeArgs{Service: "worker", Since: time.Hour})
	wantSeen(t, facts, evidence, err)
	if diff := cmp.Diff(Volume{Lines: 500, Newest: at, Read: 2, Bad: 1}, facts); diff != "" {
		t.Error(diff)
	}
}

func TestLogsBlind(t *testing.T) {
	events := func(source LogSource) ([]diagnostics.Evidence, error) {
		_, evidence, err := logProbes{source: source, now: now}.events(soon(t), EventsArgs{Service: "worker", Since: time.Hour})
		return evidence, err
	}
	volume := func(source LogSource) ([]diagnostics.Evidence, error) {
		_, evidence, err := logProbes{source: source, now: now}.volume(soon(t), VolumeArgs{Service: "worker", Since: time.Hour})
		return evidence, err
	}
	for _, ask := range []func(LogSource) ([]diagnostics.Evidence, error){events, volume} {
		evidence, err := ask(nil)
		wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
		evidence, err = ask(fakeLogs{err: blindStatus("GET", "Loki", 500, nil)})
		wantBlind(t, err, evidence, diagnostics.ReasonUnavailable)
	}
	evidence, err := volume(fakeLogs{}) // a service that says nothing at all
	wantBlind(t, err, evidence, diagnostics.ReasonNoData)
}
