package services

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// fakePostgres speaks enough of the wire protocol to let the right user in and answer any query with 1.
type fakePostgres struct {
	t        *testing.T
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	user   string // who is let in; nobody when empty
	logins []string
}

func newFakePostgres(t *testing.T) *fakePostgres {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakePostgres{t: t, listener: listener}
	f.serving.Go(f.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		f.serving.Wait()
	})
	return f
}

func (f *fakePostgres) allow(user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.user = user
}

func (f *fakePostgres) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.logins...)
}

func (f *fakePostgres) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.serving.Go(func() {
			defer func() { _ = conn.Close() }()
			f.serve(pgproto3.NewBackend(conn, conn))
		})
	}
}

func (f *fakePostgres) serve(b *pgproto3.Backend) {
	startup, err := b.ReceiveStartupMessage()
	if err != nil {
		return
	}
	message, ok := startup.(*pgproto3.StartupMessage)
	if !ok || !f.letIn(b, message.Parameters["user"]) {
		return
	}
	for {
		received, err := b.Receive()
		if err != nil {
			return
		}
		f.answer(b, received)
		if b.Flush() != nil {
			return
		}
	}
}

func (f *fakePostgres) letIn(b *pgproto3.Backend, user string) bool {
	f.mu.Lock()
	f.logins = append(f.logins, user)
	ok := user == f.user
	f.mu.Unlock()
	if !ok {
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "` + user + `"`})
	} else {
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
	return b.Flush() == nil && ok
}

func (f *fakePostgres) answer(b *pgproto3.Backend, received pgproto3.FrontendMessage) {
	one := pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("one"), DataTypeOID: 23, DataTypeSize: 4}}}
	switch received.(type) {
	case *pgproto3.Parse:
		b.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Describe:
		b.Send(&pgproto3.ParameterDescription{})
		b.Send(&one)
	case *pgproto3.Bind:
		b.Send(&pgproto3.BindComplete{})
	case *pgproto3.Execute:
		b.Send(&pgproto3.DataRow{Values: [][]byte{{0, 0, 0, 1}}})
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	case *pgproto3.Sync:
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

type poolBench struct {
	*pool
	postgres *fakePostgres
	log      *recorder
}

// newPoolBench runs a pool on a server of its own, or on the address that is given instead.
func newPoolBench(t *testing.T, instead string) *poolBench {
	t.Helper()
	b := &poolBench{postgres: newFakePostgres(t), log: &recorder{}}
	orDefault(&instead, b.postgres.listener.Addr().String())
	cfg := Config{
		Name: Worker, PostgresAddr: instead,
		TTL: Duration(time.Second), Tick: Duration(20 * time.Millisecond),
	}.withDefaults()
	b.pool = &pool{cfg: cfg, log: b.log.logger()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestPoolLogsInAgainAndAgain(t *testing.T) {
	b := newPoolBench(t, "")
	b.postgres.allow("v-1")
	b.use(t.Context(), credential{username: "v-1", password: canaryPassword})
	until(t, "new connections", func() bool { return len(b.postgres.seen()) > 2 })
	if n := len(b.log.events(t, "postgres_connected")); n != 1 {
		t.Errorf("postgres_connected %d times, want once", n)
	}
}

func TestPoolWhoseAccountDiedFailsToLogIn(t *testing.T) {
	b := newPoolBench(t, "")
	b.postgres.allow("v-1")
	b.use(t.Context(), credential{username: "v-1", password: canaryPassword})
	until(t, "connected", func() bool { return len(b.log.events(t, "postgres_connected")) == 1 })
	b.postgres.allow("")
	until(t, "a login fails", func() bool { return len(b.log.events(t, "postgres_login_failed")) > 0 })
	event := b.log.last(t, "postgres_login_failed")
	if event["sqlstate"] != "28P01" || event["db_user"] != "v-1" {
		t.Errorf("postgres_login_failed = %v", event)
	}
	b.postgres.allow("v-2")
	b.use(t.Context(), credential{username: "v-2", password: canaryPassword})
	until(t, "connected anew", func() bool { return len(b.log.events(t, "postgres_connected")) == 2 })
	if strings.Contains(b.log.text(), canaryPassword) {
		t.Error("the password is in the log")
	}
}

func TestPoolTellsAPostgresThatIsDownFromARefusedLogin(t *testing.T) {
	b := newPoolBench(t, freeAddr(t))
	b.use(t.Context(), credential{username: "v-1", password: canaryPassword})
	until(t, "a connection fails", func() bool { return len(b.log.events(t, "postgres_connection_failed")) > 0 })
	if n := len(b.log.events(t, "postgres_login_failed")); n != 0 {
		t.Errorf("%d postgres_login_failed for a server that is not there", n)
	}
}
