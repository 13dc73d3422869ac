package remedies

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/api"
)

// deed is one call that changes something, or reads what is secret.
type deed struct {
	method, path string
	body         map[string]any
}

func (d deed) String() string { return d.method + " " + d.path + " " + jsonOf(d.body) }

// deedsOf are the calls of each remedy, as they are made.
func (b *bench) deedsOf(t *testing.T) map[string][]deed {
	t.Helper()
	auth := b.aged(t)
	reviewed := b.deps.Vault.DatabaseRoles[0].data()
	revoke := deed{"PUT", revokeLease, revocation("database/creds/temporal-orchestrator/abc")}
	return map[string][]deed{
		"kv-undelete":         {{"PUT", "secret/undelete/orchestrator/mongodb", map[string]any{"versions": []int{1}}}},
		"kv-rollback":         {{"GET", "secret/data/orchestrator/mongodb", nil}, {"PUT", "secret/data/orchestrator/mongodb", map[string]any{"options": map[string]any{"cas": 99}, "data": map[string]any{}}}},
		"token-renew":         {{"PUT", renewAccessor, renewal(auth.Accessor, "3600s")}},
		"policy-fix":          {{"PUT", policyPath("orchestrator-policy"), map[string]any{"policy": reviewedPolicy}}},
		"database-role-write": {{"PUT", "database/roles/temporal-orchestrator", reviewed}, {"GET", "database/creds/temporal-orchestrator", nil}, revoke},
		"lease-revoke":        {revoke},
	}
}

// nobodys are calls that no remedy may make.
func (b *bench) nobodys() []deed {
	another := b.deps.Vault.DatabaseRoles[0].data()
	another["creation_statements"] = []string{creationSQL, "GRANT ALL"}
	empty := b.deps.Vault.DatabaseRoles[0].data()
	empty["rollback_statements"] = []string{"DROP DATABASE x"}
	return []deed{
		{"PUT", policyPath("orchestrator-policy"), map[string]any{"policy": `path "*" { capabilities = ["sudo"] }`}},
		{"PUT", policyPath("another"), map[string]any{"policy": reviewedPolicy}},
		{"PUT", policyPath("tandem-policy-fix"), map[string]any{"policy": reviewedPolicy}},
		{"DELETE", policyPath("orchestrator-policy"), nil},
		{"PUT", "database/roles/temporal-orchestrator", another},
		{"PUT", "database/roles/temporal-orchestrator", empty},
		{"PUT", "database/roles/another", b.deps.Vault.DatabaseRoles[0].data()},
		{"DELETE", "database/roles/temporal-orchestrator", nil},
		{"GET", "database/creds/another", nil},
		{"PUT", "database/rotate-root/temporal-db", nil},
		{"PUT", revokeLease, revocation("database/creds/another/abc")},
		{"PUT", revokeLease, revocation("auth/approle/login/abc")},
		{"PUT", "sys/leases/revoke-prefix/database/creds/temporal-orchestrator", nil},
		{"PUT", "sys/leases/revoke-force/database/creds/temporal-orchestrator", nil},
		{"PUT", revokeLease + "/database/creds/temporal-orchestrator/abc", nil},
		{"GET", "secret/data/orchestrator/another", nil},
		{"PUT", "secret/data/orchestrator/another", map[string]any{"data": map[string]any{}}},
		{"DELETE", "secret/data/orchestrator/mongodb", nil},
		{"PUT", "secret/destroy/orchestrator/mongodb", map[string]any{"versions": []int{1}}},
		{"DELETE", "secret/metadata/orchestrator/mongodb", nil},
		{"PUT", "auth/token/create", map[string]any{"policies": []string{"root"}}},
		{"PUT", "auth/token/revoke-accessor", map[string]any{"accessor": "x"}},
		{"PUT", "auth/approle/role/tandem-kv-undelete", map[string]any{"token_policies": []string{"root"}}},
		{"PUT", "sys/seal", nil},
	}
}

