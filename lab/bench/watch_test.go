package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vault "github.com/hashicorp/vault/api"
	prometheus "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
	"tandem/diagnostics/probes"
	"tandem/diagnostics/throttle"
	"tandem/store"
	"tandem/watches"
)

// The size of the estate that is watched, and its bounds.
const (
	watchedServices = 200
	watchedParallel = 2
	watchedRate     = 200 // requests a second to each system, in the long run
	watchedBurst    = throttle.RoomOfOne * (watchedParallel + 1)
)

// BenchmarkWatches has services watched on stand-ins of Vault, Prometheus and
// Loki, by the real probes, the whole catalogue and the real database and jobs.
// The goals: the time of a round is linear in services (a ratio of at most about 1); no second
// has more requests to a system than its bound and what was saved up; and no
// question is given up because the bot itself had no room.
func BenchmarkWatches(b *testing.B) {
	for b.Loop() {
		e := newEstate(b)
		var took []time.Duration
		counts := []int{watchedServices / 4, watchedServices / 2, watchedServices}
		e.round(b, counts[0]) // connections are made, and what was saved up is used
		for _, services := range counts {
			took = append(took, e.round(b, services))
		}
		for i, services := range counts {
			b.Logf("%d services: a round takes %s, %s each", services, ms(took[i]), ms(took[i]/time.Duration(services)))
		}
		half, whole := ratioOf(took[1], took[0], 2), ratioOf(took[2], took[0], 4)
		b.Logf("ratio to linear from 50 services to 100 %.2f, to 200 %.2f; goal: at most about 1, since a part of a round is the same for all", half, whole)
		for _, s := range e.systems {
			one, peak := s.questions(), s.peak()
			b.Logf("%s: %d requests a diagnosis, at most %d in a second; bound: %d a second and %d saved up; %.0f a second in the last round",
				s.name, one, peak, watchedRate, watchedBurst, float64(one*watchedServices)/took[2].Seconds())
			if one >= throttle.RoomOfOne {
				b.Errorf("a diagnosis asks %s %d times: there is room for fewer than %d", s.name, one, throttle.RoomOfOne)
			}
			if peak > watchedRate+watchedBurst {
				b.Errorf("%s was asked %d times in a second", s.name, peak)
			}
		}
		if n := e.throttled.Load(); n > 0 {
			b.Errorf("%d checks were unknown since the bot had no room", n)
		}
		b.ReportMetric(whole, "x-linear")
		b.ReportMetric(0, "ns/op") // several rounds: no figure of its own
	}
}

func ratioOf(many, few time.Duration, times float64) float64 {
	return float64(many) / (times * float64(few))
}

// system is a stand-in that counts what it is asked.
type system struct {
	name   string
	server *httptest.Server
	bound  *throttle.Throttle

	mu    sync.Mutex
	asked []time.Time
	runs  *atomic.Int64
}

func newSystem(b *testing.B, name string, runs *atomic.Int64, answer http.HandlerFunc) *system {
	s := &system{name: name, runs: runs, bound: throttle.New(name+".requests_per_second", watchedRate, watchedParallel)}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, time.Now())
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	b.Cleanup(s.server.Close)
	return s
}

// questions is how often one diagnosis asks.
func (s *system) questions() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.asked)) / s.runs.Load()
}

