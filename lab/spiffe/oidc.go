package spiffe

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
)

// oidc is the discovery provider: it publishes the JWT authorities to those that are no SPIFFE workloads, like Vault.
type oidc struct {
	authority *authority
	faults    *faultBox
	issuer    func() string

	mu     sync.Mutex
	frozen *bundle // nil while it follows the server
}

// freeze keeps the keys as they are now, or follows the server again.
func (o *oidc) freeze(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !on:
		o.frozen = nil
	case o.frozen == nil:
		o.frozen = o.authority.bundle()
	}
}

// bundle is what it publishes.
func (o *oidc) bundle() *bundle {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.frozen != nil {
		return o.frozen
	}
	return o.authority.bundle()
}

func (o *oidc) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", o.get(o.document))
	mux.HandleFunc("/keys", o.get(func() any { return o.bundle().jwks() }))
	return mux
}

func (o *oidc) document() any {
	return struct {
		Issuer                           string   `json:"issuer"`
		JWKSURI                          string   `json:"jwks_uri"`
		AuthorizationEndpoint            string   `json:"authorization_endpoint"`
		ResponseTypesSupported           []string `json:"response_types_supported"`
		SubjectTypesSupported            []string `json:"subject_types_supported"`
		IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported"`
	}{
		Issuer: o.issuer(), JWKSURI: o.issuer() + "/keys",
		ResponseTypesSupported: []string{"id_token"}, SubjectTypesSupported: []string{},
		IDTokenSigningAlgValuesSupported: []string{"RS256", "ES256", "ES384"},
	}
}

// get answers like SPIRE's provider: GET only, never cached.
func (o *oidc) get(document func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		if o.faults.get().OIDCGarbage {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>\n")
			return
		}
		body, err := json.MarshalIndent(document(), "", "  ")
		if err != nil {
			http.Error(w, "failed to marshal JWKS", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
		w.Header().Set("Pragma", "no-cache")
		w.Header().Set("Expires", "0")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}