// refused says whether a token may not do it. Any other answer, even an error,
// means that it may.
func (b *bench) refused(t *testing.T, token string, d deed) bool {
	t.Helper()
	client := b.client(t)
	client.SetToken(token)
	client.SetMaxRetries(0)
	request := client.NewRequest(d.method, "/v1/"+d.path)
	if d.body != nil {
		check(t, request.SetJSONBody(d.body))
	}
	response, err := client.RawRequestWithContext(soon(t), request) //nolint:staticcheck // the only way to make any call
	if response != nil {
		defer response.Body.Close()
	}
	var answer *api.ResponseError
	if err != nil && !errors.As(err, &answer) {
		t.Fatal(err)
	}
	return answer != nil && answer.StatusCode == http.StatusForbidden
}

func TestRightsOnRealVault(t *testing.T) {
	b := startBench(t)
	b.connectDatabase(t)
	b.write(t, "database/roles/temporal-orchestrator", b.deps.Vault.DatabaseRoles[0].data())
	b.put(t, canary)
	deeds := b.deedsOf(t)
	t.Run("the standing identity changes nothing", func(t *testing.T) {
		for _, d := range slices.Concat(slices.Concat(slices.Collect(maps.Values(deeds))...), b.nobodys()) {
			if !b.refused(t, b.deps.Vault.Client.Token(), d) {
				t.Errorf("it may %s", d)
			}
		}
	})
	for _, role := range Roles(b.deps) {
		t.Run(role.Name, func(t *testing.T) {
			if len(deeds[role.Remedy]) == 0 {
				t.Fatal("its calls are not tried")
			}
			b.testOwnDeedsAlone(t, role, deeds)
			b.testUses(t, role)
		})
	}
	if len(Roles(b.deps)) != len(deeds) {
		t.Errorf("%d roles, and the calls of %d", len(Roles(b.deps)), len(deeds))
	}
}

// testOwnDeedsAlone holds that a role lets its remedy do what it must, and
// nothing of another.
func (b *bench) testOwnDeedsAlone(t *testing.T, role Role, deeds map[string][]deed) {
	token := b.token(t, role.Name).ClientToken
	var own []string
	for _, d := range deeds[role.Remedy] {
		own = append(own, d.String())
		if b.refused(t, token, d) {
			t.Errorf("it may not %s", d)
		}
	}
	for _, d := range slices.Concat(slices.Concat(slices.Collect(maps.Values(deeds))...), b.nobodys()) {
		if !slices.Contains(own, d.String()) && !b.refused(t, token, d) {
			t.Errorf("it may %s", d)
		}
	}
}

// testUses holds that Vault itself counts the calls.
func (b *bench) testUses(t *testing.T, role Role) {
	client := b.client(t)
	secret, err := b.appRole(soon(t), client, role.Name)
	check(t, err)
	client.SetToken(secret.Auth.ClientToken)
	client.SetMaxRetries(0)
	if secret.Auth.LeaseDuration > int(maxTTL.Seconds()) || !slices.Equal(secret.Auth.Policies, []string{role.Name}) || secret.Auth.Renewable && role.MaxTTL != maxTTL {
		t.Errorf("the privilege is %d s, %q", secret.Auth.LeaseDuration, secret.Auth.Policies)
	}
	for n := range role.Uses + 1 {
		_, err := client.Logical().ReadWithContext(soon(t), "auth/token/lookup-self") // no right of the role's: it counts all the same
		if got, want := dead(err), n == role.Uses; got != want {
			t.Errorf("after %d of %d calls it is dead: %t (%v)", n, role.Uses, got, err)
		}
	}
}

