package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem/diagnostics"
)

// TestPolicyVaultIsEnoughAndLeast holds, with the real Vault, that the policy
// that the bot prints is enough for every check, and that without any one of
// its paths the bot says what it lacks.
func TestPolicyVaultIsEnoughAndLeast(t *testing.T) {
	awaitHealthy(t)
	out := run(t, "policy", "vault")
	if out.code != 0 {
		t.Fatalf("exit %d: %s", out.code, out.stderr)
	}
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	const name = "printed-policy"
	write := func(text string) {
		t.Helper()
		if err := client.Sys().PutPolicyWithContext(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
	}
	write(out.stdout)
	config := configWith(t, `token_file: \S+`, "token_file: "+tokenFile(t, tokenFor(t, name)))
	for service := range lab.State().Services {
		if code, view := diagnoseWith(t, config, service); code != 0 {
			t.Errorf("%s with the printed policy: exit %d\n%s", service, code, notPassing(view))
		}
	}

	block := regexp.MustCompile(`(?ms)^# ([^\n]*)\npath "([^"]+)" \{\n.*?^\}\n`)
	blocks := block.FindAllStringSubmatch(out.stdout, -1)
	if len(blocks) < 8 {
		t.Fatalf("the policy has %d paths:\n%s", len(blocks), out.stdout)
	}
	for _, b := range blocks {
		comment, path := b[1], b[2]
		if path == "auth/token/renew-self" || path == "auth/token/revoke-self" {
			continue // what keeps the bot's own token alive and ends it, which no check needs
		}
		write(strings.Replace(out.stdout, b[0], "", 1))
		needs := regexp.MustCompile(`[A-Z]{3}-[0-9]{3}`).FindAllString(comment, -1)
		if len(needs) == 0 {
			needs = []string{"VLT-003"} // which is about the bot itself
		}
		if !slices.ContainsFunc(needs, func(code string) bool { return unseenBy(t, config, code) }) {
			t.Errorf("without %s, none of %v misses it", path, needs)
		}
	}
}

// unseenBy says whether a check is unknown for some service that it is for.
func unseenBy(t *testing.T, config, code string) bool {
	t.Helper()
	for service := range lab.State().Services {
		_, view := diagnoseWith(t, config, service)
		for _, c := range view.Checks {
			if c.Code == code && c.Status == diagnostics.Unknown {
				return true
			}
		}
	}
	return false
}

// TestStandingIdentityCannotReadSecrets holds that the bot's own token can
// neither read a value nor make a user.
func TestStandingIdentityCannotReadSecrets(t *testing.T) {
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(tokenFor(t, "tandem-diagnose"))
	for _, path := range []string{"secret/data/orchestrator/mongodb", "database/creds/temporal-orchestrator"} {
		capabilities, err := client.Sys().CapabilitiesSelfWithContext(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if len(capabilities) != 1 || capabilities[0] != "deny" {
			t.Errorf("%s: %v", path, capabilities)
		}
	}
}

// TestStandingIdentityCanChangeNothing holds, with the real Vault, that no path
// that a remedy acts on can be changed by the bot as it stands.
func TestStandingIdentityCanChangeNothing(t *testing.T) {
	out := run(t, "policy", "vault", "--remedy", "all", "--output", "json")
	var roles []struct{ Remedy, Policy string }
	if err := json.Unmarshal([]byte(out.stdout), &roles); err != nil || len(roles) < 6 {
		t.Fatalf("exit %d, %d roles, %v\n%s", out.code, len(roles), err, out.stderr)
	}
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(tokenFor(t, "tandem-diagnose"))
	for _, role := range roles {
		for _, found := range regexp.MustCompile(`path "([^"]+)"`).FindAllStringSubmatch(role.Policy, -1) {
			path := found[1]
			if path == "auth/token/revoke-self" {
				continue // everybody may end their own token
			}
			capabilities, err := client.Sys().CapabilitiesSelfWithContext(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range capabilities {
				if c != "deny" && c != "read" && c != "list" {
					t.Errorf("%s: the standing identity may %s on %s", role.Remedy, c, path)
				}
			}
		}
	}
}
