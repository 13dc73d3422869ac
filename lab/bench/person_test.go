package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/mattn/go-shellwords"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// patience is how long a person waits for one answer.
const patience = 30 * time.Second

// person asks what the bot asks, by the commands in its evidence, one at a time
// and each over a connection of its own, as a shell would. That costs no
// process here, so the person is faster than a real one.
type person struct {
	vaultToken string
	dsn        string // with the password that evidence leaves out
	client     *http.Client
}

func newPerson(vaultToken, dsn string) *person {
	return &person{
		vaultToken: vaultToken, dsn: dsn,
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// command is one line of a shell.
type command struct {
	env   map[string]string
	words []string
}

// fileContent is the one kind of substitution in evidence.
var fileContent = regexp.MustCompile(`\$\(cat ([^)]+)\)`)

func parse(invocation string) (command, error) {
	var missing error
	line := fileContent.ReplaceAllStringFunc(invocation, func(s string) string {
		content, err := os.ReadFile(fileContent.FindStringSubmatch(s)[1])
		missing = errors.Join(missing, err)
		return strings.TrimSpace(string(content))
	})
	words, err := shellwords.Parse(line)
	if err := errors.Join(missing, err); err != nil {
		return command{}, fmt.Errorf("parse %s: %w", invocation, err)
	}
	c := command{env: map[string]string{}, words: words}
	for len(c.words) > 0 && isAssignment(c.words[0]) {
		name, value, _ := strings.Cut(c.words[0], "=")
		c.env[name], c.words = value, c.words[1:]
	}
	if len(c.words) < 2 {
		return command{}, fmt.Errorf("parse %s: no command", invocation)
	}
	return c, nil
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.ToUpper(name) == name
}

// has reports whether the command begins so.
func (c command) has(words ...string) bool {
	return len(c.words) >= len(words) && slices.Equal(c.words[:len(words)], words)
}

// after is the word that follows another.
func (c command) after(word string) string {
	if i := slices.Index(c.words, word); i >= 0 && i+1 < len(c.words) {
		return c.words[i+1]
	}
	return ""
}

func (c command) last() string { return c.words[len(c.words)-1] }

// ask does one command. It is an error when nothing came back, and when it is
// one that the person has not learnt: a question left out would flatter them.
func (p *person) ask(ctx context.Context, invocation string) error {
	c, err := parse(invocation)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch c.words[0] {
	case "curl":
		err = p.curl(ctx, c)
	case "vault":
		err = p.vault(ctx, c)
	case "psql":
		err = p.psql(ctx, c)
	case "spire-server":
		err = overSocket(c.after("-socketPath"), func(conn *grpc.ClientConn) error { return spireServer(ctx, conn, c) })
	case "spire-agent":
		err = overSocket(c.after("-socketPath"), func(conn *grpc.ClientConn) error { return spireAgent(ctx, conn, c) })
	case "grpcurl":
		err = overSocket(c.after("-unix"), func(conn *grpc.ClientConn) error { return fetchBundles(ctx, conn) })
	case "test":
		_, err = os.Stat(c.last())
	default:
		err = errors.New("no such client")
	}
	if err != nil {
		return fmt.Errorf("ask %s: %w", invocation, err)
	}
	return nil
}

func (p *person) curl(ctx context.Context, c command) error {
	var target string
	query := url.Values{}
	for i, word := range c.words {
		switch {
		case strings.HasPrefix(word, "http"):
			target = word
		case word == "--data-urlencode" && i+1 < len(c.words):
			name, value, _ := strings.Cut(c.words[i+1], "=")
			query.Add(name, value)
		}
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return p.http(ctx, http.MethodGet, target, nil)
}

// vault asks the API for what the command asks.
func (p *person) vault(ctx context.Context, c command) error {
	v1 := c.env["VAULT_ADDR"] + "/v1/"
	switch {
	case c.has("vault", "read"):
		return p.http(ctx, http.MethodGet, v1+c.last(), nil)
	case c.has("vault", "policy", "read"):
		return p.http(ctx, http.MethodGet, v1+"sys/policies/acl/"+c.last(), nil)
	case c.has("vault", "token", "lookup", "-accessor"):
		return p.http(ctx, http.MethodPost, v1+"auth/token/lookup-accessor", map[string]any{"accessor": c.last()})
	case c.has("vault", "token", "lookup"):
		return p.http(ctx, http.MethodGet, v1+"auth/token/lookup-self", nil)
	case c.has("vault", "write"):
		return p.http(ctx, http.MethodPost, v1+c.words[2], fields(c.words[3:]))
	}
	return errors.New("no such vault command")
}

// fields are words like name=value; paths is a list.
func fields(words []string) map[string]any {
	body := map[string]any{}
	var paths []string
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if name == "paths" {
			paths = append(paths, value)
			body[name] = paths
			continue
		}
		body[name] = value
	}
	return body
}

// http sends one request over a new connection and reads the whole answer.
func (p *person) http(ctx context.Context, method, target string, body any) error {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return err
	}
	request.Header.Set("X-Vault-Token", p.vaultToken)
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

func (p *person) psql(ctx context.Context, c command) error {
	conn, err := pgx.Connect(ctx, p.dsn)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, c.last()).ReadAll()
	return errors.Join(err, conn.Close(ctx))
}

// overSocket asks over a new connection.
func overSocket(path string, ask func(*grpc.ClientConn) error) error {
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	conn, err := grpc.NewClient("passthrough:///"+path, grpc.WithContextDialer(dial),
		grpc.WithAuthority("localhost"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	return errors.Join(ask(conn), conn.Close())
}

func spireServer(ctx context.Context, conn *grpc.ClientConn, c command) error {
	var err error
	switch {
	case c.has("spire-server", "healthcheck"):
		_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	case c.has("spire-server", "bundle", "show"):
		_, err = bundlev1.NewBundleClient(conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
	case c.has("spire-server", "localauthority", "jwt", "show"):
		_, err = localauthorityv1.NewLocalAuthorityClient(conn).GetJWTAuthorityState(ctx, &localauthorityv1.GetJWTAuthorityStateRequest{})
	case c.has("spire-server", "agent", "list"):
		_, err = agentv1.NewAgentClient(conn).ListAgents(ctx, &agentv1.ListAgentsRequest{})
	case c.has("spire-server", "entry", "show"):
		var id *url.URL
		if id, err = url.Parse(c.after("-spiffeID")); err != nil {
			return err
		}
		filter := &entryv1.ListEntriesRequest_Filter{BySpiffeId: &types.SPIFFEID{TrustDomain: id.Host, Path: id.Path}}
		_, err = entryv1.NewEntryClient(conn).ListEntries(ctx, &entryv1.ListEntriesRequest{Filter: filter})
	default:
		err = errors.New("no such spire-server command")
	}
	return err
}

func spireAgent(ctx context.Context, conn *grpc.ClientConn, c command) error {
	ctx, cancel := context.WithCancel(asWorkload(ctx))
	defer cancel()
	api := workload.NewSpiffeWorkloadAPIClient(conn)
	switch {
	case c.has("spire-agent", "api", "fetch", "jwt"):
		_, err := api.FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{c.after("-audience")}})
		return err
	case c.has("spire-agent", "api", "fetch", "x509"):
		stream, err := api.FetchX509SVID(ctx, &workload.X509SVIDRequest{})
		if err != nil {
			return err
		}
		_, err = stream.Recv()
		return err
	}
	return errors.New("no such spire-agent command")
}

func fetchBundles(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(asWorkload(ctx))
	defer cancel()
	stream, err := workload.NewSpiffeWorkloadAPIClient(conn).FetchJWTBundles(ctx, &workload.JWTBundlesRequest{})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// asWorkload marks a call as one of a workload.
func asWorkload(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "workload.spiffe.io", "true")
}

func TestParse(t *testing.T) {
	file := t.TempDir() + "/accessor"
	if err := os.WriteFile(file, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for invocation, want := range map[string]command{
		`VAULT_ADDR=http://127.0.0.1:1 vault token lookup -accessor "$(cat ` + file + `)"`: {
			env: map[string]string{"VAULT_ADDR": "http://127.0.0.1:1"}, words: []string{"vault", "token", "lookup", "-accessor", "abc"},
		},
		`curl -sG http://h/q --data-urlencode 'query={a="b"} |~ "c|d" > 0'`: {
			env: map[string]string{}, words: []string{"curl", "-sG", "http://h/q", "--data-urlencode", `query={a="b"} |~ "c|d" > 0`},
		},
		`psql x -c 'SELECT '\''a'\'''`: {env: map[string]string{}, words: []string{"psql", "x", "-c", `SELECT 'a'`}},
	} {
		got, err := parse(invocation)
		if err != nil {
			t.Errorf("%s: %v", invocation, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(command{})); diff != "" {
			t.Errorf("%s: %s", invocation, diff)
		}
	}
	for _, broken := range []string{"", "true", `cat "$(cat /does/not/exist)"`, "curl 'open"} {
		if c, err := parse(broken); err == nil {
			t.Errorf("%q parses as %+v", broken, c)
		}
	}
}

func TestAskRefusesWhatItDoesNotKnow(t *testing.T) {
	p := newPerson("", "")
	for _, invocation := range []string{"mongosh mongodb://h", "vault delete x", "spire-server token generate", "spire-agent run now"} {
		if err := p.ask(t.Context(), invocation); err == nil {
			t.Errorf("%s was asked", invocation)
		}
	}
}
