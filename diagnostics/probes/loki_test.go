package probes

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

func query(limit int, events ...string) LogQuery {
	return LogQuery{Service: "worker", Events: events, Since: at.Add(-time.Hour), Until: at, Limit: limit}
}

// lokiAnswers is a Loki with two streams, as a true one answers.
func lokiAnswers(t *testing.T, asked *[]url.Values) http.HandlerFunc {
	nanos := func(ago time.Duration) string { return strconv.FormatInt(at.Add(-ago).UnixNano(), 10) }
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, r.URL.Query())
		switch {
		case strings.HasSuffix(r.URL.Path, "/query"):
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"worker-0"},"value":[%[1]d,"40"]},{"metric":{},"value":[%[1]d,"2"]}],"stats":{}}}`, at.Unix())
		case strings.HasSuffix(r.URL.Path, "/query_range"):
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"pod":"worker-0"},"values":[["%s","b"],["%s","d",{"x":"y"}]]},{"stream":{"pod":"worker-1"},"values":[["%s","a"],["%s","c"]]}]}}`,
				nanos(2*time.Second), nanos(4*time.Second), nanos(time.Second), nanos(3*time.Second))
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}
}

func TestLokiSearch(t *testing.T) {
	var asked []url.Values
	server := serve(t, lokiAnswers(t, &asked))
	page, err := NewLoki(server.URL+"/", `{service="$service"}`, server.Client()).Search(soon(t), query(4, "jwt_invalid", "a.b"))
	if err != nil {
		t.Fatal(err)
	}
	want := LogPage{Lines: 42, Newest: at.Add(-time.Second), Pods: map[string]int64{"worker-0": 40}, Read: 4, Truncated: true}
	for i, text := range []string{"a", "b", "c", "d"} {
		want.Matches = append(want.Matches, LogLine{At: at.Add(-time.Duration(i+1) * time.Second), Pod: []string{"worker-1", "worker-0"}[i%2], Text: text})
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Error(diff)
	}
	var queries []string
	for _, v := range asked {
		queries = append(queries, v.Get("query"))
	}
	slices.Sort(queries)
	wantQueries := []string{
		`sum by (pod) (count_over_time({service="worker"}[3600s]))`, `{service="worker"}`,
		`{service="worker"} |~ "jwt_invalid|a\\.b" |~ "\"event\\\\*\"\\s*:\\s*\\\\*\"(?:jwt_invalid|a\\.b)\\\\*\""`,
	}
	slices.Sort(wantQueries)
	if diff := cmp.Diff(wantQueries, queries); diff != "" {
		t.Error(diff)
	}
}

func TestLokiCommandCanBePasted(t *testing.T) {
	got := NewLoki("http://loki:3100", `{app="it's"}`, nil).Command(query(9))
	want := `curl -sG http://loki:3100/loki/api/v1/query_range --data-urlencode 'query={app="it'\''s"}' --data-urlencode since=1h0m0s --data-urlencode limit=9`
	if got != want {
		t.Errorf("the command is\n%s, want\n%s", got, want)
	}
}

// A service's name cannot leave its label value.
func TestLokiQuotesTheService(t *testing.T) {
	loki := NewLoki("http://loki", `{service="$service"}`, nil)
	if got, want := loki.stem(`x"} or {a="`), `{service="x\"} or {a=\""}`; got != want {
		t.Errorf("the selector is %s, want %s", got, want)
	}
}

func TestLokiWithoutLines(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		kind := "vector"
		if strings.HasSuffix(r.URL.Path, "_range") {
			kind = "streams"
		}
		answer(200, `{"status":"success","data":{"resultType":"`+kind+`","result":[]}}`)(w, r)
	})
	page, err := NewLoki(server.URL, `{service="$service"}`, server.Client()).Search(soon(t), query(1))
	if err != nil || page.Lines != 0 {
		t.Errorf("page %+v, error %v", page, err)
	}
}

func TestLokiInBadWeather(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    diagnostics.Reason
	}{
		"html":       {answer(200, htmlPage), diagnostics.ReasonGarbage},
		"other json": {answer(200, `{"data":{"resultType":"vector","result":{"password":"`+canary+`"}}}`), diagnostics.ReasonGarbage},
		"other type": {answer(200, `{"data":{"resultType":"matrix","result":[]}}`), diagnostics.ReasonGarbage},
		"no number":  {answer(200, `{"data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}`), diagnostics.ReasonGarbage},
		"limit":      {answer(429, `too many outstanding requests`), diagnostics.ReasonThrottled},
		"down":       {answer(503, `Ingester not ready`), diagnostics.ReasonUnavailable},
		"denied":     {answer(401, `no org id`), diagnostics.ReasonDenied},
		"bad query":  {answer(400, `parse error token=`+canary), diagnostics.ReasonError},
		"slow":       {never, diagnostics.ReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.handler)
			ctx := soon(t)
			if name == "slow" {
				ctx = short(t)
			}
			source := NewLoki(server.URL, `{service="$service"}`, server.Client())
			_, evidence, err := logProbes{source: source, now: now}.events(ctx, EventsArgs{Service: "worker", Since: time.Hour})
			wantBlind(t, err, evidence, c.want)
		})
	}
	_, evidence, err := logProbes{source: NewLoki("http://"+closedPort(t), `{}`, nil), now: now}.events(soon(t), EventsArgs{Service: "worker"})
	wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
}
