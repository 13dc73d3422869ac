package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"

	"tandem/approvals/remedies"
	"tandem/config"
	"tandem/diagnostics"
)

// remedyDeps are what the remedies of a configuration work with. Clients that are
// not there make the remedies that need them say so.
func remedyDeps(c *config.Config, log *slog.Logger, now func() time.Time, services []diagnostics.Target) (remedies.Deps, error) {
	deps := remedies.Deps{Now: now}
	for _, t := range services {
		deps.Services = append(deps.Services, remediable(t, c.Services[t.Name]))
	}
	if c.Remedies == nil {
		return deps, nil
	}
	var errs []error
	deps.Vault.Policies, errs = reviewedPolicies(c.Remedies.Policies)
	deps.Vault.DatabaseRoles = databaseRoles(c.Remedies.DatabaseRoles)
	deps.SPIRE = spireDeps(c)
	deps.EndToEnd = endToEnd(c.Remedies.EndToEnd)
	deps.Kubernetes = accountsOf(c)
	if c.Remedies.Vault != nil && c.Vault != nil {
		deps.Vault.Elevator = elevator(c, log)
	}
	return deps, errors.Join(errs...)
}

// accountsOf is where the accounts of the remedies are, without any client.
func accountsOf(c *config.Config) remedies.Kubernetes {
	if c.Remedies == nil || c.Remedies.Kubernetes == nil {
		return remedies.Kubernetes{}
	}
	return remedies.Kubernetes{Namespace: c.Remedies.Kubernetes.Namespace, Account: c.Remedies.Kubernetes.Account}
}

// remediable is what may be touched of a service.
func remediable(t diagnostics.Target, c *config.Service) remedies.Service {
	s := remedies.Service{Name: t.Name, Policies: t.Login.Policies, SPIFFEID: t.SPIFFEID, MongoDB: c.MongoDB != nil}
	for _, secret := range t.Secrets {
		s.Secrets = append(s.Secrets, remedies.Secret(secret))
	}
	if d := c.Database; d != nil {
		s.Database = &remedies.Database{Mount: d.Mount, Role: d.Role, Config: d.Config}
	}
	s.Workload = workload(c.Workload)
	if c.Peer != nil {
		s.Peer = c.Peer.Name
	}
	return s
}

func workload(c *config.Workload) *remedies.Workload {
	if c == nil {
		return nil
	}
	w := remedies.Workload(*c)
	return &w
}

// reviewedPolicies reads the texts that policies may be made to be.
func reviewedPolicies(files map[config.VaultName]config.Path) (map[string]string, []error) {
	texts, errs := map[string]string{}, []error(nil)
	for name, file := range files {
		text, err := os.ReadFile(string(file))
		if err != nil {
			errs = append(errs, &setupError{fmt.Errorf("remedies.policies.%s: %w: expected the reviewed text of the policy", name, err)})
			continue
		}
		texts[string(name)] = string(text)
	}
	return texts, errs
}

func databaseRoles(roles map[config.VaultName]*config.DatabaseRole) []remedies.DatabaseRole {
	var all []remedies.DatabaseRole
	for name, r := range roles {
		all = append(all, remedies.DatabaseRole{
			Mount: r.Mount, Name: string(name), DBName: r.DBName, DefaultTTL: r.DefaultTTL.String(), MaxTTL: r.MaxTTL.String(),
			Creation: r.Creation, Renew: r.Renew, Revocation: r.Revocation, Rollback: r.Rollback,
		})
	}
	return all
}

func spireDeps(c *config.Config) remedies.SPIRE {
	var s remedies.SPIRE
	if c.SPIFFE != nil {
		s.Server = string(c.SPIFFE.ServerAddress)
	}
	r := c.Remedies.SPIRE
	if r == nil {
		return s
	}
	s.Admin, s.AgentSet, s.ServerSet = string(r.AdminAddress), workload(r.Agents), workload(r.Server)
	for _, e := range r.Entries {
		s.Entries = append(s.Entries, remedies.Entry{
			SPIFFEID: e.SPIFFEID, ParentID: e.ParentID, Selectors: e.Selectors, JWTTTL: e.JWTSVIDTTL, X509TTL: e.X509SVIDTTL,
			DNSNames: e.DNSNames, Hint: e.Hint,
		})
	}
	return s
}

