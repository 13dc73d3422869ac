package probes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"tandem/diagnostics"
)

func prometheusAt(t *testing.T, url string) prometheusProbes {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := promapi.NewClient(promapi.Config{Address: url, RoundTripper: transport})
	if err != nil {
		t.Fatal(err)
	}
	return prometheusProbes{Prometheus: Prometheus{API: promv1.NewAPI(client), URL: "http://prometheus:9090/"}, now: now}
}

// vector is an answer of Prometheus with one series for each value.
func vector(values ...string) string {
	var series []string
	for i, v := range values {
		series = append(series, fmt.Sprintf(`{"metric":{"__name__":"m","pod":"worker-%d","note":"token=%s"},"value":[%d.5,%q]}`, i, canary, at.Unix(), v))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
}

// byQuery answers each query with its own text.
func byQuery(answers map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { answer(200, answers[r.FormValue("query")])(w, r) }
}

func TestPrometheusQuery(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   Query
	}{
		"vector": {vector("2", "-1.5"), Query{Count: 2, Sum: 0.5, Min: -1.5, Max: 2, Samples: []Sample{
			{Labels: map[string]string{"__name__": "m", "pod": "worker-0", "note": "token=[redacted]"}, Value: 2, At: at.Add(500 * time.Millisecond)},
			{Labels: map[string]string{"__name__": "m", "pod": "worker-1", "note": "token=[redacted]"}, Value: -1.5, At: at.Add(500 * time.Millisecond)},
		}}},
		"scalar":  {fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[%d,"3"]}}`, at.Unix()), Query{Count: 1, Sum: 3, Min: 3, Max: 3, Samples: []Sample{{Value: 3, At: at}}}},
		"no rate": {vector("0"), Query{Count: 1, Samples: []Sample{{Labels: map[string]string{"__name__": "m", "pod": "worker-0", "note": "token=[redacted]"}, At: at.Add(500 * time.Millisecond)}}}},
		"info":    {`{"status":"success","infos":["metric might not be a counter"],"data":{"resultType":"scalar","result":[1,"3"]}}`, Query{Count: 1, Sum: 3, Min: 3, Max: 3, Samples: []Sample{{Value: 3, At: time.Unix(1, 0).UTC()}}}},
	} {
		t.Run(name, func(t *testing.T) {
			facts, evidence, err := prometheusAt(t, serve(t, answer(200, c.answer)).URL).query(soon(t), QueryArgs{Query: `up{job="worker"}`})
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts); diff != "" {
				t.Error(diff)
			}
			if got, want := evidence[0].Invocation, `curl -sG http://prometheus:9090/api/v1/query --data-urlencode 'query=up{job="worker"}'`; got != want {
				t.Errorf("the command is %s, want %s", got, want)
			}
		})
	}
}

// An empty answer is none only where the parent proves that there could be one.
func TestPrometheusParent(t *testing.T) {
	empty := vector()
	p := prometheusAt(t, serve(t, byQuery(map[string]string{"errors": empty, "all": vector("7"), "none": empty, "nan": vector("NaN")})).URL)
	facts, evidence, err := p.query(soon(t), QueryArgs{Query: "errors", Parent: "all"})
	wantSeen(t, facts, evidence, err)
	if facts.Count != 0 || facts.Sum != 0 || facts.Min != 0 || facts.Max != 0 || len(evidence) != 2 {
		t.Errorf("facts are %+v with %d pieces of evidence", facts, len(evidence))
	}
	for _, parent := range []string{"", "none", "nan"} {
		_, evidence, err := p.query(soon(t), QueryArgs{Query: "errors", Parent: parent})
		wantBlind(t, err, evidence, diagnostics.ReasonNoData)
	}
}

