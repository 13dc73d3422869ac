package probes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

// everyVaultProbe are the probes that ask Vault as the bot, each with arguments
// that make it ask.
func everyVaultProbe(v vaultProbes, accessorFile string) map[string]func(t *testing.T) (any, []diagnostics.Evidence, error) {
	v.grants = func() []diagnostics.Grant { return []diagnostics.Grant{reads("a/b")} }
	return map[string]func(t *testing.T) (any, []diagnostics.Evidence, error){
		"rights": func(t *testing.T) (any, []diagnostics.Evidence, error) { return wrap(v.rights(soonOr(t), None{})) },
		"secrets": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.secrets(soonOr(t), SecretsArgs{Secrets: []diagnostics.Secret{{Mount: "secret", Path: "a"}}}))
		},
		"token": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.token(soonOr(t), TokenArgs{Service: "worker", AccessorFile: accessorFile}))
		},
		"access": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.access(soonOr(t), AccessArgs{Service: "worker", AccessorFile: accessorFile, Paths: []string{"a/b"}}))
		},
		"policy": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.policy(soonOr(t), PolicyArgs{Names: []string{"p"}}))
		},
		"login_role": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.loginRole(soonOr(t), LoginRoleArgs{Mount: "jwt", Role: "r"}))
		},
		"mount": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.mount(soonOr(t), MountArgs{Mount: "secret"}))
		},
		"database_role": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.databaseRole(soonOr(t), DatabaseRoleArgs{Mount: "database", Role: "r"}))
		},
		"database_config": func(t *testing.T) (any, []diagnostics.Evidence, error) {
			return wrap(v.databaseConfig(soonOr(t), DatabaseConfigArgs{Mount: "database", Name: "n", Role: "r"}))
		},
	}
}

func wrap[F any](facts F, evidence []diagnostics.Evidence, err error) (any, []diagnostics.Evidence, error) {
	return facts, evidence, err
}

// soonOr is a short time for the servers that never answer, which the name of
// the test says.
func soonOr(t *testing.T) context.Context {
	if strings.Contains(t.Name(), "slow") {
		return short(t)
	}
	return soon(t)
}

func writeAccessor(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "accessor")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at.Add(-time.Minute), at.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	return file
}

// Bad weather makes every probe blind, and none healthy.
func TestVaultInBadWeather(t *testing.T) {
	file := writeAccessor(t, "accessor0123456789")
	jsonError := func(text string) string { return `{"errors":["` + text + ` hvs.` + canary + `"]}` }
	weather := map[string]struct {
		handler http.HandlerFunc
		want    diagnostics.Reason
	}{
		"html":        {answer(200, htmlPage), diagnostics.ReasonGarbage},
		"html 404":    {answer(404, htmlPage), diagnostics.ReasonGarbage},
		"html 403":    {answer(403, htmlPage), diagnostics.ReasonGarbage},
		"login page":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, diagnostics.ReasonGarbage},
		"other json":  {answer(200, `{"hello":"world"}`), diagnostics.ReasonGarbage},
		"other 404":   {answer(404, `{"message":"no such route"}`), diagnostics.ReasonGarbage},
		"other data":  {answer(200, `{"data":"`+canary+`"}`), diagnostics.ReasonGarbage},
		"empty":       {answer(200, ``), diagnostics.ReasonGarbage},
		"binary":      {answer(200, "\x00\x01"), diagnostics.ReasonGarbage},
		"sealed":      {answer(503, jsonError("Vault is sealed")), diagnostics.ReasonUnavailable},
		"no leader":   {answer(500, jsonError("local node not active but active cluster node not found")), diagnostics.ReasonUnavailable},
		"proxy":       {answer(502, htmlPage), diagnostics.ReasonUnavailable},
		"quota":       {answer(429, jsonError("request path rate limit exceeded")), diagnostics.ReasonThrottled},
		"quota html":  {answer(429, htmlPage), diagnostics.ReasonThrottled},
		"bad request": {answer(400, jsonError("unsupported path")), diagnostics.ReasonError},
		"slow":        {never, diagnostics.ReasonTimeout},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"data":{`)
		}, ""},
	}
	for name, w := range weather {
		t.Run(name, func(t *testing.T) {
			server := serve(t, w.handler)
			for probe, ask := range everyVaultProbe(vaultAt(t, server.URL), file) {
				t.Run(probe, func(t *testing.T) {
					facts, evidence, err := ask(t)
					if w.want == "" {
						if err == nil {
							t.Fatalf("saw %+v", facts)
						}
						return
					}
					wantBlind(t, err, evidence, w.want)
				})
			}
		})
	}
}

func TestVaultDenied(t *testing.T) {
	file := writeAccessor(t, "accessor0123456789")
	server := serve(t, answer(403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`))
	for probe, ask := range everyVaultProbe(vaultAt(t, server.URL), file) {
		if probe == "rights" {
			continue
		}
		t.Run(probe, func(t *testing.T) {
			_, evidence, err := ask(t)
			wantBlind(t, err, evidence, diagnostics.ReasonDenied)
			if next := blindOf(t, err).Next.EN; !strings.Contains(next, "bot policy vault") || !strings.Contains(next, "on ") {
				t.Errorf("the next step does not name the right and where to get it: %s", next)
			}
		})
	}
}

