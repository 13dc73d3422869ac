package probes

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"tandem/diagnostics"
	"tandem/lab/services/mongodb"
)

// mongoServer runs the lab's MongoDB until the test ends.
func mongoServer(t *testing.T) (address string, fault func(string)) {
	t.Helper()
	config := mongodb.Config{Addr: closedPort(t), AdminAddr: closedPort(t), Users: []mongodb.User{{Name: "u", Password: canary}}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mongodb.Run(ctx, config) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("MongoDB: %v", err)
		}
	})
	await(t, func() error {
		resp, err := client.Get("http://" + config.AdminAddr + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	return config.Addr, func(object string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+config.AdminAddr+"/admin/faults", strings.NewReader(object))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

// await asks until there is no error.
func await(t *testing.T, ask func() error) {
	t.Helper()
	ctx := soon(t)
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// greeting is an address where something else speaks first.
func greeting(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n"+htmlPage)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestMongoHosts(t *testing.T) {
	address, fault := mongoServer(t)
	p := mongodbProbes{now: now}
	refused, page := closedPort(t), greeting(t)
	await(t, func() error {
		_, _, err := p.hosts(soon(t), MongoHostsArgs{Hosts: []string{address, page}})
		return err
	})
	facts, evidence, err := p.hosts(soon(t), MongoHostsArgs{Hosts: []string{address, refused, page}})
	wantSeen(t, facts, evidence, err)
	want := MongoHosts{Reachable: 1, Primaries: 1, Hosts: []MongoHost{
		{Address: address, Reachable: true, Primary: true}, {Address: refused, Problem: "refused"}, {Address: page, Problem: "not_mongodb"},
	}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	fault(`{"not_primary":true}`)
	facts, evidence, err = p.hosts(soon(t), MongoHostsArgs{Hosts: []string{address}})
	wantSeen(t, facts, evidence, err)
	if facts.Reachable != 1 || facts.Primaries != 0 {
		t.Errorf("facts of a secondary are %+v", facts)
	}
	fault(`{"not_primary":false,"down":"hang"}`)
	_, evidence, err = p.hosts(short(t), MongoHostsArgs{Hosts: []string{address}})
	wantBlind(t, err, evidence, diagnostics.ReasonTimeout)
}

func TestMongoHostsWithoutAnyAnswer(t *testing.T) {
	p := mongodbProbes{now: now}
	refused, page := closedPort(t), greeting(t)
	facts, evidence, err := p.hosts(soon(t), MongoHostsArgs{Hosts: []string{refused, refused}})
	wantSeen(t, facts, evidence, err)
	if facts.Reachable != 0 {
		t.Errorf("facts are %+v", facts)
	}
	for want, host := range map[diagnostics.Reason]string{
		diagnostics.ReasonGarbage: page, diagnostics.ReasonTimeout: silentPort(t, "tcp", "127.0.0.1:0"), diagnostics.ReasonUnreachable: "nowhere.invalid",
	} {
		_, evidence, err := p.hosts(short(t), MongoHostsArgs{Hosts: []string{refused, host}})
		wantBlind(t, err, evidence, want)
	}
	_, evidence, err = p.hosts(soon(t), MongoHostsArgs{})
	wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
}

func helloReply(t testing.TB, doc bson.D) []byte {
	t.Helper()
	b, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	message := make([]byte, wirePreamble)
	binary.LittleEndian.PutUint32(message, uint32(wirePreamble+len(b)))
	binary.LittleEndian.PutUint32(message[12:], opMsg)
	return append(message, b...)
}

func FuzzReadHello(f *testing.F) {
	f.Add(helloReply(f, bson.D{{Key: "ok", Value: 1.0}, {Key: "isWritablePrimary", Value: true}}))
	f.Add(helloReply(f, bson.D{{Key: "ok", Value: int32(0)}}))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, message []byte) {
		primary, err := readHello(bytes.NewReader(message))
		if primary && (err != nil || len(message) < wirePreamble) {
			t.Errorf("%q is a primary, with %v", message, err)
		}
	})
}

// uris are forms with what is wrong with each; "" is well formed.
var uris = map[string]string{
	"mongodb://db":     "",
	"mongodb://db/":    "",
	"mongodb://db?w=1": uriOptions,
	"mongodb://u:p@db1:27017,db2:27018/app?authSource=admin&w=majority": "",
	"mongodb://u:p%40ss%2F%3A@db:27017/app":                             "",
	"mongodb://u@db/app":                                                "",
	"mongodb://u:@db/app":                                               "",
	"mongodb://[::1]:27017/app":                                         "",
	"mongodb://%2Ftmp%2Fmongodb-27017.sock":                             "",
	"":                                                                  uriEmpty,
	"  \n":                                                              uriEmpty,
	"mongodb://u:p@db\n":                                                uriWhitespace,
	"postgres://u:p@db":                                                 uriScheme,
	"u:p@db":                                                            uriScheme,
	"mongodb://":                                                        uriHost,
	"mongodb://u:p@":                                                    uriHost,
	"mongodb://u:p@db:":                                                 uriHost,
	"mongodb://u:p@db:99999":                                            uriHost,
	"mongodb://u:p@db:0":                                                uriHost,
	"mongodb://u:p@db1,,db2":                                            uriHost,
	"mongodb://u:p@db:x/app":                                            uriHost,
	"mongodb://u:p:q@db":                                                uriNotEscaped,
	"mongodb://u:p@q@db":                                                uriNotEscaped,
	"mongodb://u:p/q@db/app":                                            uriNotEscaped,
	"mongodb://u:1/q@db/app":                                            uriNotEscaped,
	"mongodb://u:1?q@db/app":                                            "",
	"mongodb://u:1?authSource=q@db/app":                                 "",
	"mongodb://u:p#q@db/app":                                            "",
	"mongodb://u:50%@db/app":                                            uriPercent,
	"mongodb://u:50%zz@db/app":                                          uriPercent,
	"mongodb://:p@db/app":                                               uriCredentials,
	"mongodb://u:p@db/app?authSource":                                   uriOptions,
	"mongodb://u:p@db/app?authSource=":                                  uriOptions,
}

func TestParseURI(t *testing.T) {
	for uri, want := range uris {
		if got := ParseURI(uri); got.Problem != want || got.Valid != (want == "") {
			t.Errorf("ParseURI(%q) = %+v, want problem %q", uri, got, want)
		}
	}
	got := ParseURI("mongodb://u:p%40ss@db1:27017,db2/app?w=1&authSource=users")
	want := URIShape{Valid: true, Hosts: []string{"db1:27017", "db2"}, AuthSource: "users", HasCredentials: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for uri, source := range map[string]string{"mongodb://u:p@db": "admin", "mongodb://u:p@db/app": "app", "mongodb+srv://u:p@db.example.org/": "admin"} {
		if got := ParseURI(uri).AuthSource; got != source {
			t.Errorf("the users of %s are in %s, want %s", uri, got, source)
		}
	}
	for _, uri := range []string{"mongodb+srv://a,b", "mongodb+srv://a:27017"} {
		if got := ParseURI(uri); got.Problem != uriHost {
			t.Errorf("ParseURI(%q) = %+v", uri, got)
		}
	}
}

// What drivers refuse must not be called well formed.
func TestParseURIAgreesWithTheDriver(t *testing.T) {
	for uri, problem := range uris {
		_, err := connstring.Parse(uri)
		if err != nil && problem == "" {
			t.Errorf("%q is well formed to us, and the driver says %v", uri, err)
		}
		// Other drivers refuse what this one takes here, or it fails later.
		lenient := []string{uriHost, uriOptions, uriCredentials, uriWhitespace}
		if err == nil && problem != "" && !slices.Contains(lenient, problem) {
			t.Errorf("%q is %s to us, and well formed to the driver", uri, problem)
		}
	}
}

// However broken the URI is, nothing of its password is said.
func FuzzParseURI(f *testing.F) {
	for _, s := range []string{"", "@", "/", "?", "#", ":", "%", "@host:1/x", "/1@host", "?a=b@host", ",", "1@2,3@4"} {
		f.Add("user", s)
		f.Add("user:"+s, "x")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		uri := "mongodb://" + before + ":" + canary + after + "@db.example.org:27017/app"
		if strings.ContainsAny(before, "@") {
			return // the secret would be in front of no @ but the first
		}
		if got := fmt.Sprintf("%+v", ParseURI(uri)); strings.Contains(got, canary) {
			t.Errorf("ParseURI(%q) = %s", uri, got)
		}
	})
}

func TestMongoURI(t *testing.T) {
	give := func(uri string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return uri, err }
	}
	p := mongodbProbes{now: now, uris: map[string]func(context.Context) (string, error){
		"good":   give("mongodb://u:"+canary+"@db:27017/app", nil),
		"bad":    give("mongodb://u:"+canary+"@x@db:27017/app", nil),
		"absent": give("", errors.New("open /etc/x: password="+canary)),
	}}
	facts, evidence, err := p.uri(soon(t), MongoURIArgs{Service: "good"})
	wantSeen(t, facts, evidence, err)
	if !facts.Valid || !slices.Equal(facts.Hosts, []string{"db:27017"}) {
		t.Errorf("facts are %+v", facts)
	}
	facts, evidence, err = p.uri(soon(t), MongoURIArgs{Service: "bad"})
	wantSeen(t, facts, evidence, err)
	if facts.Valid || facts.Problem != "not_escaped" {
		t.Errorf("facts are %+v", facts)
	}
	_, evidence, err = p.uri(soon(t), MongoURIArgs{Service: "absent"})
	wantBlind(t, err, evidence, diagnostics.ReasonError)
	_, evidence, err = p.uri(soon(t), MongoURIArgs{Service: "none"})
	wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
}