func endToEnd(c *config.EndToEnd) remedies.EndToEnd {
	var e remedies.EndToEnd
	switch {
	case c == nil:
	case c.Job != nil:
		e.Job = &remedies.Job{
			Namespace: c.Job.Namespace, Image: c.Job.Image, ServiceAccount: c.Job.ServiceAccount,
			Args: c.Job.Args, Env: plainEnv(c.Job.Env), Deadline: c.Job.Deadline,
		}
	case c.Command != nil:
		e.Command = &remedies.Command{
			Path: string(c.Command.Path), Args: c.Command.Args, Dir: string(c.Command.Dir), Env: plainEnv(c.Command.Env),
			JUnit: string(c.Command.JUnit), Deadline: c.Command.Deadline,
		}
	}
	return e
}

func plainEnv(env map[config.EnvName]string) map[string]string {
	all := map[string]string{}
	for name, value := range env {
		all[string(name)] = value
	}
	return all
}

// elevator logs in to the roles of the remedies, each time with a client of its
// own: the standing identity's has another token.
func elevator(c *config.Config, log *slog.Logger) *remedies.Elevator {
	e := &remedies.Elevator{Log: log, New: func() (*api.Client, error) {
		transport, err := vaultTransport(c.Vault.CAFile)
		if err != nil {
			return nil, err
		}
		return vaultClient(c.Vault, transport)
	}}
	l := c.Remedies.Vault
	if l.JWTSVID != nil {
		e.Ways = append(e.Ways, elevated("jwt_svid", func(role string) loginWay {
			return byJWTSVID(&config.JWTSVID{Mount: l.JWTSVID.Mount, Role: role, Audience: l.JWTSVID.Audience}, string(c.SPIFFE.WorkloadAPISocket))
		}))
	}
	if l.AppRole != nil {
		e.Ways = append(e.Ways, elevated("approle", func(role string) loginWay { return bySecretID(l.AppRole, role) }))
	}
	if l.Kubernetes != nil {
		e.Ways = append(e.Ways, elevated("kubernetes", func(role string) loginWay {
			return byKubernetes(&config.Kubernetes{Mount: l.Kubernetes.Mount, Role: role, TokenFile: l.Kubernetes.TokenFile})
		}))
	}
	return e
}

// elevated is a way to log in to the role of any remedy.
func elevated(name string, to func(role string) loginWay) remedies.Way {
	return remedies.Way{Name: name, Login: func(ctx context.Context, client *api.Client, role string) (*api.Secret, error) {
		return to(role).login(ctx, client)
	}}
}

// bySecretID logs in to a remedy's role, whose name is its role id, too.
func bySecretID(c *config.RemedyAppRole, role string) loginWay {
	return loginWay{name: "approle", login: func(ctx context.Context, client *api.Client) (*api.Secret, error) {
		file := config.Path(filepath.Join(string(c.SecretIDs), role))
		secret, err := config.FileRef(file, "remedies.vault.approle.secret_ids").Read()
		if err != nil {
			return nil, unreadable(err, diagnostics.Both("give the bot a secret id: vault write -f auth/"+c.Mount+"/role/"+role+"/secret-id",
				"dê ao bot um secret id: vault write -f auth/"+c.Mount+"/role/"+role+"/secret-id"))
		}
		auth, err := approle.NewAppRoleAuth(role, &approle.SecretID{FromString: secret.Reveal()}, approle.WithMountPath(c.Mount))
		if err != nil {
			return nil, errors.New("the secret id is empty")
		}
		return auth.Login(ctx, client)
	}}
}

// loginsOf are the ways to log in, as the roles are made for them.
func loginsOf(c *config.RemedyLogin) remedies.Login {
	var l remedies.Login
	if c == nil {
		return l
	}
	if j := c.JWTSVID; j != nil {
		l.JWT = &remedies.JWTLogin{Mount: j.Mount, Audience: j.Audience, Subject: j.Subject}
	}
	if a := c.AppRole; a != nil {
		l.AppRole = &remedies.AppRoleLogin{Mount: a.Mount}
	}
	if k := c.Kubernetes; k != nil {
		l.Kubernetes = &remedies.KubernetesLogin{Mount: k.Mount, Namespace: k.Namespace, ServiceAccount: k.ServiceAccount}
	}
	return l
}
