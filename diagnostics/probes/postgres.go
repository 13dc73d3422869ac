package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tandem/diagnostics"
)

// PostgresServer is the state of a PostgreSQL server. The numbers are zero when
// it is not reachable.
type PostgresServer struct {
	Reachable      bool   `cel:"reachable"`
	Problem        string `cel:"problem"`     // "", refused, starting, too_many_connections
	InRecovery     bool   `cel:"in_recovery"` // a standby, or replaying after a crash
	IsPrimary      bool   `cel:"is_primary"`  // reachable, and not in recovery
	Connections    int64  `cel:"connections"` // to all databases, with the few workers that PostgreSQL itself connects
	MaxConnections int64  `cel:"max_connections"`
	Version        string `cel:"version"`
}

// PostgresRolesArgs name the role of Vault's database engine.
type PostgresRolesArgs struct {
	Role string `cel:"role"`
}

// PostgresRoles are the users that Vault made for a role of its database
// engine, in numbers. Vault puts the first 8 characters of the role's name into
// a user's name and nothing else of it, so that roles which begin alike count as
// one; the name of the login that comes before it is cut as short, and is the
// same for all services of a login method.
type PostgresRoles struct {
	Users            int64     `cel:"users"`
	Valid            int64     `cel:"valid"` // may still log in
	NewestValidUntil time.Time `cel:"newest_valid_until"`
	NewestCreated    time.Time `cel:"newest_created"`
	Connected        int64     `cel:"connected"`         // users with a connection
	ConnectedExpired int64     `cel:"connected_expired"` // of those, with VALID UNTIL in the past
	ConnectedLatest  bool      `cel:"connected_latest"`  // the newest user has a connection
	ServerVersion    string    `cel:"server_version"`
}

type postgresProbes struct {
	Postgres
	now func() time.Time
}

const (
	postgresKey = "postgres"

	problemStarting    = "starting"
	problemConnections = "too_many_connections"
)

// SQLSTATEs that are told apart.
const (
	sqlCannotConnectNow   = "57P03"
	sqlTooManyConnections = "53300"
	sqlNoPrivilege        = "42501"
	sqlAuthClass          = "28"
)

// The routines of PostgreSQL that refuse one connection too many of a role, and
// to a database: the SQLSTATE is that of a full server, and the words depend on
// the server's language.
const (
	routineRoleLimit     = "InitializeSessionUserId"
	routineDatabaseLimit = "CheckMyDatabase"
)

// closeTimeout bounds the farewell, which needs no answer.
const closeTimeout = time.Second

func (p postgresProbes) trail() *trail { return &trail{source: "postgres", now: p.now} }

func (p postgresProbes) command(sql string) string {
	return shell("psql", p.DSN, "-c", strings.Join(strings.Fields(sql), " "))
}

// serverSQL counts connections where everybody may: the rows of
// pg_stat_activity tell strangers nothing.
const serverSQL = `SELECT pg_is_in_recovery(),
	(SELECT coalesce(sum(numbackends), 0)::bigint FROM pg_stat_database WHERE datid <> 0),
	current_setting('max_connections')::bigint,
	current_setting('server_version')`

// server is blind when PostgreSQL does not answer in time, does not know the bot
// or has enough of it; that nobody listens, that it still starts, or is full for
// all, are facts.
func (p postgresProbes) server(ctx context.Context, _ None) (PostgresServer, []diagnostics.Evidence, error) {
	t, facts := p.trail(), PostgresServer{}
	err := p.ask(ctx, t, serverSQL, serverSQL, nil, &facts.InRecovery, &facts.Connections, &facts.MaxConnections, &facts.Version)
	if err != nil {
		if facts.Problem = serverProblem(err); facts.Problem != "" {
			return facts, t.list, nil
		}
		return PostgresServer{}, t.list, err
	}
	facts.Reachable, facts.IsPrimary, facts.Version = true, !facts.InRecovery, clean(facts.Version, maxDetail)
	t.add(p.command(serverSQL), "version %s, in recovery %t, %d of %d connections", facts.Version, facts.InRecovery, facts.Connections, facts.MaxConnections)
	return facts, t.list, nil
}

// serverProblem is what PostgreSQL, or its closed port, says of itself.
func serverProblem(err error) string {
	var answer *pgconn.PgError
	switch {
	case errors.As(err, &answer) && answer.Code == sqlCannotConnectNow:
		return problemStarting
	case errors.As(err, &answer) && answer.Code == sqlTooManyConnections && !ownLimit(answer):
		return problemConnections
	case networkProblem(err) == problemRefused:
		return problemRefused
	}
	return ""
}

// ownLimit reports whether the limit that was reached is the bot's role's or its
// database's: then there may be room for others.
func ownLimit(answer *pgconn.PgError) bool {
	return answer.Routine == routineRoleLimit || answer.Routine == routineDatabaseLimit
}

