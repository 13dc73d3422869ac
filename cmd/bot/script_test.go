package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bot": main})
}

// TestScripts runs the transcripts of testdata/script: what people type and
// what they read. $VAULT is a Vault that is sealed, $METRICS a Prometheus whose
// targets are up and count nothing, $HTML answers web pages, and nobody listens
// at $NOBODY.
func TestScripts(t *testing.T) {
	nobody := unusedAddress(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			sealed, html := httptest.NewServer(http.HandlerFunc(sealedVault)), httptest.NewServer(http.HandlerFunc(webPage))
			env.Defer(sealed.Close)
			env.Defer(html.Close)
			metrics := httptest.NewServer(http.HandlerFunc(quietPrometheus))
			env.Defer(metrics.Close)
			env.Setenv("METRICS", metrics.URL)
			env.Setenv("VAULT", sealed.URL)
			env.Setenv("HTML", html.URL)
			env.Setenv("NOBODY", nobody)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"expand": expand,
			"stamp":  stamp,
			"seed":   seed,
			"forge":  forge,

			"stranger": stranger,

			"grab":   grab,
			"plant":  plant,
			"unpack": unpack,
			"pack":   pack,
		},
	})
}

// exits runs a program and demands an exit status: exits 2 bot frobnicate
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// expand fills the environment into a file: expand tandem.yaml
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(key string) string {
			if key == "service" {
				return "$service"
			}
			return ts.Getenv(key)
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// stamp writes times into files for NOW-20m and the like, as they are now: stamp worker.log
func stamp(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	for _, name := range args {
		text := before.ReplaceAllStringFunc(ts.ReadFile(name), func(word string) string {
			ago, err := time.ParseDuration(strings.TrimPrefix(word, "NOW-"))
			ts.Check(err)
			return now.Add(-ago).UTC().Format(time.RFC3339Nano)
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

var before = regexp.MustCompile(`NOW-[0-9a-z]+`)

func sealedVault(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasPrefix(r.URL.Path, "/v1/sys/health") {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"errors":["Vault is sealed"]}`))
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(map[string]any{"initialized": true, "sealed": true, "standby": true, "version": "1.21.4"})
}

// quietPrometheus answers every question over a span of time by ones for what is
// up, and by zeros.
func quietPrometheus(w http.ResponseWriter, r *http.Request) {
	value := "0"
	if strings.HasPrefix(r.FormValue("query"), "sum(up{") {
		value = "1"
	}
	w.Header().Set("Content-Type", "application/json")
	points := fmt.Sprintf(`[[%s,%q],[%s,%q]]`, r.FormValue("start"), value, r.FormValue("end"), value)
	_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":` + points + `}]}}`))
}

func webPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte("<html><body>Sign in</body></html>"))
}

// unusedAddress is a URL at which nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}
