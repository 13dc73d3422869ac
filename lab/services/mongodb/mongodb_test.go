package mongodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a running server that a test talks to as a client would.
type world struct {
	t           *testing.T
	addr, admin string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, addr: freeAddr(t), admin: freeAddr(t)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{Addr: w.addr, AdminAddr: w.admin, Users: []User{
			{Name: "orchestrator", Password: "s3cret/p:w@rd", AuthDB: "admin"},
		}})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil after its context ended", err)
		}
	})
	w.until("healthz answers", func() bool {
		resp, err := http.Get("http://" + w.admin + "/healthz")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK
	})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return w
}

// until polls, because a port that opens tells nobody.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("never happened: %s", what)
		}
	}
}

func (w *world) fault(body string, want int) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPut, "http://"+w.admin+"/admin/faults", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != want {
		w.t.Fatalf("PUT /admin/faults %s = %d, want %d", body, resp.StatusCode, want)
	}
}

// run sends one command by the real driver.
func (w *world) run(userinfo, query string, command bson.D) error {
	w.t.Helper()
	uri := "mongodb://" + userinfo + w.addr + "/?" + query
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(time.Second))
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
	defer cancel()
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	return client.Database("admin").RunCommand(ctx, command).Err()
}

const (
	rightLogin = "orchestrator:s3cret%2Fp%3Aw%40rd@"
	wrongLogin = "orchestrator:other@"
)

var ping = bson.D{{Key: "ping", Value: 1}}

func TestDriverLogsInAndPings(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"", "authSource=admin", "replicaSet=rs0", "directConnection=true", "authMechanism=SCRAM-SHA-256"} {
		if err := w.run(rightLogin, query, ping); err != nil {
			t.Errorf("ping with ?%s = %v, want nil", query, err)
		}
	}
	if err := w.run(rightLogin, "", bson.D{{Key: "buildInfo", Value: 1}}); err != nil {
		t.Errorf("buildInfo = %v, want nil", err)
	}
}

func TestDriverSeesServersErrorCodes(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, login, query string
		command            bson.D
		code               int32
	}{
		{"wrong password", wrongLogin, "authMechanism=SCRAM-SHA-256", ping, 18},
		{"wrong password, mechanism negotiated", wrongLogin, "", ping, 18},
		{"wrong authSource", rightLogin, "authSource=orchestrator", ping, 18},
		{"unknown user", "nobody:x@", "", ping, 18},
		{"mechanism not served", rightLogin, "authMechanism=SCRAM-SHA-1", ping, 18},
		{"command before authentication", "", "", bson.D{{Key: "listDatabases", Value: 1}}, 13},
		{"command that is not served", rightLogin, "", bson.D{{Key: "listDatabases", Value: 1}}, 59},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := w.run(tt.login, tt.query, tt.command)
			var cmd mongo.CommandError
			if !errors.As(err, &cmd) || cmd.Code != tt.code {
				t.Fatalf("error = %v, want code %d", err, tt.code)
			}
		})
	}
}

func TestPingNeedsNoLogin(t *testing.T) {
	if err := newWorld(t).run("", "", ping); err != nil {
		t.Fatalf("ping without login = %v, want nil", err)
	}
}

func TestFaultsShowAsServerSelectionTimeoutAndClear(t *testing.T) {
	w := newWorld(t)
	for _, fault := range []string{`{"down":"refused"}`, `{"down":"hang"}`, `{"not_primary":true}`} {
		w.fault(fault, http.StatusOK)
		if err := w.run(rightLogin, "", ping); err == nil || !mongo.IsTimeout(err) {
			t.Errorf("ping under %s = %v, want a timeout", fault, err)
		}
		w.fault(`{"down":"","not_primary":false}`, http.StatusOK)
		w.until("ping after "+fault+" cleared", func() bool { return w.run(rightLogin, "", ping) == nil })
	}
}

func TestRefusedClosesThePort(t *testing.T) {
	w := newWorld(t)
	w.fault(`{"down":"refused"}`, http.StatusOK)
	w.until("the port refuses", func() bool {
		conn, err := net.Dial("tcp", w.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func TestFaultsRejectWhatTheyDoNotKnow(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{"down":"maybe"}`, `{"other":1}`, `{`, ``} {
		w.fault(body, http.StatusBadRequest)
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	err := Run(t.Context(), Config{Addr: "nowhere", AdminAddr: "", Users: []User{{Name: "x"}}})
	for _, want := range []string{`addr "nowhere"`, `admin_addr ""`, "users[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to name %s", err, want)
		}
	}
}

func TestGarbageClosesOnlyItsConnection(t *testing.T) {
	w := newWorld(t)
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read = %d, %v, want a closed connection", n, err)
	}
	if err := w.run(rightLogin, "", ping); err != nil {
		t.Errorf("ping after garbage = %v, want nil", err)
	}
}

func FuzzReadRequest(f *testing.F) {
	body, err := bson.Marshal(bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message(opMsg, append(make([]byte, 5), body...)))
	f.Add(message(opQuery, append(append(append(make([]byte, 4), "admin.$cmd\x00"...), make([]byte, 8)...), body...)))
	f.Add(message(opMsg, append([]byte{1, 0, 0, 0, 0}, body...)))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		req, err := readRequest(bytes.NewReader(raw))
		if err != nil {
			return
		}
		talk := &conversation{login: login{directory: directory{}}}
		if _, err := encodeReply(req, 1, talk.answer(req, false)); err != nil {
			t.Errorf("request parsed but its reply does not encode: %v", err)
		}
		if talk.login.authenticated {
			t.Error("authenticated without any user")
		}
	})
}

func message(opcode uint16, payload []byte) []byte {
	out := make([]byte, headerLen, headerLen+len(payload))
	size := headerLen + len(payload)
	out[0], out[1] = byte(size), byte(size>>8)
	out[12], out[13] = byte(opcode), byte(opcode>>8)
	return append(out, payload...)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	for {
		// From below the kernel's own range, so that an outgoing connection of
		// another test does not take the port between its choice and its use, and
		// below those of a lab that runs.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(2_000)))
		if err != nil {
			continue // somebody has it
		}
		defer func() { _ = l.Close() }()
		return l.Addr().String()
	}
}
