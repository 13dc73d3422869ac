package remedies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
	"tandem/i18n"
	"tandem/lab/servers"
)

// canary is a value that nothing may ever repeat.
const canary = "canary-7c1f0e"

// bench is a Vault of the true make with the things of one service, the roles
// that the remedies ask for, and remedies that see it as a bot does.
type bench struct {
	address  string
	root     *api.Client
	deps     Deps
	share    string
	secrets  map[string]string // secret ids, by role
	postgres string            // address; empty: none
	login    Login             // by which the roles are made to be logged in to
	lent     lent
}

// lent are the requests that were made under privileges, the logins too.
type lent struct {
	mu       sync.Mutex
	requests []string
	via      http.RoundTripper // what carries them; may do mischief
}

func (l *lent) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.requests = append(l.requests, r.Method+" "+r.URL.Path)
	via := l.via
	l.mu.Unlock()
	return via.RoundTrip(r)
}

// take returns the requests so far, and begins anew.
func (l *lent) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.requests
	l.requests = nil
	return all
}

// The reviewed things of the bench's configuration.
const (
	reviewedPolicy = "# reviewed: ${not an expression} and \"quoted\"\npath \"secret/data/orchestrator/*\" {\n  capabilities = [\"read\"]\n}\n"
	creationSQL    = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`
	renewSQL       = `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';`
	revocationSQL  = `DROP ROLE IF EXISTS "{{name}}";`
)

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must[V any](t *testing.T) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await tries until it works: a server that was just started, an engine that
// was just mounted.
func await(t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ctx := soon(t)
	for err := try(); err != nil; err = try() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

// startBench starts Vault and applies what the remedies ask for.
func startBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{address: startVault(t), secrets: map[string]string{}, login: Login{AppRole: &AppRoleLogin{Mount: "approle"}}}
	b.lent.via = http.DefaultTransport.(*http.Transport).Clone()
	b.root = b.client(t)
	b.open(t)
	b.deps = Deps{
		Now: time.Now,
		Services: []Service{{
			Name: "orchestrator", Policies: []string{"orchestrator-policy"}, MongoDB: true,
			Secrets: []Secret{
				{Mount: "secret", Path: "orchestrator/mongodb", Keys: []string{"uri"}},
				{Mount: "secret", Path: "orchestrator/flags", Keys: []string{"a", "b"}},
			},
			Database: &Database{Mount: "database", Role: "temporal-orchestrator", Config: "temporal-db"},
		}},
		Vault: Vault{
			Elevator: &Elevator{New: b.lentClient, Log: slog.New(slog.DiscardHandler), Ways: []Way{{Name: "approle", Login: b.appRole}}},
			Policies: map[string]string{"orchestrator-policy": reviewedPolicy, "another": "path \"x\" {}"},
			DatabaseRoles: []DatabaseRole{{
				Mount: "database", Name: "temporal-orchestrator", DBName: "temporal-db", DefaultTTL: "1h", MaxTTL: "24h0m0s",
				Creation: []string{creationSQL}, Renew: []string{renewSQL}, Revocation: []string{revocationSQL},
			}},
		},
	}
	b.fill(t)
	b.apply(t)
	return b
}

func startVault(t *testing.T) string {
	t.Helper()
	binary := must[string](t)(servers.Find(t.Context(), servers.Vault, func(line string) { t.Log(line) }))
	address := freeAddress(t)
	config := must[[]byte](t)(json.Marshal(map[string]any{
		"storage":       map[string]any{"inmem": map[string]any{}},
		"listener":      map[string]any{"tcp": map[string]any{"address": address, "tls_disable": true}},
		"disable_mlock": true, "log_level": "error", "api_addr": "http://" + address,
	}))
	file := filepath.Join(t.TempDir(), "vault.json")
	check(t, os.WriteFile(file, config, 0o600))
	command := exec.Command(binary, "server", "-config="+file)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return "http://" + address
}

func (b *bench) newClient() (*api.Client, error) {
	client, err := api.NewClient(&api.Config{Address: b.address, Timeout: 10 * time.Second})
	if err == nil {
		client.ClearToken()
	}
	return client, err
}

// lentClient is a client for a privilege: what it asks is kept.
func (b *bench) lentClient() (*api.Client, error) {
	client, err := api.NewClient(&api.Config{Address: b.address, Timeout: 10 * time.Second, HttpClient: &http.Client{Transport: &b.lent}})
	if err == nil {
		client.SetToken("left over") // the elevator is to forget it
	}
	return client, err
}

func (b *bench) client(t *testing.T) *api.Client {
	t.Helper()
	return must[*api.Client](t)(b.newClient())
}

