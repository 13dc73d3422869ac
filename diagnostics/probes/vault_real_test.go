package probes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/servers"
)

// realVault is a Vault server of the true make, with the probes of a bot that
// has the rights which the probes say that they need, and no other.
type realVault struct {
	root   *api.Client
	probes vaultProbes
	share  string // to unseal it
}

// The arguments of all probes in the test below, which give the rights.
var (
	realSecrets = SecretsArgs{Secrets: []diagnostics.Secret{{Mount: "secret", Path: "orchestrator/mongodb", Keys: []string{"uri", "other"}}}}
	realPolicy  = PolicyArgs{Names: []string{"worker-agents-policy"}}
	realLogin   = LoginRoleArgs{Mount: "approle", Role: "worker-agents"}
	realRole    = DatabaseRoleArgs{Mount: "database", Role: "temporal-orchestrator"}
	realConfig  = DatabaseConfigArgs{Mount: "database", Name: "temporal-db", Role: "temporal-orchestrator"}
)

func realGrants() []diagnostics.Grant {
	return slices.Concat(secretsGrants(realSecrets), tokenGrants(TokenArgs{}), accessGrants(AccessArgs{}), policyGrants(realPolicy),
		loginRoleGrants(realLogin), databaseRoleGrants(realRole), databaseConfigGrants(realConfig))
}