func TestVaultRefusedAndNotConfigured(t *testing.T) {
	file := writeAccessor(t, "accessor0123456789")
	for probe, ask := range everyVaultProbe(vaultAt(t, "http://"+closedPort(t)), file) {
		t.Run(probe, func(t *testing.T) {
			_, evidence, err := ask(t)
			wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
		})
	}
	for probe, ask := range everyVaultProbe(vaultProbes{now: now}, file) {
		t.Run(probe+" not configured", func(t *testing.T) {
			_, evidence, err := ask(t)
			wantBlind(t, err, evidence, diagnostics.ReasonNotConfigured)
		})
	}
}

// A standby sends the client to the active node, with its token; anybody else
// who redirects does not get it.
func TestVaultFollowsAStandbyOnly(t *testing.T) {
	var got string
	active := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("X-Vault-Token")
		answer(200, `{"data":{"policy":"x"}}`)(w, r)
	})
	for status, want := range map[int]string{http.StatusTemporaryRedirect: "hvs." + canary, http.StatusFound: ""} {
		standby := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, active.URL+r.URL.Path, status)
		})
		got = ""
		_, _, err := vaultAt(t, standby.URL).policy(soon(t), PolicyArgs{Names: []string{"p"}})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("status %d: the token sent on is %q, want %q; error %v", status, got, want, err)
		}
	}
}

// 429 and 5xx are told at once: the client's own retries would hide them.
func TestVaultIsAskedOnce(t *testing.T) {
	var asked int
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		answer(503, `{"errors":["Vault is sealed"]}`)(w, r)
	})
	_, evidence, err := vaultAt(t, server.URL).policy(soon(t), PolicyArgs{Names: []string{"p"}})
	wantBlind(t, err, evidence, diagnostics.ReasonUnavailable)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestVaultNamespaceAndTokenOfTheClient(t *testing.T) {
	var namespace, token string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		namespace, token = r.Header.Get("X-Vault-Namespace"), r.Header.Get("X-Vault-Token")
		answer(404, `{"errors":[]}`)(w, r)
	})
	v := vaultAt(t, server.URL)
	v.CLIAddr = server.URL
	v.Client.SetNamespace("team a")
	v.Client.SetToken("newer") // as after a new login
	facts, evidence, err := v.policy(soon(t), PolicyArgs{Names: []string{"p"}})
	wantSeen(t, facts, evidence, err)
	if namespace != "team a" || token != "newer" {
		t.Errorf("asked with namespace %q and token %q", namespace, token)
	}
	if want := "VAULT_ADDR=" + server.URL + " VAULT_NAMESPACE='team a' vault policy read p"; evidence[0].Invocation != want {
		t.Errorf("the command is %s, want %s", evidence[0].Invocation, want)
	}
}

