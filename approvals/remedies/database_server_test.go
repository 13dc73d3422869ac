package remedies

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/lab/servers"
)

// startPostgres starts a PostgreSQL that lives as long as the test, and returns
// how its superuser connects.
func startPostgres(t *testing.T) (address string) {
	t.Helper()
	bin := must[string](t)(servers.Find(t.Context(), servers.Postgres, func(line string) { t.Log(line) }))
	owner := postgresOwner(t)
	dir := must[string](t)(os.MkdirTemp("", "tandem-remedies-"))
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	if owner != nil {
		check(t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--locale=C", "-E", "UTF8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = "/", &syscall.SysProcAttr{Credential: owner}
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	address = freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", port, "-k", "", "-F", "-c", "shared_buffers=16MB")
	server.Dir, server.SysProcAttr = "/", &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGKILL}
	check(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // fast: connections are cut
		_ = server.Wait()
	})
	await(t, func() error {
		conn, err := pgx.Connect(soon(t), superuser(address))
		if err == nil {
			err = conn.Close(soon(t))
		}
		return err
	})
	return address
}

func superuser(address string) string {
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", address)
}

// postgresOwner is whom PostgreSQL runs as, since it refuses root.
func postgresOwner(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	account := must[*user.User](t)(user.Lookup("postgres"))
	uid := must[uint64](t)(strconv.ParseUint(account.Uid, 10, 32))
	gid := must[uint64](t)(strconv.ParseUint(account.Gid, 10, 32))
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	return listener.Addr().String()
}

// connectDatabase gives the bench a PostgreSQL, and Vault the connection to it.
func (b *bench) connectDatabase(t *testing.T) {
	t.Helper()
	b.postgres = startPostgres(t)
	b.write(t, "database/config/temporal-db", map[string]any{
		"plugin_name": "postgresql-database-plugin", "allowed_roles": []string{"temporal-*"}, "username": "postgres", "password": canary,
		"connection_url": "postgresql://{{username}}:{{password}}@" + b.postgres + "/postgres?sslmode=disable",
	})
}

// dynamicUsers are those that Vault made in PostgreSQL.
func (b *bench) dynamicUsers(t *testing.T) []string {
	t.Helper()
	conn := must[*pgx.Conn](t)(pgx.Connect(soon(t), superuser(b.postgres)))
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows := must[pgx.Rows](t)(conn.Query(soon(t), `SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'v-%'`))
	return must[[]string](t)(pgx.CollectRows(rows, pgx.RowTo[string]))
}
