package guide

import (
	"math"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
)

func orchestratorTarget() diagnostics.Target {
	return diagnostics.Target{
		Name: "orchestrator", Job: "orch", MetricPrefix: "orchestrator", SPIFFEID: "spiffe://x/orch", Window: 5 * time.Minute,
		Login: diagnostics.Login{Role: "r", TTL: time.Hour}, Database: diagnostics.Database{Role: "d", TTL: time.Hour},
		Peer: diagnostics.Peer{Name: "registry", Job: "reg"},
	}
}

// Every metric of the runbook has its measure, which selects by job.
func TestMeasuresOfTheRunbook(t *testing.T) {
	measures := Measures(orchestratorTarget(), "")
	names := map[string]bool{}
	for _, m := range measures {
		names[m.Metric] = true
		if !strings.Contains(m.Query, `job="orch"`) && !strings.Contains(m.Query, `job="reg"`) {
			t.Errorf("%s does not select by job: %s", m.Metric, m.Query)
		}
		if m.What.EN == "" || m.What.PT == "" || (m.Trap.EN == "") != (m.Trap.PT == "") || (m.Empty.EN == "") != (m.Empty.PT == "") {
			t.Errorf("%s lacks words", m.Metric)
		}
	}
	for _, name := range []string{
		"vault_requests_total", "vault_request_duration_seconds", "vault_token_ttl_seconds", "vault_credential_renewals_total",
		"orchestrator_vault_credentials_fetched_total", "orchestrator_vault_renewal_task_runs_total",
		"spiffe_svid_fetch_total", "spiffe_svid_ttl_seconds", "spiffe_trust_bundle_updates_total",
		"grpc_jwt_auth_attempts_total", "grpc_jwt_auth_failures_total",
	} {
		if !names[name] {
			t.Errorf("%s is not read", name)
		}
	}
	for _, group := range Groups() {
		of := Measures(orchestratorTarget(), group)
		if len(of) < 3 || of[0].Group != Gate {
			t.Errorf("group %s has %d measures", group, len(of))
		}
	}
	if bare := Measures(diagnostics.Target{Name: "x", Job: "x"}, ""); bare != nil {
		t.Errorf("a service that has nothing is measured: %v", bare)
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		v      float64
		want   diagnostics.Status
	}{
		"none failed":         {Limits{Warn: 0, Fail: 0.05}, 0, diagnostics.Pass},
		"one failed":          {Limits{Warn: 0, Fail: 0.05}, 0.01, diagnostics.Warn},
		"many failed":         {Limits{Warn: 0, Fail: 0.05}, 0.05, diagnostics.Fail},
		"never fails":         {Limits{Warn: 0, Fail: none}, 1e9, diagnostics.Warn},
		"all are up":          {Limits{Warn: 1, Fail: 0.001, Below: true}, 1, diagnostics.Pass},
		"some are up":         {Limits{Warn: 1, Fail: 0.001, Below: true}, 0.5, diagnostics.Warn},
		"nothing is up":       {Limits{Warn: 1, Fail: 0.001, Below: true}, 0, diagnostics.Fail},
		"below, never warned": {Limits{Warn: none, Fail: 0.5, Below: true}, 1, diagnostics.Pass},
	} {
		if got := c.limits.Judge(c.v); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// series has a number each minute up to so long before noon.
func series(ended time.Duration, values ...float64) Series {
	var s Series
	for i, v := range values {
		s.Points = append(s.Points, Point{At: noon.Add(-ended - time.Duration(len(values)-1-i)*time.Minute), V: v})
	}
	return s
}

// What is now decides; a series that ended says nothing of now.
func TestReadJudgesNow(t *testing.T) {
	fresh := noon.Add(-time.Minute)
	limits := Measure{Limits: Limits{Warn: 0, Fail: 0.5}}
	empty := limits
	empty.Empty = diagnostics.Both("no call", "nenhuma chamada")
	for name, c := range map[string]struct {
		measure    Measure
		series     []Series
		now, worst float64
		want       diagnostics.Status
	}{
		"it was bad":         {limits, []Series{series(0, 0.9, 0)}, 0, 0.9, diagnostics.Pass},
		"it is bad":          {limits, []Series{series(0, 0, 0.9)}, 0.9, 0.9, diagnostics.Fail},
		"the worst series":   {limits, []Series{series(0, 0), series(0, 0.1)}, 0.1, 0.1, diagnostics.Warn},
		"it ended":           {limits, []Series{series(5*time.Minute, 0, 0)}, math.NaN(), 0, diagnostics.Unknown},
		"nothing":            {limits, nil, math.NaN(), math.NaN(), diagnostics.Unknown},
		"nothing, as usual":  {empty, nil, math.NaN(), math.NaN(), diagnostics.Skipped},
		"quiet for a moment": {empty, []Series{series(5*time.Minute, 0.9)}, math.NaN(), 0.9, diagnostics.Skipped},
	} {
		r := Reading{Measure: c.measure}
		r.Read(c.series, fresh)
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if r.Status != c.want || !same(r.Now, c.now) || !same(r.Worst, c.worst) {
			t.Errorf("%s: now %g, worst %g, %s", name, r.Now, r.Worst, r.Status)
		}
	}
}

// Without a target that is scraped every number is unknown.
func TestGated(t *testing.T) {
	m := Metrics{Readings: []Reading{
		{Service: "a", Measure: Measure{Group: Gate}, Now: 0, Status: diagnostics.Fail},
		{Service: "a", Measure: Measure{Group: GRPC}, Now: 0, Status: diagnostics.Pass},
		{Service: "b", Measure: Measure{Group: Gate}, Now: math.NaN(), Status: diagnostics.Unknown},
		{Service: "b", Measure: Measure{Group: GRPC}, Now: 0, Status: diagnostics.Pass},
		{Service: "c", Measure: Measure{Group: Gate}, Now: 0.5, Status: diagnostics.Warn},
		{Service: "c", Measure: Measure{Group: GRPC}, Now: 0, Status: diagnostics.Pass},
	}}
	m.Gated()
	if m.Readings[1].Status != diagnostics.Unknown || m.Readings[3].Status != diagnostics.Unknown || m.Readings[5].Status != diagnostics.Pass {
		t.Errorf("readings are %+v", m.Readings)
	}
	if m.Status() != diagnostics.Fail || (Metrics{}).Status() != diagnostics.Unknown {
		t.Error("the status of all is wrong")
	}
}

func TestLine(t *testing.T) {
	r := Reading{Series: []Series{series(time.Minute, 1, 0, 0.5)}}
	if got := []rune(r.Line(noon.Add(-24*time.Minute), noon)); string(got[20:]) != "·█▁▅" {
		t.Errorf("drawn as %s", string(got))
	}
	none := Reading{Series: []Series{series(0, 0, 0)}}
	if got := none.Line(noon.Add(-24*time.Minute), noon); !strings.HasSuffix(got, "▁") || strings.Contains(got, "█") {
		t.Errorf("zeros are drawn as %s", got)
	}
}
