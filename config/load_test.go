package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLoadSaysWhatIsWrong loads the files of testdata, of which each has one
// failure and says at its end, after `# want:`, which errors it expects.
func TestLoadSaysWhatIsWrong(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(data)) {
				if w, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSpace(w))
				}
			}
			_, err = Load(file)
			if err == nil {
				t.Fatalf("loaded, want the errors %q", want)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(want) {
				t.Fatalf("got %d errors, want %d:\n%v", len(got), len(want), err)
			}
			for i := range want {
				if text := strings.TrimPrefix(got[i], file+":"); !strings.HasPrefix(strings.TrimSpace(text), want[i]) {
					t.Errorf("error %d:\n got %s\nwant %s", i, text, want[i])
				}
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestLoadNamesAFileThatIsNotThere(t *testing.T) {
	_, err := Load("testdata/absent.yml")
	if err == nil || !strings.Contains(err.Error(), "testdata/absent.yml: read the configuration: no such file or directory") {
		t.Errorf("Load = %v", err)
	}
}

func TestParseSetsDefaults(t *testing.T) {
	c := parse(t, `
services:
  service-registry:
  worker:
    peer: {name: service-registry, audience: a}
slack: {bot_token: {env: A}, app_token: {env: B}}
postgres: {host: h, user: u, dbname: d}
`)
	want := &Config{
		Language:  "en",
		Diagnosis: Diagnosis{Timeout: 30 * time.Second, Since: 30 * time.Minute, Width: 64},
		Slack: &Slack{
			BotToken: Ref{Env: "A", path: "slack.bot_token"}, AppToken: Ref{Env: "B", path: "slack.app_token"}, Command: "/vault", DiagnosesPerMinute: 10,
		},
		Postgres: &Postgres{Host: "h", User: "u", DBName: "d", Port: 5432, SSLMode: "prefer"},
		Watch:    Watching{Parallel: 2},
		Services: map[string]*Service{
			"service-registry": {Job: "service-registry", MetricPrefix: "service_registry", Window: 5 * time.Minute},
			"worker": {
				Job: "worker", MetricPrefix: "worker", Window: 5 * time.Minute,
				Peer: &Peer{Name: "service-registry", Job: "service-registry", Audience: "a"},
			},
		},
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Ref{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestParseSetsDefaultsOfIdentities(t *testing.T) {
	vault := "spiffe: {workload_api_socket: s/api.sock}\nvault:\n  address: http://v:8200\n  identity: "
	if id := parse(t, vault+"{approle: {role_id: {env: A}, secret_id: {env: B}}}").Vault.Identity; id.AppRole.Mount != "approle" {
		t.Errorf("approle mount %q", id.AppRole.Mount)
	}
	if id := parse(t, vault+"{jwt_svid: {role: a, audience: b}}").Vault.Identity; id.JWTSVID.Mount != "jwt" {
		t.Errorf("jwt mount %q", id.JWTSVID.Mount)
	}
	id := parse(t, vault+"{kubernetes: {role: a}}").Vault.Identity
	if id.Kubernetes.Mount != "kubernetes" || id.Kubernetes.TokenFile != DefaultKubeTokenFile {
		t.Errorf("kubernetes %+v", *id.Kubernetes)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	c := parse(t, `
vault: {address: "http://v:8200", ca_file: tls/ca.pem, identity: {token_file: /etc/token}}
catalog: {folders: [checks]}
logs: {files: {worker: ["logs/*.log"]}}
services: {worker: {accessor_file: ../acc}}
slack: {bot_token: {file: bot}, app_token: {env: B}}
`)
	for got, want := range map[string]string{
		string(c.Vault.CAFile):                       "/dir/tls/ca.pem",
		string(c.Vault.Identity.TokenFile):           "/etc/token",
		string(c.Catalog.Folders[0]):                 "/dir/checks",
		string(c.Logs.Files["worker"][0]):            "/dir/logs/*.log",
		string(c.Services["worker"].AccessorFile):    "/acc",
		string(c.Slack.BotToken.File):                "/dir/bot",
		string(Endpoint("run/api.sock").in("/dir")):  "unix:///dir/run/api.sock",
		string(Endpoint("unix:api.sock").in("/dir")): "unix:///dir/api.sock",
		string(Endpoint("unix:///a/b").in("/dir")):   "unix:///a/b",
		string(Endpoint("api.sock").in("/dir")):      "unix:///dir/api.sock",
		string(Endpoint("tcp://h:1").in("/dir")):     "tcp://h:1",
		string(Endpoint("h:1").in("/dir")):           "h:1",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAliasesOfWholeValuesWork(t *testing.T) {
	c := parse(t, "services:\n  a:\n    login: &l {mount: jwt, role: r, ttl: 1h}\n  b:\n    login: *l\n")
	if c.Services["b"].Login.Role != "r" {
		t.Errorf("login of b: %+v", c.Services["b"].Login)
	}
}

func TestAliasesThatMultiplyAreRefused(t *testing.T) {
	many := "[" + strings.Repeat("x, ", 1000) + "x]"
	text := "services:\n  a:\n    secrets:\n      - &s {mount: m, path: p, keys: " + many + "}\n" +
		strings.Repeat("      - *s\n", 1000)
	_, err := Parse("f", []byte(text), "/dir")
	if err == nil || !strings.Contains(err.Error(), "unfolds to more than") {
		t.Errorf("Parse = %.200v", err)
	}
}

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("test.yaml", []byte(text), "/dir")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzLoad holds that no text breaks the loader, and that what it accepts has
// its defaults.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "example.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, "/dir")
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v, error %v", c, err)
		}
		if c != nil && (c.Language == "" || c.Diagnosis.Width == 0) {
			t.Errorf("defaults are missing: %+v", c)
		}
	})
}
