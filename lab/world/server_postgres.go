package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The names that the services' database has in the source system.
const (
	temporalDatabase  = "temporal"
	vaultAdminRole    = "vault-admin"     // what Vault's database engine is
	readOnlyRole      = "tandem-readonly" // what the bot is
	applicationGroup  = "temporal-app"    // what each dynamic credential is a member of
	postgresSuperuser = "postgres"
)

// initdbTimeout is generous: a shared machine can be slow.
const initdbTimeout = 2 * time.Minute

// postgresCredential returns whom PostgreSQL runs as: it refuses root.
func postgresCredential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup(postgresSuperuser)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and its user is missing "+
			"(`apt-get install postgresql` makes it): %w", err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, fmt.Errorf("read the user %s: %w", postgresSuperuser, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// postgresDataDir makes the data folder: in the lab's folder, or, where another
// user could not reach into that, in the system's temporary one.
func postgresDataDir(f folder, owner *syscall.Credential) (string, error) {
	dir := f.path("data", "postgres")
	if owner == nil {
		return dir, os.MkdirAll(dir, 0o700)
	}
	if !reachable(f.path("data")) {
		return chowned(os.MkdirTemp("", "tandem-lab-postgres-"))(owner)
	}
	return chowned(dir, os.MkdirAll(dir, 0o700))(owner)
}

// chowned gives a folder just made to its owner.
func chowned(dir string, err error) func(*syscall.Credential) (string, error) {
	return func(owner *syscall.Credential) (string, error) {
		if err == nil {
			err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
		}
		if err != nil {
			return "", fmt.Errorf("make PostgreSQL's data folder: %w", err)
		}
		return dir, nil
	}
}

// reachable says whether everybody may walk down to dir.
func reachable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// initdb makes a new cluster whose only way in is the password.
func (b *builder) initdb(ctx context.Context, password string) error {
	ctx, cancel := context.WithTimeout(ctx, initdbTimeout)
	defer cancel()
	passwordFile, err := b.passwordFile(password)
	if err != nil {
		return fmt.Errorf("hand PostgreSQL its password: %w", err)
	}
	defer os.Remove(passwordFile)
	cmd := exec.CommandContext(ctx, filepath.Join(b.binaries.postgres, "initdb"),
		"--pgdata="+b.state.Postgres.DataDir, "--username="+postgresSuperuser, "--auth=scram-sha-256",
		"--pwfile="+passwordFile, "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Env, cmd.Dir = environment(nil), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: b.postgresUser, Setpgid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", b.state.Postgres.DataDir, err, out)
	}
	return nil
}

// passwordFile writes the password where PostgreSQL's user alone can read it.
func (b *builder) passwordFile(password string) (string, error) {
	file, err := os.CreateTemp("", "tandem-lab-password-") // only its owner may read it
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(password + "\n")
	if b.postgresUser != nil {
		err = errors.Join(err, file.Chown(int(b.postgresUser.Uid), int(b.postgresUser.Gid)))
	}
	return file.Name(), errors.Join(err, file.Close())
}

// postgresSpec describes the PostgreSQL server: TCP only, nothing synced.
func (b *builder) postgresSpec() spec {
	host, port := hostAndPort(b.state.Postgres.Addr)
	return spec{
		name: "postgres", path: filepath.Join(b.binaries.postgres, "postgres"),
		args: []string{
			"-D", b.state.Postgres.DataDir, "-h", host, "-p", strconv.Itoa(port), "-k", "", "-F",
			"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=100",
			"-c", "shared_buffers=32MB", "-c", "log_min_messages=warning", "-c", "max_wal_size=128MB",
		},
		address: b.state.Postgres.Addr, logFile: b.folder.log("postgres"), credential: b.postgresUser,
		// SIGTERM would wait for every client to leave by itself.
		stopSignal: syscall.SIGINT,
		ready:      func(ctx context.Context) error { return postgresAnswers(ctx, b.superuserDSN) },
	}
}

func postgresAnswers(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// startPostgres makes the cluster, starts it, and makes database and roles.
func (b *builder) startPostgres(ctx context.Context) error {
	password := rand.Text()
	b.superuserDSN = postgresDSN(b.state.Postgres.Addr, "postgres", postgresSuperuser, password)
	if err := b.initdb(ctx, password); err != nil {
		return err
	}
	if err := b.supervisor.add(ctx, b.postgresSpec()); err != nil {
		return err
	}
	state := &b.state.Postgres
	state.AdminDSN = postgresDSN(state.Addr, temporalDatabase, postgresSuperuser, password)
	readOnly := rand.Text()
	state.ReadOnlyDSN = postgresDSN(state.Addr, temporalDatabase, readOnlyRole, readOnly)
	if err := execAll(ctx, b.superuserDSN, rolesSQL(b.vaultDBPassword, readOnly)); err != nil {
		return fmt.Errorf("make PostgreSQL's roles: %w", err)
	}
	if err := execAll(ctx, state.AdminDSN, schemaSQL()); err != nil {
		return fmt.Errorf("make PostgreSQL's schema: %w", err)
	}
	return nil
}

// rolesSQL makes the roles and the database. The passwords are letters and
// digits of the lab's own making, so they need no escaping.
func rolesSQL(vaultPassword, readOnlyPassword string) []string {
	return []string{
		fmt.Sprintf(`CREATE ROLE %q LOGIN CREATEROLE PASSWORD '%s'`, vaultAdminRole, vaultPassword),
		fmt.Sprintf(`CREATE ROLE %q NOLOGIN`, applicationGroup),
		fmt.Sprintf(`GRANT %q TO %q WITH ADMIN OPTION`, applicationGroup, vaultAdminRole),
		fmt.Sprintf(`CREATE ROLE %q LOGIN PASSWORD '%s' IN ROLE pg_monitor, pg_read_all_stats`, readOnlyRole, readOnlyPassword),
		fmt.Sprintf(`ALTER ROLE %q SET default_transaction_read_only = on`, readOnlyRole),
		fmt.Sprintf(`CREATE DATABASE %q`, temporalDatabase),
	}
}

// schemaSQL makes the one table that the services write to.
func schemaSQL() []string {
	return []string{
		`CREATE TABLE executions (id bigint GENERATED ALWAYS AS IDENTITY, plan_id text, at timestamptz NOT NULL DEFAULT now())`,
		fmt.Sprintf(`GRANT SELECT, INSERT ON executions TO %q`, applicationGroup),
	}
}

func execAll(ctx context.Context, dsn string, statements []string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func postgresDSN(addr, database, name, password string) string {
	dsn := url.URL{
		Scheme: "postgres", User: url.UserPassword(name, password), Host: addr, Path: "/" + database,
		RawQuery: "sslmode=disable&connect_timeout=5",
	}
	return dsn.String()
}

// hostAndPort splits an address of the lab's own making.
func hostAndPort(addr string) (string, int) {
	host, text, _ := strings.Cut(addr, ":")
	port, _ := strconv.Atoi(text)
	return host, port
}
