package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"

	"tandem/config"
)

// vaultClient makes a client from the configuration alone. Variables like
// VAULT_TOKEN and VAULT_SKIP_VERIFY are for the shell of a person: here they
// would make the bot ask as somebody else, or trust anybody.
func vaultClient(c *config.Vault, transport http.RoundTripper) (*api.Client, error) {
	client, err := api.NewClient(&api.Config{
		Address: c.Address,
		Timeout: loginTimeout,
		HttpClient: &http.Client{
			Transport: transport,
			// The library follows redirects itself, with the token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	if err != nil {
		return nil, &setupError{noVaultClient(err)}
	}
	// NewClient of vault/api v1.23.0 takes these from the environment, whatever
	// its configuration says.
	client.ClearToken()
	client.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	client.SetWrappingLookupFunc(func(string, string) string { return "" })
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	return client, nil
}

// noVaultClient names the variables that can be the cause: NewClient reads them
// all, and fails for one that it cannot read even though none of them counts.
// Its text can repeat the password of a proxy, and is left out.
func noVaultClient(err error) error {
	var set []string
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "VAULT_") && value != "" {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return fmt.Errorf("vault.address: %w", err)
	}
	return fmt.Errorf("vault: a variable of the environment cannot be read: unset what is wrong of %s; "+
		"the bot takes nothing from them, only from the configuration", strings.Join(set, ", "))
}

// vaultTransport trusts the certificates of a file, or the system's without one.
func vaultTransport(caFile config.Path) (*http.Transport, error) {
	transport := ownTransport()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(string(caFile))
	if err != nil {
		return nil, &setupError{fmt.Errorf("vault.ca_file: %w: expected a PEM file with the certificates that Vault's listener is trusted by", err)}
	}
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, &setupError{fmt.Errorf("vault.ca_file: no certificate in %s: expected PEM, with -----BEGIN CERTIFICATE-----", caFile)}
	}
	return transport, nil
}
