package e2e

import (
	"regexp"
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

	block := regexp.MustCompile(`(?m)^path "([^"]+)" \{[^}]*\}\n`)
	blocks := block.FindAllStringSubmatch(out.stdout, -1)
	if len(blocks) < 8 {
		t.Fatalf("the policy has %d paths:\n%s", len(blocks), out.stdout)
	}
	for _, b := range blocks {
		if b[1] == "auth/token/renew-self" || b[1] == "auth/token/revoke-self" {
			continue // what keeps the bot's own token alive and ends it, which no check needs
		}
		write(strings.Replace(out.stdout, b[0], "", 1))
		code, view := diagnoseWith(t, config, "orchestrator", "--check", "VLT-003")
		if got := check(t, view, "VLT-003"); got.Status != diagnostics.Unknown || code != 3 {
			t.Errorf("without %s: exit %d, %s %s", b[1], code, got.Status, got.Summary)
		}
	}
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
