package probes

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tandem/diagnostics"
)

func postgresAt(dsn string) postgresProbes {
	return postgresProbes{Postgres: Postgres{
		Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, dsn) },
		DSN:     "postgres://tandem@db/temporal",
	}, now: now}
}

func TestPostgresServer(t *testing.T) {
	server := postgresServer.get(t)
	facts, evidence, err := postgresAt(server.dsn("postgres")).server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if !facts.Reachable || facts.Problem != "" || facts.InRecovery || !facts.IsPrimary || facts.Connections < 1 || facts.MaxConnections != 100 || facts.Version == "" {
		t.Errorf("facts are %+v", facts)
	}
	if want := "psql postgres://tandem@db/temporal -c 'SELECT "; !strings.HasPrefix(evidence[0].Invocation, want) {
		t.Errorf("the command is %s, want it to begin with %s", evidence[0].Invocation, want)
	}
}

// Without pg_monitor the connections of others count as well.
func TestPostgresServerAsAStranger(t *testing.T) {
	server := postgresServer.get(t)
	makeRole(t, server.connect(t, "postgres"), "stranger", "")
	for range 3 {
		server.connect(t, "postgres")
	}
	facts, evidence, err := postgresAt(server.dsn("stranger")).server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Connections < 5 {
		t.Errorf("a stranger sees %d connections, want at least 5", facts.Connections)
	}
}

func makeRole(t *testing.T, admin *pgx.Conn, name, clause string) {
	t.Helper()
	mustExec(t, admin, fmt.Sprintf(`CREATE ROLE %q LOGIN %s`, name, clause))
	t.Cleanup(func() { mustExec(t, admin, fmt.Sprintf(`DROP ROLE %q`, name)) })
}

// The bot's own limit says nothing of the server.
func TestPostgresThatHasEnoughOfTheBot(t *testing.T) {
	server := postgresServer.get(t)
	admin := server.connect(t, "postgres")
	makeRole(t, admin, "limited", "CONNECTION LIMIT 0")
	makeRole(t, admin, "crowded", "")
	mustExec(t, admin, "CREATE DATABASE crowded CONNECTION LIMIT 0")
	t.Cleanup(func() { mustExec(t, admin, "DROP DATABASE crowded") })
	for _, dsn := range []string{server.dsn("limited"), strings.Replace(server.dsn("crowded"), "/postgres?", "/crowded?", 1)} {
		facts, evidence, err := postgresAt(dsn).server(soon(t), None{})
		if err == nil {
			t.Errorf("saw %+v", facts)
			continue
		}
		wantBlind(t, err, evidence, diagnostics.ReasonThrottled)
		if next := blindOf(t, err).Next.EN; !strings.Contains(next, "CONNECTION LIMIT") {
			t.Errorf("the next step is %s", next)
		}
	}
}

