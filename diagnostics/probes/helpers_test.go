package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
)

// canary is a secret that systems hold in these tests and that nothing may
// repeat.
const canary = "C4n4ryV4lueThatNobodyMaySee"

// at is now, for the probes under test.
var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return at }

// deadline is long for a test and short for a person.
func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// soon is a context for what answers at once.
func soon(t *testing.T) context.Context { return deadline(t, 20*time.Second) }

// short is a context for what never answers.
func short(t *testing.T) context.Context { return deadline(t, 300*time.Millisecond) }

// serve runs an HTTP server. Its handlers may block: they are let go when the
// client leaves.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// never answers until the client has gone.
func never(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client leaves
	<-r.Context().Done()
}

// answer gives the same answer to everything.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const htmlPage = "<html><body>Please log in. token=" + canary + "</body></html>"

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silentPort is an address that takes connections and says nothing.
func silentPort(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var conns []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, c := range conns {
			c.Close()
		}
	})
	return l.Addr().String()
}

// vaultAt is the probes of a Vault at a URL, with a token in their client.
func vaultAt(t *testing.T, url string) vaultProbes {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = url
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken("hvs." + canary)
	t.Cleanup(client.CloneConfig().HttpClient.CloseIdleConnections)
	return vaultProbes{Vault: Vault{Client: client}, grants: func() []diagnostics.Grant { return nil }, now: now}
}

// paths answers each path with its own text: a status, a space and a body.
func paths(answers map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if !ok {
			text = `404 {"errors":[]}`
		}
		var status int
		_, body, _ := strings.Cut(text, " ")
		if _, err := fmt.Sscanf(text, "%d", &status); err != nil {
			status = http.StatusInternalServerError
		}
		answer(status, body)(w, r)
	}
}

// wantBlind checks that an error is blindness for a reason, that it says
// something, and that there is evidence of it.
func wantBlind(t *testing.T, err error, evidence []diagnostics.Evidence, want diagnostics.Reason) {
	t.Helper()
	var blind *diagnostics.BlindError
	if !errors.As(err, &blind) {
		t.Fatalf("error is %v, want blindness for %s", err, want)
	}
	if blind.Reason != want {
		t.Errorf("blind for %s (%s), want %s", blind.Reason, blind.Detail, want)
	}
	if blind.Detail == "" {
		t.Error("blind without a detail")
	}
	if (blind.Next.EN == "") != (blind.Next.PT == "") {
		t.Errorf("a next step in one language only: %+v", blind.Next)
	}
	if want == diagnostics.ReasonNotConfigured {
		if blind.Next.EN == "" {
			t.Error("not configured, and no word on which key to set")
		}
		return
	}
	if len(evidence) == 0 {
		t.Error("blind without evidence")
	}
	noCanary(t, evidence, err)
}

// wantSeen checks that a probe saw something, and left evidence.
func wantSeen(t *testing.T, facts any, evidence []diagnostics.Evidence, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("blind: %v", err)
	}
	if len(evidence) == 0 {
		t.Error("no evidence")
	}
	for _, e := range evidence {
		if e.Source == "" || e.Invocation == "" || e.Observed == "" || !e.At.Equal(at) {
			t.Errorf("evidence lacks something: %+v", e)
		}
	}
	noCanary(t, facts, evidence)
}

// noCanary checks that none of the values says the secret, also not in the
// chain of an error.
func noCanary(t *testing.T, values ...any) {
	t.Helper()
	for _, v := range values {
		text := fmt.Sprintf("%v %+v %#v", v, v, v)
		if err, ok := v.(error); ok {
			for err != nil {
				text += err.Error()
				var blind *diagnostics.BlindError
				if errors.As(err, &blind) {
					text += blind.Detail + blind.Next.EN + blind.Next.PT
				}
				err = errors.Unwrap(err)
				if _, last := err.(redacted); last { //nolint:errorlint // the chain is walked here, link by link
					text += err.Error()
					break // what it hides is for errors.As alone
				}
			}
		}
		if strings.Contains(text, canary) {
			t.Errorf("the secret is said in %s", text)
		}
	}
}

func blindOf(t *testing.T, err error) *diagnostics.BlindError {
	t.Helper()
	var blind *diagnostics.BlindError
	if !errors.As(err, &blind) {
		t.Fatalf("not blind: %v", err)
	}
	return blind
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// fakeLogs is a source that gives one page or one error.
type fakeLogs struct {
	page LogPage
	err  error
}

func (f fakeLogs) Search(context.Context, LogQuery) (LogPage, error) { return f.page, f.err }

func (f fakeLogs) Command(LogQuery) string { return "grep -h x file" }

func (f fakeLogs) System() string { return "files" }

// failsSecond is a source that answers once.
type failsSecond struct {
	fakeLogs
	page  LogPage
	asked *int
}

func (f failsSecond) Search(context.Context, LogQuery) (LogPage, error) {
	if *f.asked++; *f.asked > 1 {
		return LogPage{}, blindStatus("GET", "Loki", http.StatusTooManyRequests, nil)
	}
	return f.page, nil
}
