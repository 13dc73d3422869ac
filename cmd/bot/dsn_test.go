package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"tandem/config"
	"tandem/diagnostics"
)

func TestDSNKeys(t *testing.T) {
	for dsn, want := range map[string]map[string]string{
		"postgres://u:p%40w@h:1/d?sslmode=require&sslmode=verify-ca": {
			"user": "u", "password": "p@w", "host": "h:1", "port": "1", "dbname": "d", "sslmode": "verify-ca",
		},
		"postgresql://[::1]/d?ssl=true":      {"host": "[::1]", "dbname": "d", "sslmode": "require"},
		"postgres://a:1,b:2/":                {"host": "a:1,b:2", "port": "2"},
		"postgres:///d?sslrootcert=/a%20b":   {"dbname": "d", "sslrootcert": "/a b"},
		`user=u password='it\'s = x' port=1`: {"user": "u", "password": "it's = x", "port": "1"},
		`sslmode = verify-full dbname=a\ b`:  {"sslmode": "verify-full", "dbname": "a b"},
		"":                                   {},
	} {
		if diff := cmp.Diff(want, dsnKeys(dsn)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dsn, diff)
		}
	}
}

// TestVariablesOfPostgresDoNotCount sets each variable, to something that pgx
// would take, and wants it refused by name or without any effect.
func TestVariablesOfPostgresDoNotCount(t *testing.T) {
	fields := &config.Postgres{Host: "127.0.0.1", Port: 5433, User: "tandem", DBName: "temporal", SSLMode: "disable"}
	whole := &config.Postgres{DSN: secretFile(t, "postgres://tandem:pw@127.0.0.1:5433/temporal?sslmode=disable")}
	bare := &config.Postgres{DSN: secretFile(t, "postgres:///temporal")}
	quietly := []string{"PGAPPNAME", "PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSSLMODE"}
	for _, name := range quietly {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "77") // a good port, and a good name for the rest
			for _, c := range []*config.Postgres{fields, whole} {
				assertUnchanged(t, c)
			}
			if name != "PGAPPNAME" && name != "PGDATABASE" {
				assertRefused(t, bare, name)
			}
		})
	}
	for name := range variables() {
		if strings.Contains(strings.Join(quietly, " ")+" ", name+" ") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "CANARY")
			assertRefused(t, fields, name)
			assertRefused(t, whole, name)
		})
	}
}

func assertUnchanged(t *testing.T, c *config.Postgres) {
	t.Helper()
	got, err := postgresSettings(c)
	if err != nil {
		t.Fatal(err)
	}
	password := "pw"
	if c.DSN.IsZero() {
		password = ""
	}
	if got.Host != "127.0.0.1" || got.Port != 5433 || got.User != "tandem" || got.Database != "temporal" ||
		got.TLSConfig != nil || got.Password != password || got.RuntimeParams["application_name"] != "tandem" {
		t.Errorf("the connection is another one: %s@%s:%d/%s", got.User, got.Host, got.Port, got.Database)
	}
}

func assertRefused(t *testing.T, c *config.Postgres, name string) {
	t.Helper()
	_, err := postgresSettings(c)
	var blind *diagnostics.BlindError
	if !errors.As(err, &blind) || !strings.Contains(blind.Detail, name) || blind.Next.EN == "" || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("got %v, want %s refused", err, name)
	}
}

// TestPasswordFromPGPASSWORD holds that a variable counts when the configuration
// names it.
func TestPasswordFromPGPASSWORD(t *testing.T) {
	t.Setenv("PGPASSWORD", "pw")
	c := &config.Postgres{Host: "h", Port: 1, User: "u", DBName: "d", SSLMode: "disable", Password: config.Ref{Env: "PGPASSWORD"}}
	if got, err := postgresSettings(c); err != nil || got.Password != "pw" {
		t.Errorf("the password is not taken: %v", err)
	}
}

// FuzzDSNKeys compares with pgx, whose reading counts.
func FuzzDSNKeys(f *testing.F) {
	f.Add("postgres://u:p%40w@h:1,i/d?sslmode=require&ssl=true")
	f.Add("postgresql:///d?user=a&dbname=b&sslrootcert=system")
	f.Add(`host=h user='a\'b' password = c\ d dbname=`)
	for name := range variables() {
		if os.Getenv(name) != "" {
			f.Fatalf("unset %s: it changes what pgx reads", name)
		}
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		said := dsnKeys(dsn)
		settings, err := pgx.ParseConfig(dsn)
		if err != nil {
			return
		}
		for key, want := range map[string]string{"user": settings.User, "password": settings.Password, "dbname": settings.Database} {
			if got, ok := said[key]; ok && got != want && got != "" {
				t.Errorf("%q: %s is %q, pgx reads %q", dsn, key, got, want)
			}
		}
	})
}