func TestVaultRights(t *testing.T) {
	grants := []diagnostics.Grant{reads("secret/metadata/a"), reads("secret/subkeys/a"), updates("sys/x"), reads("secret/metadata/a")}
	lookup := `200 {"data":{"ttl":3600,"policies":["tandem-diagnose"],"id":"hvs.` + canary + `"}}`
	capabilities := func(a, b, c string) string {
		return `200 {"data":{"secret/metadata/a":["` + a + `"],"secret/subkeys/a":["` + b + `"],"sys/x":["` + c + `"]}}`
	}
	denied, dead := `403 {"errors":["permission denied"]}`, `403 {"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}`
	for name, c := range map[string]struct {
		lookup, capabilities string
		want                 Rights
	}{
		"all":           {lookup, capabilities("read", "read", "update"), Rights{Valid: true, TTL: time.Hour, Policies: []string{"tandem-diagnose"}}},
		"root":          {lookup, capabilities("root", "root", "root"), Rights{Valid: true, TTL: time.Hour, Policies: []string{"tandem-diagnose"}}},
		"some":          {lookup, capabilities("read", "deny", "read"), Rights{Valid: true, TTL: time.Hour, Policies: []string{"tandem-diagnose"}, Missing: []string{"read secret/subkeys/a", "update sys/x"}}},
		"dead":          {dead, dead, Rights{}},
		"dead halfway":  {lookup, dead, Rights{TTL: time.Hour, Policies: []string{"tandem-diagnose"}}},
		"no lookup":     {denied, capabilities("read", "read", "update"), Rights{Valid: true, Missing: []string{"read auth/token/lookup-self"}}},
		"no capability": {lookup, denied, Rights{Valid: true, TTL: time.Hour, Policies: []string{"tandem-diagnose"}, Missing: []string{"update sys/capabilities-self"}}},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaultAt(t, serve(t, paths(map[string]string{"/v1/auth/token/lookup-self": c.lookup, "/v1/sys/capabilities-self": c.capabilities})).URL)
			v.grants = func() []diagnostics.Grant { return grants }
			facts, evidence, err := v.rights(soon(t), None{})
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVaultSecrets(t *testing.T) {
	metadata := func(current int, versions string) string {
		return `200 {"data":{"current_version":` + string(rune('0'+current)) + `,"updated_time":"2026-03-01T11:00:00.5Z","custom_metadata":{"note":"` + canary + `"},"versions":{` + versions + `}}}`
	}
	live, deleted, destroyed, doomed := `{"deletion_time":"","destroyed":false}`, `{"deletion_time":"2026-03-01T11:30:00Z","destroyed":false}`, `{"deletion_time":"","destroyed":true}`, `{"deletion_time":"2026-03-02T11:30:00Z","destroyed":false}`
	keys := `200 {"data":{"metadata":{"version":3},"subkeys":{"user":null,"url":null}}}`
	updated := time.Date(2026, 3, 1, 11, 0, 0, 5e8, time.UTC)
	for name, c := range map[string]struct {
		metadata, subkeys string
		want              SecretState
	}{
		"never written":    {`404 {"errors":[]}`, "", SecretState{State: "missing"}},
		"no version":       {metadata(0, ``), "", SecretState{State: "missing"}},
		"present":          {metadata(3, `"1":`+live+`,"2":`+deleted+`,"3":`+live), keys, SecretState{State: "present", Version: 3, UpdatedAt: updated, Keys: []string{"url", "user"}, MissingKeys: []string{"uri"}, OlderLiveVersion: 1}},
		"deleted":          {metadata(3, `"1":`+live+`,"2":`+live+`,"3":`+deleted), keys, SecretState{State: "deleted", Version: 3, UpdatedAt: updated, DeletedAt: time.Date(2026, 3, 1, 11, 30, 0, 0, time.UTC), OlderLiveVersion: 2}},
		"destroyed":        {metadata(2, `"1":`+destroyed+`,"2":`+destroyed), keys, SecretState{State: "destroyed", Version: 2, UpdatedAt: updated}},
		"deleted tomorrow": {metadata(1, `"1":`+doomed), keys, SecretState{State: "present", Version: 1, UpdatedAt: updated, Keys: []string{"url", "user"}, MissingKeys: []string{"uri"}}},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaultAt(t, serve(t, paths(map[string]string{"/v1/secret/metadata/a/b": c.metadata, "/v1/secret/subkeys/a/b": c.subkeys})).URL)
			facts, evidence, err := v.secrets(soon(t), SecretsArgs{Secrets: []diagnostics.Secret{{Mount: "secret/", Path: "a/b", Keys: []string{"user", "uri"}}}})
			wantSeen(t, facts, evidence, err)
			c.want.Mount, c.want.Path = "secret/", "a/b"
			if diff := cmp.Diff(Secrets{Secrets: []SecretState{c.want}}, facts); diff != "" {
				t.Error(diff)
			}
			if got, want := evidence[0].Invocation, "vault kv metadata get -mount=secret a/b"; got != want {
				t.Errorf("the command is %s, want %s", got, want)
			}
		})
	}
}