func TestMerged(t *testing.T) {
	got := merged([]Right{
		{Path: "b", Capabilities: []string{"update"}, Allowed: map[string][]any{"x": {"1"}, "y": nil, "z": {"3"}}},
		{Path: "a", Capabilities: []string{"read"}},
		{Path: "b", Capabilities: []string{"read", "update"}, Allowed: map[string][]any{"x": {"2"}, "y": {"1"}}},
		{Path: "a", Capabilities: []string{"update"}, Allowed: map[string][]any{"x": {"1"}}},
	})
	want := []Right{
		{Path: "a", Capabilities: []string{"read", "update"}},
		{Path: "b", Capabilities: []string{"read", "update"}, Allowed: map[string][]any{"x": {"1", "2"}, "y": nil, "z": {"3"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestContract holds what the catalogue, the configuration and operators write
// against, with nothing configured: nothing may be touched then.
func TestContract(t *testing.T) {
	got := map[string]string{}
	for _, make := range vaultRemedies {
		r := make(Deps{})
		said := string(r.Risk)
		for _, p := range r.Params {
			said += " " + p.Name
			if p.Required {
				said += "!"
			}
			if p.About.EN == "" || p.About.PT == "" {
				t.Errorf("%s of %s is not said in both languages", p.Name, r.Name)
			}
		}
		if r.Procedure {
			said += ", a procedure"
		}
		got[r.Name] = said
		if !r.Repeatable || len(r.rights)+len(r.looks) > 0 {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]string{
		"kv-undelete": "low mount path", "kv-rollback": "medium mount path version", "kv-write": "medium mount path keys", "token-renew": "low accessor",
		"policy-fix": "medium policy", "database-role-write": "medium mount role, a procedure", "lease-revoke": "high lease!",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if roles := Roles(Deps{}); roles != nil {
		t.Errorf("there are the roles %+v", roles)
	}
}

func TestKubernetesLogin(t *testing.T) {
	role := Role{Name: "tandem-x", Uses: 2, MaxTTL: maxTTL}
	got := role.Writes(Login{Kubernetes: &KubernetesLogin{Mount: "kubernetes/", Namespace: "tandem", ServiceAccount: "bot"}})
	want := []Write{{Path: "auth/kubernetes/role/tandem-x", Data: map[string]any{
		"bound_service_account_names": []string{"bot"}, "bound_service_account_namespaces": []string{"tandem"},
		"token_policies": []string{"tandem-x"}, "token_no_default_policy": true, "token_type": "service",
		"token_ttl": 300, "token_explicit_max_ttl": 300, "token_num_uses": 2,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestScript runs what is printed by a real shell, with a vault command that
// hands what it is given to a real Vault.
func TestScript(t *testing.T) {
	b := startBench(t)
	b.jwtWay(t)
	for _, role := range Roles(b.deps) { // nothing is applied yet
		check(t, b.root.Sys().DeletePolicyWithContext(soon(t), role.Name))
		_, err := b.root.Logical().DeleteWithContext(soon(t), "auth/approle/role/"+role.Name)
		check(t, err)
	}
	login := Login{AppRole: &AppRoleLogin{Mount: "approle"}, JWT: &JWTLogin{Mount: "jwt", Audience: audience, Subject: botID}}
	for _, role := range Roles(b.deps) {
		b.runScript(t, role.Script(login))
		policy, err := b.root.Sys().GetPolicyWithContext(soon(t), role.Name)
		check(t, err)
		if strings.TrimSpace(policy) != role.Policy() {
			t.Errorf("the policy is %s", policy)
		}
		for mount, binding := range map[string]string{"jwt": "bound_subject", "approle": "bind_secret_id"} {
			b.wantNarrow(t, "auth/"+mount+"/role/"+role.Name, role, binding)
		}
		var manifest Manifest
		check(t, json.Unmarshal(must[[]byte](t)(json.Marshal(role.Manifest(login))), &manifest))
		if manifest.Role != role.Name || manifest.Policy != role.Policy() || len(manifest.Writes) != 3 {
			t.Errorf("as data it is %+v", manifest)
		}
	}
}

// wantNarrow holds that a role is stored as it was meant.
func (b *bench) wantNarrow(t *testing.T, path string, role Role, binding string) {
	t.Helper()
	secret, err := b.root.Logical().ReadWithContext(soon(t), path)
	check(t, err)
	got := map[string]any{}
	want := map[string]any{
		"token_policies": []any{role.Name}, "token_no_default_policy": true, "token_type": "service", binding: true,
		"token_ttl": json.Number("300"), "token_explicit_max_ttl": json.Number("300"), "token_num_uses": json.Number(jsonOf(role.Uses)),
	}
	if binding == "bound_subject" {
		want[binding] = botID
	}
	for name := range want {
		got[name] = secret.Data[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}

// standIn is a vault command that writes down what it is given.
const standIn = `#!/bin/sh
n=$(ls "$GIVEN" | wc -l)
{ printf '%s\n' "$#" "$@"; cat; } > "$GIVEN/$(printf %03d "$n")"
`

// runScript runs it, and makes the calls that the commands mean.
func (b *bench) runScript(t *testing.T, script string) {
	t.Helper()
	bin, given := t.TempDir(), t.TempDir()
	check(t, os.WriteFile(filepath.Join(bin, "vault"), []byte(standIn), 0o755))
	shell := exec.Command("/bin/sh", "-eu")
	shell.Stdin, shell.Env = strings.NewReader(script), []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "GIVEN=" + given}
	if out, err := shell.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	for _, file := range must[[]string](t)(filepath.Glob(filepath.Join(given, "*"))) {
		b.obey(t, must[[]byte](t)(os.ReadFile(file)))
	}
}

func (b *bench) obey(t *testing.T, given []byte) {
	t.Helper()
	lines := bytes.Split(given, []byte("\n"))
	switch string(lines[0]) {
	case "4": // vault policy write NAME -
		if string(lines[1]) != "policy" || string(lines[2]) != "write" || string(lines[4]) != "-" {
			t.Fatalf("not a command: %s", given)
		}
		check(t, b.root.Sys().PutPolicyWithContext(soon(t), string(lines[3]), string(bytes.Join(lines[5:], []byte("\n")))))
	case "3": // vault write PATH -
		if string(lines[1]) != "write" || string(lines[3]) != "-" {
			t.Fatalf("not a command: %s", given)
		}
		var data map[string]any
		check(t, json.Unmarshal(bytes.Join(lines[4:], []byte("\n")), &data))
		b.write(t, string(lines[2]), data)
	default:
		t.Fatalf("not a command: %s", given)
	}
}

// TestHereDocument holds that a text goes through a shell as it is.
func TestHereDocument(t *testing.T) {
	for _, text := range []string{"a", "a\nEOF\nb", "EOF\nEOF_", "$HOME `id` \\ 'q' \"q\"", "", "${x}\n\n"} {
		out, err := exec.Command("/bin/sh", "-c", hereDocument("cat", text)).CombinedOutput()
		if want := strings.TrimSuffix(text, "\n") + "\n"; err != nil || string(out) != want {
			t.Errorf("%q comes out as %q: %v", text, out, err)
		}
	}
	for _, words := range [][]string{{"a", "it's", "$HOME", ""}, {"a b", "*", "-x=`id`", "\n"}} {
		out, err := exec.Command("/bin/sh", "-c", "for w in "+shell(words...)+"; do printf '%s|' \"$w\"; done").CombinedOutput()
		if want := strings.Join(words, "|") + "|"; err != nil || string(out) != want {
			t.Errorf("%q comes out as %q: %v", words, out, err)
		}
	}
}

// wantChecks holds that the checks that prove a plan are in the catalogue.
func (b *bench) wantChecks(t *testing.T, codes []string) {
	t.Helper()
	for _, code := range codes {
		if found := must[[]string](t)(filepath.Glob("../../diagnostics/catalog/" + code + "-*.yaml")); len(found) != 1 {
			t.Errorf("there is no check %s", code)
		}
	}
}
