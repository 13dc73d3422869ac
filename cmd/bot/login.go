package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"

	"tandem/config"
	"tandem/diagnostics"
)

// wayOf returns the way to log in that the configuration chooses.
func wayOf(c *config.Config) loginWay {
	id := c.Vault.Identity
	switch {
	case id.AppRole != nil:
		return byAppRole(id.AppRole)
	case id.JWTSVID != nil:
		return byJWTSVID(id.JWTSVID, string(c.SPIFFE.WorkloadAPISocket))
	case id.Kubernetes != nil:
		return byKubernetes(id.Kubernetes)
	default:
		return byTokenFile(id.TokenFile)
	}
}

// byTokenFile takes a token that somebody else keeps alive.
func byTokenFile(file config.Path) loginWay {
	return loginWay{name: "token_file", borrowed: true, login: func(context.Context, *api.Client) (*api.Secret, error) {
		token, err := config.FileRef(file, "vault.identity.token_file").Read()
		if err != nil {
			return nil, unreadable(err, diagnostics.Both("write a token for the bot into that file; its policy: bot policy vault", "grave um token para o bot nesse arquivo; a política dele: bot policy vault"))
		}
		return &api.Secret{Auth: &api.SecretAuth{ClientToken: token.Reveal()}}, nil
	}}
}

func byAppRole(c *config.AppRole) loginWay {
	return loginWay{name: "approle", login: func(ctx context.Context, client *api.Client) (*api.Secret, error) {
		role, err := c.RoleID.Read()
		if err != nil {
			return nil, unreadable(err, diagnostics.Both("give the bot its role id", "dê ao bot o role id dele"))
		}
		secret, err := c.SecretID.Read()
		if err != nil {
			return nil, unreadable(err, diagnostics.Both("give the bot a secret id: vault write -f auth/approle/role/ROLE/secret-id", "dê ao bot um secret id: vault write -f auth/approle/role/ROLE/secret-id"))
		}
		auth, err := approle.NewAppRoleAuth(role.Reveal(), &approle.SecretID{FromString: secret.Reveal()}, approle.WithMountPath(c.Mount))
		if err != nil {
			return nil, errors.New("the role id or secret id is empty")
		}
		return auth.Login(ctx, client)
	}}
}

func byKubernetes(c *config.Kubernetes) loginWay {
	return loginWay{name: "kubernetes", login: func(ctx context.Context, client *api.Client) (*api.Secret, error) {
		token, err := config.FileRef(c.TokenFile, "vault.identity.kubernetes.token_file").Read()
		if err != nil {
			return nil, unreadable(err, diagnostics.Both("run the bot in a pod with a service account, or choose another identity", "rode o bot em um pod com uma service account, ou escolha outra identidade"))
		}
		auth, err := kubernetes.NewKubernetesAuth(c.Role, kubernetes.WithServiceAccountToken(token.Reveal()), kubernetes.WithMountPath(c.Mount))
		if err != nil {
			return nil, errors.New("the role is empty")
		}
		return auth.Login(ctx, client)
	}}
}

// byJWTSVID logs in with the bot's SPIFFE identity, fetched anew each time.
func byJWTSVID(c *config.JWTSVID, socket string) loginWay {
	return loginWay{name: "jwt_svid", login: func(ctx context.Context, client *api.Client) (*api.Secret, error) {
		svid, err := fetchSVID(ctx, socket, c.Audience)
		if err != nil {
			return nil, err
		}
		return client.Logical().WriteWithContext(ctx, "auth/"+c.Mount+"/login", map[string]any{
			"role": c.Role,
			"jwt":  svid.Marshal(),
		})
	}}
}

func fetchSVID(ctx context.Context, socket, audience string) (*jwtsvid.SVID, error) {
	source, err := workloadapi.New(ctx, workloadapi.WithAddr(socket))
	if err != nil {
		return nil, noSVID(err)
	}
	defer func() { _ = source.Close() }()
	svid, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return nil, noSVID(err)
	}
	return svid, nil
}

func noSVID(err error) *diagnostics.BlindError {
	reason := diagnostics.ReasonUnreachable
	if errors.Is(err, context.DeadlineExceeded) {
		reason = diagnostics.ReasonTimeout
	}
	return &diagnostics.BlindError{
		Reason: reason,
		Detail: fmt.Sprintf("log in to Vault by vault.identity.jwt_svid: no JWT-SVID from the Workload API: %v", err),
		Next: diagnostics.Both("check the SPIRE agent and the bot's own entry, or choose an identity that does not depend on SPIRE, like approle",
			"verifique o agente do SPIRE e a entry do próprio bot, ou escolha uma identidade que não dependa do SPIRE, como approle"),
		Err: err,
	}
}

// unreadable says that a credential of the bot cannot be read.
func unreadable(err error, next diagnostics.Text) *diagnostics.BlindError {
	return &diagnostics.BlindError{Reason: diagnostics.ReasonNotConfigured, Detail: err.Error(), Next: next, Err: err}
}