// A mount that Vault does not have says nothing of what would be in it.
func TestVaultMountsThatAreNotThere(t *testing.T) {
	file := writeAccessor(t, "accessor0123456789")
	v := vaultAt(t, serve(t, answer(404, `{"errors":["no handler for route \"x/y\". route entry not found."]}`)).URL)
	for probe, ask := range everyVaultProbe(v, file) {
		t.Run(probe, func(t *testing.T) {
			_, evidence, err := ask(t)
			want := diagnostics.ReasonNotConfigured
			if slices.Contains([]string{"rights", "token", "access", "policy"}, probe) { // their mounts are Vault's own
				want = diagnostics.ReasonError
			}
			wantBlind(t, err, evidence, want)
			if len(evidence) == 0 {
				t.Error("no evidence")
			}
		})
	}
	_, _, err := v.databaseRole(soon(t), DatabaseRoleArgs{Mount: "/team a/postgres/", Role: "r"})
	if next, want := blindOf(t, err).Next.EN, `compare the mount "team a/postgres" in the bot's configuration with the output of: vault secrets list`; next != want {
		t.Errorf("the next step is %s, want %s", next, want)
	}
	_, _, err = v.loginRole(soon(t), LoginRoleArgs{Mount: "oidc", Role: "r"})
	if next, want := blindOf(t, err).Next.EN, `compare the mount "oidc" in the bot's configuration with the output of: vault auth list`; next != want {
		t.Errorf("the next step is %s, want %s", next, want)
	}
}

// Any other reason than a missing mount is no absence, either.
func TestVaultNotFoundForAnotherReasonIsBlind(t *testing.T) {
	v := vaultAt(t, serve(t, answer(404, `{"errors":["namespace not found"]}`)).URL)
	_, evidence, err := v.databaseRole(soon(t), DatabaseRoleArgs{Mount: "database", Role: "r"})
	wantBlind(t, err, evidence, diagnostics.ReasonError)
}

// Metadata without key names says nothing of the keys.
func TestVaultSecretsWithoutSubkeysAreBlind(t *testing.T) {
	v := vaultAt(t, serve(t, paths(map[string]string{"/v1/secret/metadata/a": `200 {"data":{"current_version":1,"versions":{"1":{}}}}`})).URL)
	_, evidence, err := v.secrets(soon(t), SecretsArgs{Secrets: []diagnostics.Secret{{Mount: "secret", Path: "a"}}})
	wantBlind(t, err, evidence, diagnostics.ReasonNoData)
}