// rolesSQL counts on the server, by its clock. Vault ends a user's name with the
// second of its making.
const rolesSQL = `WITH made AS (
	SELECT CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END AS until,
		r.rolcanlogin AND coalesce(r.rolvaliduntil > now(), true) AS valid,
		to_timestamp(substring(r.rolname from '-([0-9]{9,11})$')::bigint) AS created,
		EXISTS (SELECT FROM pg_stat_activity a WHERE a.usename = r.rolname) AS connected
	FROM pg_roles r WHERE r.rolname LIKE $1)
	SELECT count(*), count(*) FILTER (WHERE valid), max(until), max(created),
		count(*) FILTER (WHERE connected), count(*) FILTER (WHERE connected AND NOT valid),
		coalesce(bool_or(connected) FILTER (WHERE created = (SELECT max(created) FROM made)), false),
		current_setting('server_version')
	FROM made`

// roles counts the users of a role.
func (p postgresProbes) roles(ctx context.Context, args PostgresRolesArgs) (PostgresRoles, []diagnostics.Evidence, error) {
	t, facts := p.trail(), PostgresRoles{}
	var until, created *time.Time
	pattern := usersOf(args.Role)
	shown := strings.ReplaceAll(rolesSQL, "$1", "'"+strings.ReplaceAll(pattern, "'", "''")+"'")
	err := p.ask(ctx, t, rolesSQL, shown, []any{pattern},
		&facts.Users, &facts.Valid, &until, &created, &facts.Connected, &facts.ConnectedExpired, &facts.ConnectedLatest, &facts.ServerVersion)
	if err != nil {
		return PostgresRoles{}, t.list, err
	}
	facts.NewestValidUntil, facts.NewestCreated = orZero(until), orZero(created)
	facts.ServerVersion = clean(facts.ServerVersion, maxDetail)
	t.add(p.command(shown), "%s", facts.words())
	return facts, t.list, nil
}

// words says what was counted; there is no end to tell where no user has one.
func (f PostgresRoles) words() string {
	newest := ""
	if !f.NewestValidUntil.IsZero() {
		newest = ", newest valid until " + f.NewestValidUntil.Format(time.RFC3339)
	}
	return fmt.Sprintf("%d users, %d valid%s; %d connected, %d of them past their time", f.Users, f.Valid, newest, f.Connected, f.ConnectedExpired)
}

// usersOf is the pattern of the names that Vault makes by default:
// v-<display name>-<the role's first 8 characters>-<random>-<second>.
func usersOf(role string) string {
	if runes := []rune(role); len(runes) > 8 {
		role = string(runes[:8])
	}
	return "v-%-" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(role) + "-%"
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// ask makes one connection for one question with one row as its answer.
func (p postgresProbes) ask(ctx context.Context, t *trail, sql, shown string, args []any, into ...any) error {
	if p.Connect == nil {
		return notConfigured("PostgreSQL", postgresKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	conn, err := p.Connect(ctx)
	if err != nil {
		return t.fail(p.command(shown), blindPostgres("connect to PostgreSQL", err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx) // the answer is in, or will not come
	}()
	if err := conn.QueryRow(ctx, sql, args...).Scan(into...); err != nil {
		return t.fail(p.command(shown), blindPostgres("ask PostgreSQL", err))
	}
	return nil
}

// blindPostgres says why PostgreSQL gave no answer.
func blindPostgres(doing string, err error) *diagnostics.BlindError {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return blindNetwork(doing, diagnostics.Both("check that PostgreSQL runs and that the bot can reach what the configuration names under "+postgresKey,
			"verifique se o PostgreSQL está rodando e se o bot alcança o que a configuração indica em "+postgresKey), err)
	}
	blind := &diagnostics.BlindError{
		Reason: diagnostics.ReasonError,
		Detail: doing + ": " + clean(answer.Message, maxDetail) + " (SQLSTATE " + clean(answer.Code, 5) + ")",
		Err:    redacted{err},
	}
	switch {
	case strings.HasPrefix(answer.Code, sqlAuthClass), answer.Code == sqlNoPrivilege:
		blind.Reason, blind.Next = diagnostics.ReasonDenied, diagnostics.Both("give the bot a PostgreSQL role that may log in and is a member of pg_monitor, and correct its login in the configuration under "+postgresKey,
			"dê ao bot um role do PostgreSQL que possa fazer login e seja membro de pg_monitor, e corrija o login dele na configuração, em "+postgresKey)
	case answer.Code == sqlTooManyConnections && ownLimit(answer):
		blind.Reason, blind.Next = diagnostics.ReasonThrottled, diagnostics.Both("raise CONNECTION LIMIT of the bot's PostgreSQL role, or of the database that it connects to",
			"aumente o CONNECTION LIMIT do role do bot no PostgreSQL, ou do banco a que ele se conecta")
	case answer.Code == sqlCannotConnectNow, answer.Code == sqlTooManyConnections:
		blind.Reason = diagnostics.ReasonUnavailable
	}
	return blind
}
