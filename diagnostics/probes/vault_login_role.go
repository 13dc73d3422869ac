package probes

import (
	"context"
	"fmt"
	"strings"
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

// loginRoleGrants leaves the mount's configuration out where it has no keys'
// address: rights that are not needed are not asked for.
func loginRoleGrants(args LoginRoleArgs) []diagnostics.Grant {
	grants := []diagnostics.Grant{reads(loginRolePath(args))}
	if strings.Contains(args.Mount, "kubernetes") || strings.Contains(args.Mount, "approle") {
		return grants
	}
	return append(grants, reads(below(authMount(args.Mount), "config")))
}

// authMount is where Vault keeps an auth method.
func authMount(mount string) string { return "auth/" + strings.Trim(mount, "/") }

func loginRolePath(args LoginRoleArgs) string {
	return below(authMount(args.Mount), "role", args.Role)
}

// loginRoleData is what the auth methods tell of a role, all in one.
type loginRoleData struct {
	RoleType        *string  `json:"role_type"` // of jwt
	BoundSubject    string   `json:"bound_subject"`
	BoundAudiences  []string `json:"bound_audiences"`
	BoundAccounts   []string `json:"bound_service_account_names"` // of kubernetes
	BoundNamespaces []string `json:"bound_service_account_namespaces"`
	BindSecretID    *bool    `json:"bind_secret_id"` // of approle
	Policies        []string `json:"token_policies"`
	TokenTTL        seconds  `json:"token_ttl"`
	TokenMaxTTL     seconds  `json:"token_max_ttl"`
	NoDefaultPolicy bool     `json:"token_no_default_policy"`
}

func (d loginRoleData) kind() string {
	switch {
	case d.RoleType != nil:
		return "jwt"
	case d.BoundAccounts != nil:
		return "kubernetes"
	case d.BindSecretID != nil:
		return "approle"
	}
	return ""
}

func (v vaultProbes) loginRole(ctx context.Context, args LoginRoleArgs) (LoginRole, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	var data loginRoleData
	q := vaultQuestion{path: loginRolePath(args), mount: authMount(args.Mount), show: v.command("read", loginRolePath(args))}
	found, err := v.read(ctx, t, q, &data)
	if err != nil || !found {
		return LoginRole{}, t.list, err
	}
	facts := LoginRole{
		Exists:          true,
		Type:            data.kind(),
		BoundSubject:    clean(data.BoundSubject, maxDetail),
		BoundAudiences:  cleanAll(data.BoundAudiences),
		BoundAccounts:   cleanAll(data.BoundAccounts),
		BoundNamespaces: cleanAll(data.BoundNamespaces),
		Policies:        cleanAll(data.Policies),
		TokenTTL:        data.TokenTTL.duration(),
		TokenMaxTTL:     data.TokenMaxTTL.duration(),
		NoDefaultPolicy: data.NoDefaultPolicy,
	}
	t.add(q.show, "%s", facts.words())
	if facts.Type == "jwt" {
		facts.JWKSURL, err = v.jwksURL(ctx, t, args.Mount)
	}
	return facts, t.list, err
}

func (f LoginRole) words() string {
	bound := fmt.Sprintf("subject %q, audiences %s", f.BoundSubject, list(f.BoundAudiences))
	if f.Type == "kubernetes" {
		bound = fmt.Sprintf("service accounts %s of namespaces %s", list(f.BoundAccounts), list(f.BoundNamespaces))
	}
	return fmt.Sprintf("bound to %s; policies %s; ttl %s, at most %s", bound, list(f.Policies), f.TokenTTL, f.TokenMaxTTL)
}

// jwksURL is where the mount takes its keys from. The rest of the mount's
// configuration is not decoded.
func (v vaultProbes) jwksURL(ctx context.Context, t *trail, mount string) (string, error) {
	var config struct {
		JWKSURL string `json:"jwks_url"`
	}
	path := below(authMount(mount), "config")
	q := vaultQuestion{path: path, mount: authMount(mount), show: v.command("read", "-field=jwks_url", path)}
	found, err := v.read(ctx, t, q, &config)
	if err != nil || !found {
		return "", err
	}
	url := clean(config.JWKSURL, maxDetail)
	t.add(q.show, "%s", list(nonEmpty(url)))
	return url, nil
}
