package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// LoginRoleArgs name a role of an auth method.
type LoginRoleArgs struct {
	Mount string `cel:"mount"` // like jwt or kubernetes
	Role  string `cel:"role"`
}

// LoginRole is a role of an auth method. All but Exists is zero when there is
// no such role.
type LoginRole struct {
	Exists          bool          `cel:"exists"`
	Type            string        `cel:"type"` // jwt, kubernetes, approle or ""
	BoundSubject    string        `cel:"bound_subject"`
	BoundAudiences  []string      `cel:"bound_audiences"`
	BoundAccounts   []string      `cel:"bound_accounts"`   // Kubernetes service accounts
	BoundNamespaces []string      `cel:"bound_namespaces"` // Kubernetes namespaces
	Policies        []string      `cel:"policies"`
	TokenTTL        time.Duration `cel:"token_ttl"`
	TokenMaxTTL     time.Duration `cel:"token_max_ttl"`
	NoDefaultPolicy bool          `cel:"no_default_policy"`
	JWKSURL         string        `cel:"jwks_url"` // of the mount, when jwt
}

func loginRoleGrants(args LoginRoleArgs) []diagnostics.Grant { return nil }

func (v vaultProbes) loginRole(ctx context.Context, args LoginRoleArgs) (LoginRole, []diagnostics.Evidence, error) {
	return LoginRole{}, nil, notReady()
}