func TestVaultToken(t *testing.T) {
	lookup := `200 {"data":{"accessor":"accessor0123456789","id":"","ttl":1200,"explicit_max_ttl":7200,"period":0,"issue_time":"2026-03-01T11:00:00Z","renewable":true,"orphan":true,"type":"service","policies":["worker-agents-policy"],"meta":{"role":"` + canary + `"}}}`
	want := Token{
		Found: true, Tokens: 1, Accessor: "accessor0123456789", AccessorFrom: "file", AccessorAt: at.Add(-time.Minute), TTL: 20 * time.Minute, ExplicitMaxTTL: 2 * time.Hour, HasMaxTTL: true,
		MaxTTLLeft: time.Hour, Renewable: true, Type: "service", Policies: []string{"worker-agents-policy"}, Orphan: true, IssuedAt: at.Add(-time.Hour),
	}
	renewable := want
	renewable.CanRenewSelf = true
	gone := Token{Tokens: 1, Dead: 1, Accessor: "accessor0123456789", AccessorFrom: "file", AccessorAt: at.Add(-time.Minute)}
	diesBetween := want
	diesBetween.Found, diesBetween.Dead = false, 1
	for name, c := range map[string]struct {
		lookup, capabilities string
		want                 Token
	}{
		"may renew":      {lookup, `200 {"data":{"auth/token/renew-self":["update"],"capabilities":["update"]}}`, renewable},
		"may not renew":  {lookup, `200 {"data":{"auth/token/renew-self":["deny"]}}`, want},
		"gone, by 403":   {`403 {"errors":["1 error occurred:\n\t* invalid accessor\n\n"]}`, "", gone},
		"gone, by 400":   {`400 {"errors":["invalid accessor"]}`, "", gone},
		"gone, by 404":   {`404 {"errors":["invalid accessor"]}`, "", gone},
		"dies in middle": {lookup, `400 {"errors":["invalid accessor"]}`, diesBetween},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaultAt(t, serve(t, paths(map[string]string{"/v1/auth/token/lookup-accessor": c.lookup, "/v1/sys/capabilities-accessor": c.capabilities})).URL)
			facts, evidence, err := v.token(soon(t), TokenArgs{Service: "worker", AccessorFile: writeAccessor(t, "accessor0123456789")})
			wantSeen(t, facts, evidence, err)
			if diff := cmp.Diff(c.want, facts); diff != "" {
				t.Error(diff)
			}
			for _, e := range evidence {
				if strings.Contains(e.Invocation+e.Observed, "accessor0123456789") {
					t.Errorf("the accessor itself is in the evidence: %+v", e)
				}
			}
		})
	}
}

func TestVaultTokenWithoutAccessor(t *testing.T) {
	v := vaultAt(t, serve(t, answer(500, "")).URL)
	for name, c := range map[string]struct {
		file string
		logs LogSource
		want diagnostics.Reason
	}{
		"nowhere":    {"", nil, diagnostics.ReasonNotConfigured},
		"no file":    {filepath.Join(t.TempDir(), "none"), nil, diagnostics.ReasonNoData},
		"no event":   {"", fakeLogs{page: LogPage{Lines: 1}}, diagnostics.ReasonNoData},
		"logs blind": {"", fakeLogs{err: blindStatus("GET", "Loki", 503, nil)}, diagnostics.ReasonUnavailable},
		"a token":    {writeAccessor(t, "hvs."+canary), nil, diagnostics.ReasonGarbage},
		"a page":     {writeAccessor(t, htmlPage), nil, diagnostics.ReasonGarbage},
		"empty":      {writeAccessor(t, ""), nil, diagnostics.ReasonGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			v.logs = c.logs
			_, evidence, err := v.token(soon(t), TokenArgs{Service: "worker", AccessorFile: c.file})
			wantBlind(t, err, evidence, c.want)
		})
	}
}

