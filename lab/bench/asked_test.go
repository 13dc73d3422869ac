package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tandem/diagnostics"
)

// counter hands HTTP requests on to a server, and counts them: alike are those
// of one method, path, query and body, without the times in them, which each
// question takes for itself.
type counter struct {
	mu    sync.Mutex
	asked map[string]int
	proxy *httputil.ReverseProxy
}

// count puts a counter before a server, and returns it with its address.
func count(tb testing.TB, server string) (*counter, string) {
	tb.Helper()
	target, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	c := &counter{asked: map[string]int{}}
	c.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewServer(c)
	tb.Cleanup(front.Close)
	return c, front.URL
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.asked[question(r, body)]++
	c.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.proxy.ServeHTTP(w, r)
}

// question is what two requests must not share.
func question(r *http.Request, body []byte) string {
	values := r.URL.Query()
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err == nil {
			maps.Copy(values, form)
			body = nil
		}
	}
	for _, moment := range []string{"time", "start", "end"} {
		values.Del(moment)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, values.Encode(), body))
}

// take returns how many were asked since the last time, and those that were
// asked more than once.
func (c *counter) take() (all int, twice []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for q, n := range c.asked {
		if all += n; n > 1 {
			twice = append(twice, fmt.Sprintf("%d times %s", n, q))
		}
	}
	clear(c.asked)
	slices.Sort(twice)
	return all, twice
}

// asked counts the requests of one diagnosis of each service. None may be asked
// twice.
func (l *bench) asked(b *testing.B) {
	state := l.world.State()
	names := []string{"vault", "prometheus", "loki", "oidc"}
	counters := map[string]*counter{}
	var pairs []string
	for i, server := range []string{state.Vault.URL, state.Prometheus.URL, state.Loki.URL, state.SPIFFE.OIDCURL} {
		c, address := count(b, server)
		counters[names[i]] = c
		pairs = append(pairs, server, address)
	}
	config := filepath.Join(l.dir, "tandem-counted.yaml")
	if err := os.WriteFile(config, []byte(strings.NewReplacer(pairs...).Replace(content(b, state.Bot.ConfigFile))), 0o600); err != nil {
		b.Fatal(err)
	}
	l.awaitHealthy(b, config)
	for b.Loop() {
		for _, name := range slices.Sorted(maps.Keys(state.Services)) {
			for _, c := range counters {
				c.take()
			}
			view, _ := l.diagnoseService(b, config, name)
			if view.Verdict.Status != diagnostics.Pass {
				b.Errorf("%s is not healthy, so that not every question was asked: %s", name, view.Verdict.Headline)
			}
			l.reportAsked(b, name, names, counters)
		}
		b.ReportMetric(0, "ns/op") // counts, not times
	}
}

func (l *bench) reportAsked(b *testing.B, service string, names []string, counters map[string]*counter) {
	b.Helper()
	var counts []string
	for _, name := range names {
		all, twice := counters[name].take()
		counts = append(counts, fmt.Sprintf("%s %d", name, all))
		b.ReportMetric(float64(all), service+"-"+name)
		if name == "oidc" {
			continue // several connections are asked the same on purpose, to compare replicas
		}
		for _, q := range twice {
			b.Errorf("%s asked %s %s", service, name, q)
		}
	}
	b.Logf("a diagnosis of %s asks %s; none may be asked twice", service, strings.Join(counts, ", "))
}

func TestQuestionsAreToldApart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	c, address := count(t, server.URL)
	post := func(path, kind, body string) {
		t.Helper()
		resp, err := http.Post(address+path, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || string(got) != body {
			t.Errorf("%q came back of %q, %v", got, body, err)
		}
	}
	const form, json = "application/x-www-form-urlencoded", "application/json"
	post("/query", form, "query=up&time=1")
	post("/query", form, "query=up&time=2")
	post("/query", form, "query=down&time=2")
	post("/accessor?a=b", json, `{"accessor":"x"}`)
	post("/accessor?a=b", json, `{"accessor":"y"}`)
	all, twice := c.take()
	if want := []string{"2 times POST /query query=up"}; all != 5 || !slices.Equal(twice, want) {
		t.Errorf("%d were asked, twice %q", all, twice)
	}
	if all, twice = c.take(); all != 0 || twice != nil {
		t.Errorf("%d are left, %q", all, twice)
	}
}