// startVault builds Vault when nobody has yet, which takes minutes.
func startVault(t *testing.T) *realVault {
	t.Helper()
	binary, err := servers.Find(t.Context(), servers.Vault, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	address := closedPort(t)
	config, err := json.Marshal(map[string]any{
		"storage":       map[string]any{"inmem": map[string]any{}},
		"listener":      map[string]any{"tcp": map[string]any{"address": address, "tls_disable": true}},
		"disable_mlock": true, "log_level": "error", "api_addr": "http://" + address,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "vault.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "server", "-config="+file)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	v := &realVault{probes: vaultAt(t, "http://"+address)}
	v.root = v.probes.Client
	v.probes.now = time.Now
	v.open(t)
	v.fill(t)
	return v
}

// open initialises and unseals.
func (v *realVault) open(t *testing.T) {
	t.Helper()
	v.root.ClearToken()
	var made *api.InitResponse
	await(t, func() error {
		var err error
		made, err = v.root.Sys().InitWithContext(soon(t), &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
		return err
	})
	v.root.SetToken(made.RootToken)
	v.share = made.KeysB64[0]
	v.unseal(t)
}

func (v *realVault) unseal(t *testing.T) {
	t.Helper()
	if _, err := v.root.Sys().UnsealWithContext(soon(t), v.share); err != nil {
		t.Fatal(err)
	}
	await(t, func() error {
		health, err := v.root.Sys().HealthWithContext(soon(t))
		if err == nil && (health.Sealed || health.Standby) {
			err = errors.New("not active yet")
		}
		return err
	})
}

// fill makes what the probes look at, and the bot.
func (v *realVault) fill(t *testing.T) {
	t.Helper()
	sys := v.root.Sys()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(sys.MountWithContext(soon(t), "secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}))
	check(sys.MountWithContext(soon(t), "database", &api.MountInput{Type: "database"}))
	check(sys.EnableAuthWithOptionsWithContext(soon(t), "approle", &api.MountInput{Type: "approle"}))
	check(sys.PutPolicyWithContext(soon(t), "worker-agents-policy", `path "secret/data/orchestrator/*" { capabilities = ["read"] }`))
	check(sys.PutPolicyWithContext(soon(t), "bot", policyText(realGrants())))
	v.write(t, "auth/approle/role/worker-agents", map[string]any{"token_policies": "worker-agents-policy", "token_ttl": "60s", "token_max_ttl": "600s", "token_no_default_policy": true})
	v.write(t, "database/config/temporal-db", map[string]any{
		"plugin_name": "postgresql-database-plugin", "allowed_roles": "temporal-*", "verify_connection": false,
		"connection_url": "postgres://{{username}}:{{password}}@127.0.0.1:1/x", "username": "u", "password": canary,
	})
	v.write(t, "database/roles/temporal-orchestrator", map[string]any{
		"db_name": "temporal-db", "default_ttl": "60s", "max_ttl": "600s", "creation_statements": `CREATE ROLE "{{name}}"`, "renew_statements": []string{},
	})
	bot := v.makeToken(t, &api.TokenCreateRequest{Policies: []string{"bot"}, NoDefaultPolicy: true, TTL: "10m"})
	client, err := v.root.Clone()
	check(err)
	client.SetToken(bot.ClientToken)
	v.probes.Client, v.probes.grants = client, realGrants
}

// policyText is a policy of grants, and of the two that vault.rights itself
// needs.
func policyText(grants []diagnostics.Grant) string {
	var b strings.Builder
	for _, g := range append(grants, reads("auth/token/lookup-self"), updates("sys/capabilities-self")) {
		fmt.Fprintf(&b, "path %q { capabilities = [%q] }\n", g.Path, g.Capabilities[0])
	}
	return b.String()
}

func (v *realVault) write(t *testing.T, path string, data map[string]any) {
	t.Helper()
	await(t, func() error { // a KV engine just mounted refuses for a moment
		_, err := v.root.Logical().WriteWithContext(soon(t), path, data)
		return err
	})
}

func (v *realVault) makeToken(t *testing.T, request *api.TokenCreateRequest) *api.SecretAuth {
	t.Helper()
	secret, err := v.root.Auth().Token().CreateWithContext(soon(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return secret.Auth
}

func TestRealVault(t *testing.T) {
	v := startVault(t)
	t.Run("health", v.testHealth)
	t.Run("rights", v.testRights)
	t.Run("secrets", v.testSecrets)
	t.Run("token", v.testToken)
	t.Run("configuration", v.testConfiguration)
	t.Run("not there", v.testNotThere)
	t.Run("smaller policy", v.testSmallerPolicy)
	t.Run("dead bot", v.testDeadBot)
	t.Run("sealed", v.testSealed)
}

func (v *realVault) testHealth(t *testing.T) {
	facts, evidence, err := v.probes.health(soon(t), None{})
	seenReal(t, facts, evidence, err)
	node := facts.Nodes[0]
	if facts.Reachable != 1 || facts.Sealed != 0 || facts.Active != 1 || !strings.HasPrefix(node.Version, "1.21") || node.ClockSkew.Abs() > time.Minute {
		t.Errorf("facts are %+v", facts)
	}
}

// seenReal is wantSeen with a clock that runs.
func seenReal(t *testing.T, facts any, evidence []diagnostics.Evidence, err error) {
	t.Helper()
	if err != nil || len(evidence) == 0 {
		t.Fatalf("error %v, evidence %v", err, evidence)
	}
	noCanary(t, facts, evidence)
}

// The rights that the probes declare are all that they need.
func (v *realVault) testRights(t *testing.T) {
	facts, evidence, err := v.probes.rights(soon(t), None{})
	seenReal(t, facts, evidence, err)
	if !facts.Valid || len(facts.Missing) > 0 || facts.TTL <= 0 || !slices.Equal(facts.Policies, []string{"bot"}) {
		t.Errorf("facts are %+v", facts)
	}
}

func (v *realVault) testSecrets(t *testing.T) {
	state := func(want string) SecretState {
		t.Helper()
		facts, evidence, err := v.probes.secrets(soon(t), realSecrets)
		seenReal(t, facts, evidence, err)
		if got := facts.Secrets[0]; got.State != want {
			t.Errorf("the state is %+v, want %s", got, want)
		}
		return facts.Secrets[0]
	}
	state(SecretMissing)
	v.write(t, "secret/data/orchestrator/mongodb", map[string]any{"data": map[string]any{"uri": "mongodb://u:" + canary + "@db", "user": canary}})
	if s := state(SecretPresent); s.Version != 1 || !slices.Equal(s.Keys, []string{"uri", "user"}) || !slices.Equal(s.MissingKeys, []string{"other"}) {
		t.Errorf("version 1 is %+v", s)
	}
	v.write(t, "secret/data/orchestrator/mongodb", map[string]any{"data": map[string]any{"uri": canary, "other": canary}})
	v.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if s := state(SecretDeleted); s.Version != 2 || s.DeletedAt.IsZero() || s.OlderLiveVersion != 1 {
		t.Errorf("version 2 is %+v", s)
	}
	v.write(t, "secret/undelete/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if s := state(SecretPresent); len(s.MissingKeys) != 0 {
		t.Errorf("undeleted, version 2 is %+v", s)
	}
	v.write(t, "secret/destroy/orchestrator/mongodb", map[string]any{"versions": []int{2}})
	if s := state(SecretDestroyed); s.OlderLiveVersion != 1 {
		t.Errorf("destroyed, version 2 is %+v", s)
	}
}

func (v *realVault) testToken(t *testing.T) {
	token := v.makeToken(t, &api.TokenCreateRequest{Policies: []string{"worker-agents-policy"}, NoDefaultPolicy: true, TTL: "60s", ExplicitMaxTTL: "600s"})
	renewer := v.makeToken(t, &api.TokenCreateRequest{Policies: []string{"default"}, TTL: "60s"})
	facts, evidence, err := v.probes.token(soon(t), TokenArgs{Service: "worker", AccessorFile: writeAccessor(t, token.Accessor)})
	seenReal(t, facts, evidence, err)
	if !facts.Found || !facts.Renewable || facts.CanRenewSelf || !facts.HasMaxTTL || facts.MaxTTLLeft <= 9*time.Minute || facts.TTL > time.Minute || facts.IssuedAt.IsZero() || facts.Type != "service" {
		t.Errorf("facts are %+v", facts)
	}
	facts, evidence, err = v.probes.token(soon(t), TokenArgs{Service: "worker", AccessorFile: writeAccessor(t, renewer.Accessor)})
	seenReal(t, facts, evidence, err)
	if !facts.CanRenewSelf || facts.HasMaxTTL {
		t.Errorf("facts of a token with the default policy are %+v", facts)
	}
	args := AccessArgs{Service: "worker", AccessorFile: writeAccessor(t, token.Accessor), Paths: []string{"secret/data/orchestrator/mongodb", "secret/data/other"}}
	access, evidence, err := v.probes.access(soon(t), args)
	seenReal(t, access, evidence, err)
	if !access.Found || !access.Paths[0].CanRead || access.Paths[0].CanUpdate || access.Paths[1].CanRead {
		t.Errorf("access is %+v", access)
	}
	if err := v.root.Auth().Token().RevokeAccessorWithContext(soon(t), token.Accessor); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err = v.probes.token(soon(t), TokenArgs{Service: "worker", AccessorFile: args.AccessorFile})
	seenReal(t, facts, evidence, err)
	access, _, err = v.probes.access(soon(t), args)
	if facts.Found || access.Found || err != nil {
		t.Errorf("of a revoked token: %+v, %+v, %v", facts, access, err)
	}
}

func (v *realVault) testConfiguration(t *testing.T) {
	policies, evidence, err := v.probes.policy(soon(t), realPolicy)
	seenReal(t, policies, evidence, err)
	if !policies.Policies[0].Exists || len(policies.Policies[0].SHA256) != 64 {
		t.Errorf("policies are %+v", policies)
	}
	login, evidence, err := v.probes.loginRole(soon(t), realLogin)
	seenReal(t, login, evidence, err)
	if !login.Exists || login.Type != "approle" || login.TokenTTL != time.Minute || login.TokenMaxTTL != 10*time.Minute || !login.NoDefaultPolicy || !slices.Equal(login.Policies, []string{"worker-agents-policy"}) {
		t.Errorf("the login role is %+v", login)
	}
	role, evidence, err := v.probes.databaseRole(soon(t), realRole)
	seenReal(t, role, evidence, err)
	if want := (DatabaseRole{Exists: true, DBName: "temporal-db", DefaultTTL: time.Minute, MaxTTL: 10 * time.Minute, CreationStatements: true}); role != want {
		t.Errorf("the database role is %+v, want %+v", role, want)
	}
	for name, want := range map[string]Mount{"secret/": {Type: "kv", Version: "2", MaxTTL: 768 * time.Hour}, "database": {Type: "database", MaxTTL: 768 * time.Hour}} {
		mount, evidence, err := v.probes.mount(soon(t), MountArgs{Mount: name})
		seenReal(t, mount, evidence, err)
		if mount != want {
			t.Errorf("the mount %s is %+v, want %+v", name, mount, want)
		}
	}
	config, evidence, err := v.probes.databaseConfig(soon(t), realConfig)
	seenReal(t, config, evidence, err)
	if !config.Exists || !config.AllowsRole || config.Plugin != "postgresql-database-plugin" {
		t.Errorf("the database connection is %+v", config)
	}
}

// Vault tells what is missing from a mount that is missing: the one is a fact,
// the other keeps from seeing.
func (v *realVault) testNotThere(t *testing.T) {
	probes := v.probes
	probes.Client = v.root // who may not read gets 403 for both
	for name, ask := range map[string]func(mount, name string) (any, []diagnostics.Evidence, error){
		"secrets": func(mount, name string) (any, []diagnostics.Evidence, error) {
			facts, evidence, err := probes.secrets(soon(t), SecretsArgs{Secrets: []diagnostics.Secret{{Mount: mount, Path: name}}})
			return len(facts.Secrets) == 1 && facts.Secrets[0].State == SecretMissing, evidence, err
		},
		"login_role": func(mount, name string) (any, []diagnostics.Evidence, error) {
			facts, evidence, err := probes.loginRole(soon(t), LoginRoleArgs{Mount: strings.Replace(mount, "secret", "approle", 1), Role: name})
			return !facts.Exists, evidence, err
		},
		"database_role": func(mount, name string) (any, []diagnostics.Evidence, error) {
			facts, evidence, err := probes.databaseRole(soon(t), DatabaseRoleArgs{Mount: strings.Replace(mount, "secret", "database", 1), Role: name})
			return !facts.Exists, evidence, err
		},
		"database_config": func(mount, name string) (any, []diagnostics.Evidence, error) {
			facts, evidence, err := probes.databaseConfig(soon(t), DatabaseConfigArgs{Mount: strings.Replace(mount, "secret", "database", 1), Name: name, Role: "r"})
			return !facts.Exists, evidence, err
		},
	} {
		missing, evidence, err := ask("secret", "gone")
		seenReal(t, missing, evidence, err)
		if missing != true {
			t.Errorf("%s: what is not there is there", name)
		}
		_, evidence, err = ask("nowhere", "gone")
		wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
	}
	policies, evidence, err := probes.policy(soon(t), PolicyArgs{Names: []string{"gone"}})
	seenReal(t, policies, evidence, err)
	if !slices.Equal(policies.Missing, []string{"gone"}) {
		t.Errorf("policies are %+v", policies)
	}
}

// With a right less, vault.rights names it and its probe is blind.
func (v *realVault) testSmallerPolicy(t *testing.T) {
	smaller := slices.DeleteFunc(realGrants(), func(g diagnostics.Grant) bool { return g.Path == "database/roles/temporal-orchestrator" })
	if err := v.root.Sys().PutPolicyWithContext(soon(t), "bot", policyText(smaller)); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err := v.probes.rights(soon(t), None{})
	seenReal(t, facts, evidence, err)
	if want := []string{"read database/roles/temporal-orchestrator"}; !facts.Valid || !slices.Equal(facts.Missing, want) {
		t.Errorf("facts are %+v, want %q missing", facts, want)
	}
	_, evidence, err = v.probes.databaseRole(soon(t), realRole)
	wantBlind(t, err, evidence, diagnostics.ReasonDenied)
	if next := blindOf(t, err).Next.EN; !strings.Contains(next, `"read" on database/roles/temporal-orchestrator`) {
		t.Errorf("the next step is %s", next)
	}
}

func (v *realVault) testDeadBot(t *testing.T) {
	if err := v.probes.Client.Auth().Token().RevokeSelfWithContext(soon(t), ""); err == nil {
		t.Fatal("the bot may revoke itself")
	}
	if _, err := v.root.Logical().WriteWithContext(soon(t), "auth/token/revoke", map[string]any{"token": v.probes.Client.Token()}); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err := v.probes.rights(soon(t), None{})
	seenReal(t, facts, evidence, err)
	if facts.Valid {
		t.Errorf("facts of a dead bot are %+v", facts)
	}
	_, evidence, err = v.probes.policy(soon(t), realPolicy)
	wantBlind(t, err, evidence, diagnostics.ReasonDenied)
	if next := blindOf(t, err).Next.EN; !strings.Contains(next, "dead") {
		t.Errorf("the next step is %s", next)
	}
}

func (v *realVault) testSealed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := v.root.Sys().SealWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	facts, evidence, err := v.probes.health(soon(t), None{})
	seenReal(t, facts, evidence, err)
	if facts.Reachable != 1 || facts.Sealed != 1 || facts.Active != 0 {
		t.Errorf("facts of a sealed Vault are %+v", facts)
	}
	if n := facts.Nodes[0]; n.SealType != "shamir" || n.UnsealThreshold != 1 || n.UnsealProgress != 0 || n.SealMigration {
		t.Errorf("a sealed node is %+v", n)
	}
	_, evidence, err = v.probes.policy(soon(t), realPolicy)
	wantBlind(t, err, evidence, diagnostics.ReasonUnavailable)
	_, evidence, err = v.probes.rights(soon(t), None{})
	wantBlind(t, err, evidence, diagnostics.ReasonUnavailable)
}