func TestVaultAccess(t *testing.T) {
	server := serve(t, paths(map[string]string{"/v1/sys/capabilities-accessor": `200 {"data":{"secret/data/a":["read","list"],"sys/b":["deny"],"sys/c":["root"]}}`}))
	facts, evidence, err := vaultAt(t, server.URL).access(soon(t), AccessArgs{AccessorFile: writeAccessor(t, "accessor0123456789"), Paths: []string{"secret/data/a", "sys/b", "sys/c"}})
	wantSeen(t, facts, evidence, err)
	want := Access{Found: true, Tokens: 1, Paths: []PathAccess{
		{Path: "secret/data/a", Capabilities: []string{"read", "list"}, CanRead: true},
		{Path: "sys/b", Capabilities: []string{"deny"}},
		{Path: "sys/c", Capabilities: []string{"root"}, CanRead: true, CanUpdate: true},
	}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
}

func TestVaultPolicy(t *testing.T) {
	server := serve(t, paths(map[string]string{"/v1/sys/policies/acl/there": `200 {"data":{"name":"there","policy":"path \"` + canary + `\" {}"}}`}))
	facts, evidence, err := vaultAt(t, server.URL).policy(soon(t), PolicyArgs{Names: []string{"gone", "there"}})
	wantSeen(t, facts, evidence, err)
	if !slices.Equal(facts.Missing, []string{"gone"}) || facts.Policies[0].Exists || !facts.Policies[1].Exists || len(facts.Policies[1].SHA256) != 64 {
		t.Errorf("facts are %+v", facts)
	}
}

func TestVaultLoginRole(t *testing.T) {
	answers := map[string]string{
		"/v1/auth/jwt/role/worker":        `200 {"data":{"role_type":"jwt","bound_subject":"spiffe://x/y","bound_audiences":["vault"],"token_policies":["p"],"token_ttl":60,"token_max_ttl":1440,"token_no_default_policy":true}}`,
		"/v1/auth/jwt/config":             `200 {"data":{"jwks_url":"http://oidc/keys","oidc_client_secret":"` + canary + `"}}`,
		"/v1/auth/kubernetes/role/worker": `200 {"data":{"bound_service_account_names":["sa"],"bound_service_account_namespaces":["ns"],"token_policies":["p"],"token_ttl":0,"token_max_ttl":0}}`,
		"/v1/auth/approle/role/worker":    `200 {"data":{"bind_secret_id":true,"token_policies":null}}`,
	}
	v := vaultAt(t, serve(t, paths(answers)).URL)
	for mount, want := range map[string]LoginRole{
		"jwt":        {Exists: true, Type: "jwt", BoundSubject: "spiffe://x/y", BoundAudiences: []string{"vault"}, Policies: []string{"p"}, TokenTTL: time.Minute, TokenMaxTTL: 24 * time.Minute, NoDefaultPolicy: true, JWKSURL: "http://oidc/keys"},
		"kubernetes": {Exists: true, Type: "kubernetes", BoundAccounts: []string{"sa"}, BoundNamespaces: []string{"ns"}, Policies: []string{"p"}},
		"approle":    {Exists: true, Type: "approle"},
		"other":      {},
	} {
		facts, evidence, err := v.loginRole(soon(t), LoginRoleArgs{Mount: mount, Role: "worker"})
		wantSeen(t, facts, evidence, err)
		if diff := cmp.Diff(want, facts); diff != "" {
			t.Errorf("%s: %s", mount, diff)
		}
	}
	if n := len(loginRoleGrants(LoginRoleArgs{Mount: "kubernetes", Role: "r"})); n != 1 {
		t.Errorf("a Kubernetes role takes %d rights, want 1", n)
	}
}

func TestVaultDatabase(t *testing.T) {
	v := vaultAt(t, serve(t, paths(map[string]string{
		"/v1/database/roles/r":   `200 {"data":{"db_name":"temporal-db","default_ttl":60,"max_ttl":1440,"creation_statements":["CREATE ROLE ` + canary + `"],"renew_statements":[""],"revocation_statements":[]}}`,
		"/v1/database/config/db": `200 {"data":{"plugin_name":"postgresql-database-plugin","allowed_roles":["temp*"],"verify_connection":true,"connection_details":{"connection_url":"postgres://u:` + canary + `@db/x"}}}`,
	})).URL)
	role, evidence, err := v.databaseRole(soon(t), DatabaseRoleArgs{Mount: "database", Role: "r"})
	wantSeen(t, role, evidence, err)
	if want := (DatabaseRole{Exists: true, DBName: "temporal-db", DefaultTTL: time.Minute, MaxTTL: 24 * time.Minute, CreationStatements: true}); role != want {
		t.Errorf("the role is %+v, want %+v", role, want)
	}
	for name, allowed := range map[string]bool{"temporal-orchestrator": true, "other": false} {
		config, evidence, err := v.databaseConfig(soon(t), DatabaseConfigArgs{Mount: "database", Name: "db", Role: name})
		wantSeen(t, config, evidence, err)
		want := DatabaseConfig{Exists: true, Plugin: "postgresql-database-plugin", AllowedRoles: []string{"temp*"}, Verify: true, AllowsRole: allowed}
		if diff := cmp.Diff(want, config); diff != "" {
			t.Error(diff)
		}
	}
	gone, evidence, err := v.databaseRole(soon(t), DatabaseRoleArgs{Mount: "database", Role: "gone"})
	wantSeen(t, gone, evidence, err)
	if gone.Exists {
		t.Error("a role that is not there exists")
	}
}

func TestVaultHealth(t *testing.T) {
	health := func(sealed, standby string) http.HandlerFunc {
		return answer(503, `{"initialized":true,"sealed":`+sealed+`,"standby":`+standby+`,"version":"1.21.4","cluster_name":"c","server_time_utc":1772366490}`)
	}
	active, standby, sealed := serve(t, health("false", "false")), serve(t, health("false", "true")), serve(t, health("true", "true"))
	page, slow := serve(t, answer(200, htmlPage)), serve(t, never)
	refused := "http://" + closedPort(t)
	v := vaultAt(t, active.URL)

	v.Nodes = []string{active.URL, standby.URL + "/", sealed.URL, refused, page.URL, slow.URL}
	facts, evidence, err := v.health(short(t), None{})
	wantSeen(t, facts, evidence, err)
	if facts.Reachable != 3 || facts.Sealed != 1 || facts.Active != 1 {
		t.Errorf("facts are %+v", facts)
	}
	var problems []string
	for _, n := range facts.Nodes {
		problems = append(problems, n.Problem)
	}
	if want := []string{"", "", "", "refused", "not_vault", "timeout"}; !slices.Equal(problems, want) {
		t.Errorf("problems are %q, want %q", problems, want)
	}
	if skew := facts.Nodes[0].ClockSkew; skew != 90*time.Second {
		t.Errorf("the clock is %s off, want 90s", skew)
	}

	for name, c := range map[string]struct {
		nodes []string
		want  diagnostics.Reason // "": facts
	}{
		"all refused":       {[]string{refused}, ""},
		"all silent":        {[]string{slow.URL}, diagnostics.ReasonTimeout},
		"all pages":         {[]string{page.URL}, diagnostics.ReasonGarbage},
		"refused or silent": {[]string{refused, slow.URL}, diagnostics.ReasonTimeout},
		"no such name":      {[]string{"http://nowhere.invalid:1"}, diagnostics.ReasonUnreachable},
		"not a URL":         {[]string{"http://a b"}, diagnostics.ReasonError},
	} {
		t.Run(name, func(t *testing.T) {
			v.Nodes = c.nodes
			facts, evidence, err := v.health(short(t), None{})
			if c.want != "" {
				wantBlind(t, err, evidence, c.want)
				return
			}
			wantSeen(t, facts, evidence, err)
			if facts.Reachable != 0 || len(facts.Nodes) != len(c.nodes) {
				t.Errorf("facts are %+v", facts)
			}
		})
	}
}

// Nodes that have peers say whom they follow, and how far.
func TestVaultHealthOfPeers(t *testing.T) {
	var nodes []string
	for i := range 3 {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/sys/leader" {
				answer(200, `{"initialized":true,"sealed":false,"version":"1.21.4"}`)(w, r)
				return
			}
			if i == 2 {
				answer(500, `{"errors":["local node not active"]}`)(w, r)
				return
			}
			fmt.Fprintf(w, `{"ha_enabled":true,"leader_address":"https://vault-0:8200","raft_applied_index":%d}`, 100+i)
		})
		nodes = append(nodes, server.URL)
	}
	v := vaultAt(t, nodes[0])
	v.Nodes = nodes
	facts, evidence, err := v.health(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	for i, want := range []Node{{Leader: "https://vault-0:8200", RaftApplied: 100}, {Leader: "https://vault-0:8200", RaftApplied: 101}, {}} {
		if n := facts.Nodes[i]; !n.Reachable || n.Leader != want.Leader || n.RaftApplied != want.RaftApplied {
			t.Errorf("node %d is %+v", i, n)
		}
	}
	if len(evidence) != 6 {
		t.Errorf("evidence %+v", evidence)
	}
}

