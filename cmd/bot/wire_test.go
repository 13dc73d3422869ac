package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/config"
	"tandem/diagnostics"
)

// secretFile is a reference to a file with a secret.
func secretFile(t *testing.T, secret string) config.Ref {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Ref{File: config.Path(file)}
}

func TestBearerGoesToItsHostOnly(t *testing.T) {
	seen := make(chan string, 2)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	defer server.Close()
	client := &http.Client{Transport: withBearer(server.URL, secretFile(t, canary))}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := wait(t, seen, "the first request"); got != "Bearer "+canary {
		t.Error("the server did not get its token")
	}
	if got := wait(t, seen, "the second request"); got != "" {
		t.Error("another host got the token")
	}
}

func TestBearerThatCannotBeReadIsToldToTheChecks(t *testing.T) {
	client := &http.Client{Transport: withBearer("http://127.0.0.1:1", config.Ref{Env: "TANDEM_TEST_ABSENT"})}
	_, err := client.Get("http://127.0.0.1:1") //nolint:bodyclose // there is no response
	if err == nil || diagnostics.Blind("ask", err).Reason != diagnostics.ReasonNotConfigured {
		t.Errorf("got %v", err)
	}
}

func TestPostgresSettings(t *testing.T) {
	fields := &config.Postgres{Host: "127.0.0.1", Port: 5433, User: "tandem", DBName: "temporal", SSLMode: "disable", Password: secretFile(t, canary)}
	socket := &config.Postgres{Host: "/run/postgresql", Port: 5432, User: "tandem", DBName: "temporal", SSLMode: "disable"}
	dsn := &config.Postgres{DSN: secretFile(t, "postgres://tandem:"+canary+"@127.0.0.1:5433/temporal?sslmode=disable")}
	bare := &config.Postgres{DSN: secretFile(t, "postgres://tandem:"+canary+"@127.0.0.1/temporal")}
	words := &config.Postgres{DSN: secretFile(t,
		"host=127.0.0.1 port=5433 user=tandem dbname=temporal sslmode = 'verify-full' sslrootcert=system password='"+canary+"'")}
	for name, tt := range map[string]struct {
		config               *config.Postgres
		host, password, show string
	}{
		"fields":               {fields, "127.0.0.1", canary, "postgres://tandem@127.0.0.1:5433/temporal?sslmode=disable"},
		"socket":               {socket, "/run/postgresql", "", "postgres://tandem@/temporal?host=%2Frun%2Fpostgresql&port=5432&sslmode=disable"},
		"dsn":                  {dsn, "127.0.0.1", canary, "postgres://tandem@127.0.0.1:5433/temporal?sslmode=disable"},
		"dsn that says little": {bare, "127.0.0.1", canary, "postgres://tandem@127.0.0.1:5432/temporal?sslmode=prefer"},
		"dsn in words":         {words, "127.0.0.1", canary, "postgres://tandem@127.0.0.1:5433/temporal?sslmode=verify-full&sslrootcert=system"},
	} {
		got, err := postgresSettings(tt.config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Host != tt.host || got.Password != tt.password || got.Database != "temporal" || got.User != "tandem" {
			t.Errorf("%s: host %s, database %s, user %s, or the password", name, got.Host, got.Database, got.User)
		}
		if got.RuntimeParams["default_transaction_read_only"] != "on" {
			t.Errorf("%s: connections may write", name)
		}
		if shown := shownDSN(tt.config); shown != tt.show {
			t.Errorf("%s: shows %s, want %s", name, shown, tt.show)
		}
	}
}

func TestPostgresErrorsRepeatNoSecret(t *testing.T) {
	for _, c := range []*config.Postgres{
		{DSN: secretFile(t, "postgres://tandem:"+canary+"@h:notaport/db")},
		{DSN: secretFile(t, "password="+canary+" port=x")},
		{DSN: config.Ref{Env: "TANDEM_TEST_ABSENT"}},
	} {
		_, err := postgresSettings(c)
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("got %v", err)
		}
		if strings.Contains(shownDSN(c), "CANARY") {
			t.Errorf("shows %s", shownDSN(c))
		}
	}
}

func TestTargetsHaveWhatTheConfigurationSays(t *testing.T) {
	c, err := config.Load("../../config/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := targets(c)
	if len(all) != 2 || all[0].Name != "orchestrator" || all[1].Name != "worker" {
		t.Fatalf("targets %+v", all)
	}
	o := all[0]
	want := diagnostics.Target{
		Name: "orchestrator", SPIFFEID: "spiffe://neural-hive.local/ns/neural-hive-orchestration/sa/orchestrator-dynamic",
		Selectors: []string{"k8s:ns:neural-hive-orchestration", "k8s:sa:orchestrator-dynamic"},
		Job:       "orchestrator", MetricPrefix: "orchestrator", Window: 5 * time.Minute, AccessorFile: o.AccessorFile,
		Login:    diagnostics.Login{Mount: "kubernetes", Role: "orchestrator-dynamic", Policies: []string{"orchestrator-dynamic-policy"}, TTL: time.Hour},
		Secrets:  []diagnostics.Secret{{Mount: "secret", Path: "orchestrator/mongodb", Keys: []string{"uri"}}},
		Database: diagnostics.Database{Mount: "database", Role: "temporal-orchestrator", Config: "temporal-db", Name: "temporal", TTL: time.Hour},
		MongoDB:  diagnostics.MongoDB{Hosts: []string{"mongodb-0.example.org:27017"}},
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("orchestrator (-want +got):\n%s", diff)
	}
	if all[1].Peer.Audience != "service-registry.neural-hive.local" {
		t.Errorf("worker's peer %+v", all[1].Peer)
	}
}

func TestExampleWires(t *testing.T) {
	c, err := config.Load("../../config/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// These are files that are not beside the example.
	c.Catalog.Folders, c.Vault.CAFile, c.Kubernetes, c.Remedies.Policies = nil, "", nil, nil
	w, err := wire(c, quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.diagnoser.Services(); len(got) != 2 || len(w.diagnoser.Checks()) < 25 {
		t.Errorf("services %v, %d checks", got, len(w.diagnoser.Checks()))
	}
}