// A server that is full for all was seen to be full.
func TestPostgresThatIsFull(t *testing.T) {
	server := postgresServer.get(t)
	admin := server.connect(t, "postgres")
	makeRole(t, admin, "filler", "")
	full := false
	for range 100 {
		conn, err := pgx.Connect(t.Context(), server.dsn("filler"))
		if full = err != nil; full {
			break
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
	}
	if !full {
		t.Fatal("the server is never full")
	}
	facts, evidence, err := postgresAt(server.dsn("filler")).server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Reachable || facts.Problem != "too_many_connections" {
		t.Errorf("facts are %+v", facts)
	}
}

func TestPostgresRoles(t *testing.T) {
	server := postgresServer.get(t)
	admin := server.connect(t, "postgres")
	second := time.Now().Add(-time.Hour).Unix()
	user := func(name, clause string, age int64) string {
		t.Helper()
		full := fmt.Sprintf("v-jwt-%s-abcdefghij0123456789-%d", name, second-age)
		mustExec(t, admin, fmt.Sprintf(`CREATE ROLE %q LOGIN %s`, full, clause))
		t.Cleanup(func() { mustExec(t, admin, fmt.Sprintf(`DROP ROLE %q`, full)) })
		return full
	}
	expired := user("temporal", "", 30)
	newest := user("temporal", "VALID UNTIL '2999-01-01 00:00:00+00'", 0)
	user("temporal", "VALID UNTIL 'infinity'", 20)
	user("temporal", "", 10)
	user("tempora_", "", 0) // another role: _ is no wildcard
	server.connect(t, newest)
	server.connect(t, expired)
	mustExec(t, admin, fmt.Sprintf(`ALTER ROLE %q VALID UNTIL '2020-01-01'`, expired)) // the connection lives on

	probes := postgresAt(server.dsn("postgres"))
	facts, evidence, err := probes.roles(soon(t), PostgresRolesArgs{Role: "temporal-orchestrator"})
	wantSeen(t, facts, evidence, err)
	want := PostgresRoles{
		Users: 4, Valid: 3, Connected: 2, ConnectedExpired: 1, ConnectedLatest: true,
		NewestValidUntil: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), NewestCreated: time.Unix(second, 0).UTC(),
		ServerVersion: facts.ServerVersion,
	}
	if facts != want {
		t.Errorf("facts are\n%+v, want\n%+v", facts, want)
	}
	// What is shown is what was asked: it gives the same row.
	sql := strings.TrimSuffix(strings.SplitN(strings.ReplaceAll(evidence[0].Invocation, `'\''`, "'"), " -c '", 2)[1], "'")
	rows, err := pgx.CollectRows(must(admin.Query(t.Context(), sql)), func(row pgx.CollectableRow) (any, error) {
		values, err := row.Values()
		return values[0], err
	})
	if err != nil || len(rows) != 1 || rows[0] != int64(4) {
		t.Errorf("the shown query gives %v users, %v", rows, err)
	}

	none, evidence, err := probes.roles(soon(t), PostgresRolesArgs{Role: "it's%odd\\"})
	wantSeen(t, none, evidence, err)
	if words := none.words(); strings.Contains(words, "0001") {
		t.Errorf("of no users it says %q", words)
	}
	if none.Users != 0 || none.ConnectedLatest || !none.NewestCreated.IsZero() {
		t.Errorf("facts of a role without users are %+v", none)
	}
}

// must passes on what pgx reports again when the rows are read.
func must(rows pgx.Rows, _ error) pgx.Rows { return rows }

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

func TestPostgresThatRefuses(t *testing.T) {
	probes := postgresAt("postgres://u:" + canary + "@" + closedPort(t) + "/x?sslmode=disable")
	facts, evidence, err := probes.server(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Reachable || facts.Problem != "refused" {
		t.Errorf("facts are %+v", facts)
	}
	_, evidence, err = probes.roles(soon(t), PostgresRolesArgs{Role: "x"})
	wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
}

func TestPostgresThatIsSilent(t *testing.T) {
	probes := postgresAt("postgres://u:" + canary + "@" + silentPort(t, "tcp", "127.0.0.1:0") + "/x?sslmode=disable")
	_, evidence, err := probes.server(short(t), None{})
	wantBlind(t, err, evidence, diagnostics.ReasonTimeout)
}

func TestPostgresThatDoesNotKnowTheBot(t *testing.T) {
	server := postgresServer.get(t)
	_, evidence, err := postgresAt(server.dsn("nobody")).server(soon(t), None{})
	wantBlind(t, err, evidence, diagnostics.ReasonDenied)
}

func TestPostgresThatAnswersWithASQLState(t *testing.T) {
	for code, want := range map[string]string{"57P03": "starting", "53300": "too_many_connections", "XX000": ""} {
		err := blindPostgres("connect", fmt.Errorf("x: %w", &pgconn.PgError{Code: code, Message: "password=" + canary}))
		if got := serverProblem(err); got != want {
			t.Errorf("SQLSTATE %s is problem %q, want %q", code, got, want)
		}
		noCanary(t, err)
	}
}

func TestPostgresNotConfigured(t *testing.T) {
	_, evidence, err := postgresProbes{now: now}.server(soon(t), None{})
	wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
}