// peak is the most requests within a second.
func (s *system) peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := slices.SortedFunc(slices.Values(s.asked), time.Time.Compare)
	most, from := 0, 0
	for to, at := range times {
		for at.Sub(times[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// transport goes through the bound of a system.
func (s *system) transport() http.RoundTripper {
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.MaxIdleConnsPerHost = 64
	return s.bound.Over(own)
}

// estate is what is watched, and who watches.
type estate struct {
	systems   []*system
	service   *watches.Service
	runs      atomic.Int64
	throttled atomic.Int64
}

func newEstate(b *testing.B) *estate {
	b.Helper()
	e := &estate{}
	room := &throttle.Room{}
	ofVault := newSystem(b, "vault", &e.runs, answerVault)
	ofPrometheus := newSystem(b, "prometheus", &e.runs, answerPrometheus)
	ofLoki := newSystem(b, "loki", &e.runs, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"pod":"a"},"values":[["%d","{\"event\":\"ready\"}"]]}]}}`, time.Now().UnixNano())
	})
	e.systems = []*system{ofVault, ofPrometheus, ofLoki}
	for _, s := range e.systems {
		room.Systems = append(room.Systems, s.bound)
	}
	runner := newEstateRunner(b, ofVault, ofPrometheus, ofLoki)
	kept, err := store.Open(b.Context(), store.Options{SQLite: filepath.Join(b.TempDir(), "watches.db")})
	if err != nil {
		b.Fatal(err)
	}
	e.service, err = watches.New(watches.Options{
		Store: kept, Hushes: kept, Timeout: 2 * time.Minute,
		Diagnose: func(ctx context.Context, service string) (diagnostics.Report, error) {
			leave, err := room.Enter(ctx)
			if err != nil {
				return diagnostics.Report{}, err
			}
			defer leave()
			report, err := runner.Run(ctx, target(service), diagnostics.RunOptions{})
			e.note(report)
			return report, err
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	e.service.Meet(silent{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- kept.Run(ctx, store.Work{Watches: e.service, AtOnce: watchedParallel}) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := kept.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

// note counts a run, and the checks that the bot itself kept from looking.
func (e *estate) note(report diagnostics.Report) {
	for _, r := range report.Checks {
		if r.Blind != nil && (r.Blind.Reason == diagnostics.ReasonThrottled || r.Blind.Reason == diagnostics.ReasonTimeout) {
			e.throttled.Add(1)
		}
	}
	e.runs.Add(1)
}

// round has services looked at once, and returns how long that took.
func (e *estate) round(b *testing.B, services int) time.Duration {
	b.Helper()
	want := e.runs.Load() + int64(services)
	start := time.Now()
	for i := range services {
		w := watches.Watch{Service: fmt.Sprintf("service-%03d", i), Channel: "C0INCIDENT", Every: time.Hour, By: "bench"}
		if _, err := e.service.Watch(b.Context(), w); err != nil {
			b.Fatal(err)
		}
	}
	for deadline := start.Add(10 * time.Minute); e.runs.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d runs are missing", want-e.runs.Load(), services)
		}
	}
	return time.Since(start)
}

// silent is people who read nothing, at once.
type silent struct{}

func (silent) Tell(context.Context, watches.Watch, watches.News) (string, error) { return "1.1", nil }

func newEstateRunner(b *testing.B, ofVault, ofPrometheus, ofLoki *system) *diagnostics.Runner {
	b.Helper()
	client, err := vault.NewClient(&vault.Config{Address: ofVault.server.URL, HttpClient: &http.Client{Transport: ofVault.transport()}})
	if err != nil {
		b.Fatal(err)
	}
	client.SetToken("bench")
	asks, err := prometheus.NewClient(prometheus.Config{Address: ofPrometheus.server.URL, RoundTripper: ofPrometheus.transport()})
	if err != nil {
		b.Fatal(err)
	}
	deps := probes.Deps{
		Vault:      probes.Vault{Client: client, CLIAddr: ofVault.server.URL},
		Prometheus: probes.Prometheus{API: promv1.NewAPI(asks), URL: ofPrometheus.server.URL},
		Logs:       probes.NewLoki(ofLoki.server.URL, `{service="$service"}`, &http.Client{Transport: ofLoki.transport()}),
		Now:        time.Now, Grants: func() []diagnostics.Grant { return nil },
	}
	loaded, err := diagnostics.LoadCatalog([]diagnostics.CatalogSource{{Name: "catalog", FS: catalog.FS}}, probes.All(deps))
	if err != nil {
		b.Fatal(err)
	}
	return &diagnostics.Runner{Catalog: loaded, Now: time.Now, Timeout: 30 * time.Second}
}

// target is a service with all that the catalogue looks at in the three systems.
func target(name string) diagnostics.Target {
	return diagnostics.Target{
		Name: name, Job: name, MetricPrefix: strings.ReplaceAll(name, "-", "_"), Window: 5 * time.Minute,
		SPIFFEID: "spiffe://neural-hive.local/ns/a/sa/" + name,
		Login:    diagnostics.Login{Mount: "jwt", Role: name, Policies: []string{name}, TTL: time.Hour},
		Secrets:  []diagnostics.Secret{{Mount: "secret", Path: name + "/mongodb", Keys: []string{"uri"}}},
		Database: diagnostics.Database{Mount: "database", Role: "temporal", Config: "temporal-db", Name: "temporal", TTL: time.Hour},
		Peer:     diagnostics.Peer{Name: "service-registry", Job: "service-registry", Audience: "service-registry"},
	}
}

func answerVault(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/sys/health") {
		fmt.Fprintf(w, `{"initialized":true,"sealed":false,"standby":false,"version":"1.21.4","server_time_utc":%d}`, time.Now().Unix())
		return
	}
	fmt.Fprint(w, `{"data":{"type":"shamir","sealed":false,"initialized":true,"keys":[]},"type":"shamir","sealed":false,"initialized":true,"ha_enabled":false}`)
}

func answerPrometheus(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/targets") {
		var targets []string
		for i := range watchedServices {
			targets = append(targets, fmt.Sprintf(`{"labels":{"job":"service-%03d"},"scrapeUrl":"http://a/metrics","lastError":"","lastScrape":%q,"health":"up"}`,
				i, time.Now().Format(time.RFC3339)))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"activeTargets":[%s],"droppedTargets":[]}}`, strings.Join(targets, ","))
		return
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"status":"success","instance":"a"},"value":[%d,"1"]}]}}`, time.Now().Unix())
}