// everyPrometheusProbe asks each of them something.
func everyPrometheusProbe(p prometheusProbes) map[string]func(t *testing.T) (any, []diagnostics.Evidence, error) {
	return map[string]func(t *testing.T) (any, []diagnostics.Evidence, error){
		"query": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(p.query(soonOr(t), QueryArgs{Query: "up", Parent: "up"}))
		},
		"range": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(p.queryRange(soonOr(t), RangeArgs{Query: "up", Since: time.Hour}))
		},
		"targets": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(p.targets(soonOr(t), TargetsArgs{Job: "worker"}))
		},
	}
}

func TestPrometheusInBadWeather(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    diagnostics.Reason
	}{
		"html":        {answer(200, htmlPage), diagnostics.ReasonGarbage},
		"other json":  {answer(200, `{"hello":"world"}`), diagnostics.ReasonGarbage},
		"other type":  {answer(200, `{"status":"success","data":{"resultType":"poem","result":"`+canary+`"}}`), diagnostics.ReasonGarbage},
		"limit":       {answer(429, ``), diagnostics.ReasonThrottled},
		"down":        {answer(503, `{"status":"error","errorType":"unavailable","error":"starting"}`), diagnostics.ReasonUnavailable},
		"broken":      {answer(500, htmlPage), diagnostics.ReasonUnavailable},
		"denied":      {answer(401, htmlPage), diagnostics.ReasonDenied},
		"bad query":   {answer(400, `{"status":"error","errorType":"bad_data","error":"parse error token=`+canary+`"}`), diagnostics.ReasonError},
		"too long":    {answer(422, `{"status":"error","errorType":"timeout","error":"query timed out"}`), diagnostics.ReasonTimeout},
		"html on 400": {answer(400, htmlPage), diagnostics.ReasonGarbage},
		"slow":        {never, diagnostics.ReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.handler)
			for probe, ask := range everyPrometheusProbe(prometheusAt(t, server.URL)) {
				t.Run(probe, func(t *testing.T) {
					_, evidence, err := ask(t)
					wantBlind(t, err, evidence, c.want)
				})
			}
		})
	}
	for probe, ask := range everyPrometheusProbe(prometheusAt(t, "http://"+closedPort(t))) {
		t.Run(probe+" refused", func(t *testing.T) {
			_, evidence, err := ask(t)
			wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
		})
	}
	for probe, ask := range everyPrometheusProbe(prometheusProbes{now: now}) {
		t.Run(probe+" not configured", func(t *testing.T) {
			_, evidence, err := ask(t)
			wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
		})
	}
}

func TestPrometheusAnswersThatSayNothing(t *testing.T) {
	matrix := `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`
	for name, c := range map[string]struct {
		answer string
		want   diagnostics.Reason
	}{
		"NaN":             {vector("1", "NaN"), diagnostics.ReasonNoData},
		"Inf":             {vector("+Inf"), diagnostics.ReasonNoData},
		"-Inf":            {vector("-Inf"), diagnostics.ReasonNoData},
		"empty":           {vector(), diagnostics.ReasonNoData},
		"warning":         {`{"status":"success","warnings":["shard down, password=` + canary + `"],"data":{"resultType":"scalar","result":[1,"1"]}}`, diagnostics.ReasonWarning},
		"matrix":          {fmt.Sprintf(matrix, ""), diagnostics.ReasonError},
		"string":          {`{"status":"success","data":{"resultType":"string","result":[1,"` + canary + `"]}}`, diagnostics.ReasonGarbage},
		"histogram":       {`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[]}]}]}}`, diagnostics.ReasonError},
		"error under 200": {`{"status":"error","errorType":"execution","error":"token=` + canary + `"}`, diagnostics.ReasonError},
	} {
		t.Run(name, func(t *testing.T) {
			_, evidence, err := prometheusAt(t, serve(t, answer(200, c.answer)).URL).query(soon(t), QueryArgs{Query: "q"})
			wantBlind(t, err, evidence, c.want)
		})
	}
	for name, c := range map[string]struct {
		answer string
		want   diagnostics.Reason
	}{
		"empty":   {fmt.Sprintf(matrix, ""), diagnostics.ReasonNoData},
		"NaN":     {fmt.Sprintf(matrix, `{"metric":{},"values":[[1,"1"],[2,"NaN"]]}`), diagnostics.ReasonNoData},
		"warning": {`{"status":"success","warnings":["x"],"data":{"resultType":"matrix","result":[]}}`, diagnostics.ReasonWarning},
		"vector":  {vector("1"), diagnostics.ReasonGarbage},
	} {
		t.Run("range "+name, func(t *testing.T) {
			_, evidence, err := prometheusAt(t, serve(t, answer(200, c.answer)).URL).queryRange(soon(t), RangeArgs{Query: "q", Since: time.Minute})
			wantBlind(t, err, evidence, c.want)
		})
	}
}

