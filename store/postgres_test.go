package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/lab/servers"
)

// postgres is the PostgreSQL of this package's tests, which keeps what it says
// to keep. The first test that needs it starts it.
var postgres server

// server is a PostgreSQL of its own.
type server struct {
	once sync.Once
	err  error
	dir  string
	port int
	run  *exec.Cmd
}

// password is of the server's superuser, and must never be seen.
const password = "canary-of-the-database"

func (p *server) get(tb testing.TB) *server {
	tb.Helper()
	p.once.Do(func() { p.err = p.start() })
	if p.err != nil {
		tb.Fatalf("start PostgreSQL: %v", p.err)
	}
	return p
}

func (p *server) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	bin, err := servers.Find(ctx, servers.Postgres, func(string) {})
	if err != nil {
		return err
	}
	owner, err := postgresOwner()
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "tandem-store-"); err != nil {
		return err
	}
	if owner != nil {
		if err := os.Chown(p.dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil { // its folder is the owner's alone
		return err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=scram-sha-256",
		"--pwfile="+secret, "--locale=C", "-E", "UTF8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = "/", &syscall.SysProcAttr{Credential: owner}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if p.port, err = freePort(); err != nil {
		return err
	}
	p.run = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-k", "",
		"-c", "shared_buffers=64MB", "-c", "max_connections=300", "-c", "log_min_messages=fatal", "-c", "fsync="+fsync())
	p.run.Dir, p.run.SysProcAttr = "/", &syscall.SysProcAttr{Credential: owner, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.run.Start(); err != nil {
		return err
	}
	return p.ready(ctx)
}

// fsync is on where its time counts: nothing here takes the machine's power away.
func fsync() string {
	if flag.Lookup("test.bench").Value.String() != "" {
		return "on"
	}
	return "off"
}

// ready waits until a connection works.
func (p *server) ready(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, p.url())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *server) url() string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres?sslmode=disable", password, p.port)
}

// schema makes a schema for one test, which is quicker than a database, and drops
// it afterwards. The connections of the test are known by its name.
func (p *server) schema(tb testing.TB) (url, name string) {
	tb.Helper()
	name = "t" + strings.ToLower(rand.Text()[:10])
	p.say(tb, "CREATE SCHEMA "+name)
	tb.Cleanup(func() { p.say(tb, "DROP SCHEMA "+name+" CASCADE") })
	return p.url() + "&search_path=" + name + "&application_name=" + name, name
}

// say has the server carry out statements.
func (p *server) say(tb testing.TB, statements ...string) {
	tb.Helper()
	ctx := context.Background() // a cleanup outlives its test's context
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
}

// signal stops or continues the whole server, each connection with it.
func (p *server) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	pid := p.run.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		tb.Fatal(err)
	}
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(n, s) // one that ended meanwhile needs none
		}
	}
	if err := syscall.Kill(pid, s); err != nil {
		tb.Fatal(err)
	}
}

// cut ends all connections of a schema's test.
func (p *server) cut(tb testing.TB, schema string) {
	tb.Helper()
	p.say(tb, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"+schema+"'")
}

// stop ends the server that was started, and forgets its data.
func (p *server) stop() error {
	if p.run != nil && p.run.Process != nil {
		// Fast: connections are cut.
		if err := p.run.Process.Signal(syscall.SIGINT); err != nil {
			return err
		}
		var exit *exec.ExitError
		if err := p.run.Wait(); err != nil && !errors.As(err, &exit) {
			return err
		}
	}
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// postgresOwner is the user that PostgreSQL runs as, which refuses root.
func postgresOwner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and its user is missing: %w", err)
	}
	uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