// No token goes to a node that is asked for its health.
func TestVaultHealthWithoutToken(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != "" {
			t.Error("the token was sent")
		}
		answer(200, `{"initialized":true,"sealed":false}`)(w, r)
	})
	facts, evidence, err := vaultAt(t, server.URL).health(soon(t), None{})
	wantSeen(t, facts, evidence, err)
}

func TestVaultHealthOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(200, "{}"))
	server.Config.ErrorLog = discardLog()
	server.StartTLS()
	t.Cleanup(server.Close)
	_, evidence, err := vaultAt(t, server.URL).health(soon(t), None{})
	wantBlind(t, err, evidence, diagnostics.ReasonUnreachable)
}

// What a node says beside its health: its certificate, and what it waits for.
func TestVaultHealthTellsTheRest(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/sys/seal-status" {
			answer(200, `{"type":"awskms","sealed":true,"t":3,"progress":2,"migration":true}`)(w, r)
			return
		}
		answer(503, `{"initialized":true,"sealed":true,"standby":true,"ha_connection_healthy":false,"removed_from_cluster":true}`)(w, r)
	}))
	t.Cleanup(server.Close)
	v := vaultAt(t, server.URL)
	if err := v.Client.SetAddress(server.URL); err != nil {
		t.Fatal(err)
	}
	v.Client.CloneConfig().HttpClient.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	facts, evidence, err := v.health(soon(t), None{})
	wantSeen(t, facts, evidence, err)
	got := facts.Nodes[0]
	want := Node{
		Address: got.Address, Reachable: true, Initialized: true, Sealed: true, Standby: true,
		CertificateIssuedAt: server.Certificate().NotBefore.UTC(), CertificateExpiresAt: server.Certificate().NotAfter.UTC(), ForwardingBroken: true, Removed: true,
		SealType: "awskms", SealMigration: true, UnsealProgress: 2, UnsealThreshold: 3,
	}
	if got != want {
		t.Errorf("the node is %+v, want %+v", got, want)
	}
}

func TestSkewBelowASecondIsNone(t *testing.T) {
	for off, want := range map[time.Duration]time.Duration{
		0: 0, -900 * time.Millisecond: 0, -3 * time.Second: -3 * time.Second, 90 * time.Second: 90 * time.Second,
	} {
		if got := skew(at.Add(off), at); got != want {
			t.Errorf("%s off is a skew of %s, want %s", off, got, want)
		}
	}
}