func TestPrometheusRange(t *testing.T) {
	matrix := func(series ...string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
	}
	late, flat := `{"metric":{"pod":"b"},"values":[[20,"5"],[30,"7"]]}`, `{"metric":{"pod":"a"},"values":[[10,"1"],[20,"1"],[30,"1"]]}`
	for name, c := range map[string]struct {
		answer string
		want   Range
	}{
		"two":  {matrix(flat, late), Range{Series: 2, Points: 5, First: 1, Last: 8, Min: 1, Max: 7, Sum: 15}},
		"flat": {matrix(flat), Range{Series: 1, Points: 3, First: 1, Last: 1, Min: 1, Max: 1, Sum: 3, Flat: true}},
	} {
		t.Run(name, func(t *testing.T) {
			var step, start string
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				step, start = r.FormValue("step"), r.FormValue("start")
				answer(200, c.answer)(w, r)
			})
			facts, evidence, err := prometheusAt(t, server.URL).queryRange(soon(t), RangeArgs{Query: "q", Since: time.Hour})
			wantSeen(t, facts, evidence, err)
			if facts != c.want {
				t.Errorf("facts are %+v, want %+v", facts, c.want)
			}
			if step != "60" || !strings.Contains(evidence[0].Invocation, "start="+start) || !strings.Contains(evidence[0].Invocation, "step=60") {
				t.Errorf("step %s, start %s, command %s", step, start, evidence[0].Invocation)
			}
		})
	}
	_, _, err := prometheusAt(t, serve(t, answer(200, matrix(flat))).URL).queryRange(soon(t), RangeArgs{Query: "q"})
	if blindOf(t, err).Reason != diagnostics.ReasonError {
		t.Error("a span of nothing was asked for")
	}
}

func TestPrometheusTargets(t *testing.T) {
	target := func(job, health, lastError string, ago time.Duration) string {
		return fmt.Sprintf(`{"labels":{"job":%q},"scrapeUrl":"http://u:%s@x/metrics","lastError":%q,"lastScrape":%q,"health":%q}`, job, canary, lastError, at.Add(-ago).Format(time.RFC3339), health)
	}
	body := `{"status":"success","data":{"droppedTargets":[],"activeTargets":[` + strings.Join([]string{
		target("worker", "up", "", 2*time.Second),
		target("worker", "down", `Get "http://u:`+canary+`@x/metrics": connection refused`, time.Second),
		target("worker", "down", `Get "http://u:`+canary+`@x/metrics": connection refused`, time.Minute),
		target("worker", "unknown", "", time.Hour),
		target("other", "down", "other", 0),
	}, ",") + `]}}`
	p := prometheusAt(t, serve(t, answer(200, body)).URL)
	facts, evidence, err := p.targets(soon(t), TargetsArgs{Job: "worker"})
	wantSeen(t, facts, evidence, err)
	want := Targets{Known: true, Targets: 4, Up: 1, Down: 2, NewestScrape: at.Add(-time.Second), LastErrors: []string{`Get "http://[redacted]@x/metrics": connection refused`}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	facts, evidence, err = p.targets(soon(t), TargetsArgs{Job: "gone"})
	wantSeen(t, facts, evidence, err)
	if facts.Known {
		t.Errorf("facts of no target are %+v", facts)
	}
}
