package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/config"
)

// tokenAt is a configuration whose identity is a token in a file.
func tokenAt(t *testing.T, address string) *config.Config {
	t.Helper()
	return &config.Config{Vault: &config.Vault{Address: address, Identity: config.Identity{TokenFile: secretFile(t, canary).File}}}
}

// shell sets the variables that a person's shell may have for another Vault.
func shell(t *testing.T, ca string) {
	t.Helper()
	for name, value := range map[string]string{
		"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_AGENT_ADDR": "http://127.0.0.1:1", "VAULT_PROXY_ADDR": "http://127.0.0.1:1",
		"VAULT_HTTP_PROXY": "http://127.0.0.1:1", "VAULT_TOKEN": "hvs.shell", "VAULT_NAMESPACE": "shell",
		"VAULT_HEADERS": `{"X-Shell": "yes"}`, "VAULT_WRAP_TTL": "60s", "VAULT_SKIP_VERIFY": "true", "VAULT_CACERT": ca,
		"VAULT_TLS_SERVER_NAME": "shell.example.org", "VAULT_CLIENT_TIMEOUT": "1", "VAULT_RATE_LIMIT": "1:1",
		"VAULT_MAX_RETRIES": "9", "VAULT_DISABLE_REDIRECTS": "true", "VAULT_SRV_LOOKUP": "true",
	} {
		t.Setenv(name, value)
	}
}

func tlsVault(t *testing.T) (server *httptest.Server, ca string, headers chan http.Header) {
	t.Helper()
	headers = make(chan http.Header, 10)
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		if r.URL.Path == "/v1/secret/metadata/old" {
			http.Redirect(w, r, "/v1/secret/metadata/x", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte(`{"data":{"ok":true}}`))
	}))
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return server, ca, headers
}

func TestTheShellsVariablesDoNotCount(t *testing.T) {
	server, ca, headers := tlsVault(t)
	shell(t, ca)
	c := tokenAt(t, server.URL)

	id := identityOf(t, c, quiet())
	id.once(t.Context())
	if _, err := id.client.Logical().Read("secret/metadata/x"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("VAULT_SKIP_VERIFY or VAULT_CACERT counts: %v", err)
	}

	c.Vault.CAFile = config.Path(ca)
	id = identityOf(t, c, quiet())
	if token := id.client.Token(); token != "" {
		t.Error("VAULT_TOKEN counts")
	}
	id.once(t.Context())
	if _, err := id.client.Logical().Read("secret/metadata/old"); err != nil {
		t.Fatalf("read: %v", err)
	}
	for range 2 { // the redirect is followed
		got := wait(t, headers, "the request")
		for _, name := range []string{"X-Vault-Namespace", "X-Shell", "X-Vault-Wrap-Ttl"} {
			if value, sent := got[name]; sent {
				t.Errorf("sends %s: %s", name, value)
			}
		}
		if got.Get("X-Vault-Token") != canary || got.Get("X-Vault-Request") != "true" {
			t.Errorf("the token or X-Vault-Request is missing")
		}
	}
	if id.client.Limiter() != nil || id.client.MaxRetries() != 0 || id.client.ClientTimeout() != loginTimeout || id.client.SRVLookup() {
		t.Error("a limit, retries, the timeout or SRV of the shell counts")
	}
}

func TestTheNamespaceOfTheConfigurationIsSent(t *testing.T) {
	t.Setenv("VAULT_NAMESPACE", "shell")
	c := tokenAt(t, "http://127.0.0.1:1")
	c.Vault.Namespace = "platform"
	if got := identityOf(t, c, quiet()).client.Namespace(); got != "platform" {
		t.Errorf("namespace %q", got)
	}
}

func TestVariablesThatNobodyCanReadAreNamed(t *testing.T) {
	for name, value := range map[string]string{
		"VAULT_SKIP_VERIFY": "CANARY", "VAULT_CACERT": "/CANARY", "VAULT_HEADERS": "CANARY", "VAULT_PROXY_ADDR": "http://u:CANARY@h:x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := newIdentity(tokenAt(t, "http://127.0.0.1:1"), nil, quiet())
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCAFilesThatHaveNoCertificate(t *testing.T) {
	for file, want := range map[string]string{
		"/nonexistent.pem":                   "vault.ca_file: open /nonexistent.pem: no such file",
		string(secretFile(t, "no PEM").File): "vault.ca_file: no certificate in",
	} {
		c := tokenAt(t, "https://127.0.0.1:1")
		c.Vault.CAFile = config.Path(file)
		if _, err := newIdentity(c, nil, quiet()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