// open initialises and unseals.
func (b *bench) open(t *testing.T) {
	t.Helper()
	await(t, func() error {
		made, err := b.root.Sys().InitWithContext(soon(t), &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
		if err == nil {
			b.share = made.KeysB64[0]
			b.root.SetToken(made.RootToken)
		}
		return err
	})
	b.unseal(t)
}

func (b *bench) unseal(t *testing.T) {
	t.Helper()
	_, err := b.root.Sys().UnsealWithContext(soon(t), b.share)
	check(t, err)
	await(t, func() error {
		health, err := b.root.Sys().HealthWithContext(soon(t))
		if err == nil && (health.Sealed || health.Standby) {
			err = errors.New("not active yet")
		}
		return err
	})
}

func (b *bench) write(t *testing.T, path string, data map[string]any) {
	t.Helper()
	await(t, func() error { // a KV engine just mounted refuses for a moment
		_, err := b.root.Logical().WriteWithContext(soon(t), path, data)
		return err
	})
}

// fill makes what the service has, and the standing identity.
func (b *bench) fill(t *testing.T) {
	t.Helper()
	sys := b.root.Sys()
	check(t, sys.MountWithContext(soon(t), "secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}))
	check(t, sys.MountWithContext(soon(t), "database", &api.MountInput{Type: "database"}))
	check(t, sys.EnableAuthWithOptionsWithContext(soon(t), "approle", &api.MountInput{Type: "approle"}))
	check(t, sys.EnableAuthWithOptionsWithContext(soon(t), "jwt", &api.MountInput{Type: "jwt"}))
	b.put(t, canary+"-1")
	standing := append(Looks(b.deps), Right{Path: "secret/metadata/orchestrator/*", Capabilities: []string{"read"}},
		Right{Path: "secret/subkeys/orchestrator/*", Capabilities: []string{"read"}})
	check(t, sys.PutPolicyWithContext(soon(t), "standing", Policy(standing)))
	b.deps.Vault.Client = b.client(t)
	b.deps.Vault.Client.SetToken(b.token(t, "standing").ClientToken)
}

func (b *bench) token(t *testing.T, policy string) *api.SecretAuth {
	t.Helper()
	secret, err := b.root.Auth().Token().CreateWithContext(soon(t), &api.TokenCreateRequest{Policies: []string{policy}, NoDefaultPolicy: true, TTL: "10m"})
	check(t, err)
	return secret.Auth
}

// put writes a new version of the service's secret with the URI.
func (b *bench) put(t *testing.T, value string) {
	t.Helper()
	b.write(t, "secret/data/orchestrator/mongodb", map[string]any{"data": map[string]any{"uri": "mongodb://u:" + value + "@db"}})
}

// apply makes the remedies' roles, as an operator does with what is printed.
func (b *bench) apply(t *testing.T) {
	t.Helper()
	for _, role := range Roles(b.deps) {
		check(t, b.root.Sys().PutPolicyWithContext(soon(t), role.Name, role.Policy()))
		for _, w := range role.Writes(b.login) {
			b.write(t, w.Path, w.Data)
		}
		secret, err := b.root.Logical().WriteWithContext(soon(t), "auth/approle/role/"+role.Name+"/secret-id", nil)
		check(t, err)
		b.secrets[role.Name], _ = secret.Data["secret_id"].(string)
	}
}

// appRole is a way to log in.
func (b *bench) appRole(ctx context.Context, client *api.Client, role string) (*api.Secret, error) {
	return client.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": role, "secret_id": b.secrets[role]})
}

func (b *bench) remedy(t *testing.T, name string) approvals.Remedy {
	t.Helper()
	for _, r := range All(b.deps) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no remedy is called %s", name)
	return approvals.Remedy{}
}

// plan plans for the service as approvals do, which say the parameters and keep
// the plan in a database, and holds what is true of every plan.
func (b *bench) plan(t *testing.T, remedy string, params map[string]string, seen ...approvals.Observation) approvals.Plan {
	t.Helper()
	want := approvals.Want{Service: "orchestrator", Params: params, Seen: seen}
	r := b.remedy(t, remedy)
	made, err := r.Plan(soon(t), want)
	check(t, err)
	made.Remedy, made.Service, made.Params = r.Name, want.Service, want.Params
	noCanary(t, made)
	if made.Risk != r.Risk {
		t.Errorf("the risk of %s is %s, and of its plan %s", remedy, r.Risk, made.Risk)
	}
	for what, text := range map[string]i18n.Text{"does": made.Does, "blast": made.Blast, "way back": made.WayBack, "title": r.Title, "about": r.About} {
		if text.EN == "" || text.PT == "" {
			t.Errorf("%s of %s is not said in both languages: %+v", what, remedy, text)
		}
	}
	if made.Target == "" || len(made.Calls) == 0 || len(made.Why) == 0 || len(made.Basis) == 0 || len(made.Preconditions) == 0 || len(made.Proof) == 0 {
		t.Errorf("the plan of %s lacks something: %+v", remedy, made)
	}
	b.wantChecks(t, made.Proof)
	var p approvals.Plan
	check(t, json.Unmarshal(must[[]byte](t)(json.Marshal(made)), &p))
	return p
}

// wantRefused holds that no plan is made, and why.
func (b *bench) wantRefused(t *testing.T, remedy string, params map[string]string, why approvals.Why) {
	t.Helper()
	_, err := b.remedy(t, remedy).Plan(soon(t), approvals.Want{Service: "orchestrator", Params: params})
	if got := refusal(t, err); got != why {
		t.Errorf("%s with %v is refused since %v, want %s", remedy, params, err, why)
	}
}

// wantUnmet holds that a plan is made that cannot be carried out.
func (b *bench) wantUnmet(t *testing.T, remedy string, params map[string]string) {
	t.Helper()
	if _, unmet := b.plan(t, remedy, params).Unmet(); !unmet {
		t.Errorf("%s with %v could be carried out", remedy, params)
	}
}

func noCanary(t *testing.T, things ...any) {
	t.Helper()
	for _, thing := range things {
		if text := string(must[[]byte](t)(json.Marshal(thing))); strings.Contains(text, canary) {
			t.Errorf("a secret value is in %s", text)
		}
	}
}

// refusal is why a plan was refused.
func refusal(t *testing.T, err error) approvals.Why {
	t.Helper()
	var r *approvals.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not a refusal: %v", err)
	}
	noCanary(t, r.Detail.EN)
	return r.Why
}

// record is an Act that keeps what it was told.
type record struct {
	Calls, Identities, Results, Said []string
	Errors                           []string
	before                           func(call string)       // may do mischief
	refuse                           func(call string) error // as a kill switch does
	after                            func(call string) error // as a database that is away does
}

func (r *record) Call(ctx context.Context, call, identity string, do func(context.Context) (string, error)) error {
	if r.before != nil {
		r.before(call)
	}
	if r.refuse != nil {
		if err := r.refuse(call); err != nil {
			return err
		}
	}
	result, err := do(ctx)
	r.Calls, r.Identities, r.Results = append(r.Calls, call), append(r.Identities, identity), append(r.Results, result)
	if err != nil {
		var trouble *approvals.Trouble
		if !errors.As(err, &trouble) {
			return fmt.Errorf("nobody may read the error of %s: %w", call, err)
		}
		r.Errors = append(r.Errors, trouble.Text)
	}
	if r.after != nil {
		err = errors.Join(err, r.after(call))
	}
	return err
}

func (r *record) Say(_ context.Context, line i18n.Text) error {
	r.Said = append(r.Said, line.EN)
	return nil
}

// carryOut executes a plan, and holds what is true of every execution: nothing
// secret is said, the privilege was good for the calls that were made and for no
// more, and it is gone.
func (b *bench) carryOut(t *testing.T, p approvals.Plan) *record {
	t.Helper()
	if unmet, ok := p.Unmet(); ok {
		t.Fatalf("it cannot be carried out: %+v", unmet)
	}
	b.lent.take()
	act := b.again(t, p)
	role, made := b.role(t, p.Remedy), b.lent.take()
	if len(made)-1 != role.Uses {
		t.Errorf("the privilege is good for %d calls, and was used for %q", role.Uses, made)
	}
	return act
}

// again executes a plan as after a crash: what is done already is not done twice.
func (b *bench) again(t *testing.T, p approvals.Plan) *record {
	t.Helper()
	act := &record{}
	if err := b.remedy(t, p.Remedy).Execute(soon(t), p, act); err != nil {
		t.Fatalf("%v\n%+v", err, act)
	}
	noCanary(t, act)
	b.wantGivenBack(t, act)
	return act
}

func (b *bench) role(t *testing.T, remedy string) Role {
	t.Helper()
	for _, role := range Roles(b.deps) {
		if role.Remedy == remedy {
			return role
		}
	}
	t.Fatalf("%s has no role", remedy)
	return Role{}
}

// fails executes a plan that goes wrong, and returns what people are told. It is
// always in the remedy's own words, and the privilege is gone all the same.
func (b *bench) fails(t *testing.T, p approvals.Plan, act *record) string {
	t.Helper()
	err := b.remedy(t, p.Remedy).Execute(soon(t), p, act)
	noCanary(t, act)
	return troubleOf(t, err)
}

// troubleOf is the text of an error that people may read.
func troubleOf(t *testing.T, err error) string {
	t.Helper()
	var trouble *approvals.Trouble
	if !errors.As(err, &trouble) {
		t.Fatalf("nobody may read why it failed: %v", err)
	}
	noCanary(t, trouble.Text)
	return trouble.Text
}

// wantGivenBack holds that the token that was used is dead. One whose last use
// is its revocation is good for nothing at once, and forgotten a moment later.
func (b *bench) wantGivenBack(t *testing.T, act *record) {
	t.Helper()
	_, rest, ok := strings.Cut(strings.Join(act.Identities, "\n"), "(accessor ")
	if !ok {
		t.Fatalf("no identity with an accessor in %q", act.Identities)
	}
	accessor, _, _ := strings.Cut(rest, ")")
	await(t, func() error {
		if _, err := b.root.Auth().Token().LookupAccessorWithContext(soon(t), accessor); err == nil {
			return errors.New("the token of the remedy lives on")
		}
		return nil
	})
}
