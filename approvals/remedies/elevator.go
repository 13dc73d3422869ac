package remedies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
	"tandem/i18n"
)

// How long the way to a privilege and back may take.
const (
	loginTimeout  = 10 * time.Second
	revokeTimeout = 5 * time.Second
)

// Elevator lends the privilege of one remedy: a login at Vault to the role that
// is only for it.
type Elevator struct {
	// New makes a client of its own, which keeps no token.
	New func() (*api.Client, error)
	// Ways to log in, the first that works. The later ones are for when SPIRE is
	// what is broken.
	Ways []Way
	Log  *slog.Logger
}

// Way is one way to log in to a role at Vault.
type Way struct {
	Name string // as in the configuration: jwt_svid, approle, kubernetes
	// Login returns the token, in Secret.Auth. Of an error that is neither Vault's
	// answer nor a *approvals.Trouble people learn only its kind.
	Login func(ctx context.Context, client *api.Client, role string) (*api.Secret, error)
}

// privilege is what a remedy acts under, until it is given back.
type privilege struct {
	client   *api.Client
	identity string // for the audit: no secret
}

// lend takes the privilege of a remedy, lets use act under it, and gives it back
// whatever happened. The login and the giving back are made known like every
// call.
func (e *Elevator) lend(ctx context.Context, remedy string, act approvals.Act, use func(context.Context, privilege) error) error {
	if e == nil {
		return trouble(nil, "nothing was changed: no way to the remedies' roles at Vault is configured any more: set remedies.vault")
	}
	p, err := e.take(ctx, RoleName(remedy), act)
	if err != nil {
		return err
	}
	defer e.giveBack(ctx, p, act)
	return use(ctx, p)
}

// take logs in by the first way that works.
func (e *Elevator) take(ctx context.Context, role string, act approvals.Act) (privilege, error) {
	var failed []string
	for _, way := range e.Ways {
		p, tried, err := e.login(ctx, way, role, act, failed)
		switch {
		case err == nil:
			return p, nil
		case tried == nil: // it is not the way that failed: another would not be let either
			return privilege{}, err
		}
		failed = append(failed, way.Name+": "+reason(tried))
		if ctx.Err() != nil {
			break
		}
	}
	return privilege{}, trouble(ctx.Err(), "nothing was changed: no login to the role %s at Vault: %s", role, strings.Join(failed, "; "))
}

// login logs in by one way. tried is why that way failed; err is also set when
// the login could not be made known.
func (e *Elevator) login(ctx context.Context, way Way, role string, act approvals.Act, failed []string) (p privilege, tried, err error) {
	client, err := e.client()
	if err != nil {
		return privilege{}, nil, trouble(err, "nothing was changed: no client for Vault could be made: see vault in the configuration")
	}
	p = privilege{client: client, identity: "Vault role " + role + ", by " + way.Name}
	err = act.Call(ctx, "log in to Vault's role "+role, asking(way, failed), func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, loginTimeout)
		defer cancel()
		auth, err := enter(ctx, way, client, role)
		if err != nil {
			tried = trouble(err, "%s", reason(err))
			return "", tried
		}
		p.identity += " (accessor " + auth.Accessor + ")"
		return fmt.Sprintf("accessor %s, for %s at most", auth.Accessor, lifeOf(auth)), nil
	})
	if err != nil && client.Token() != "" { // logged in, and too wide, or nobody could write it down
		err = errors.Join(err, e.letGo(ctx, p))
	}
	return p, tried, err
}

// client makes a client that asks once: a change that is sent again by itself
// could be made twice, and a privilege is good for a few calls only.
func (e *Elevator) client() (*api.Client, error) {
	client, err := e.New()
	if err != nil {
		return nil, err
	}
	client.ClearToken()
	client.SetMaxRetries(0)
	return client, nil
}

func asking(way Way, failed []string) string {
	identity := "the bot, by " + way.Name
	if len(failed) > 0 {
		identity += ", since it could not by " + strings.Join(failed, "; ")
	}
	return identity
}

// enter logs in and keeps the token, also that of a role that gives more than
// was asked for, which is an error.
func enter(ctx context.Context, way Way, client *api.Client, role string) (*api.SecretAuth, error) {
	secret, err := way.Login(ctx, client, role)
	switch {
	case err != nil:
		return nil, err
	case secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "":
		return nil, trouble(nil, "the answer has no token: see what answers at Vault's address: vault status")
	}
	client.SetToken(secret.Auth.ClientToken)
	return secret.Auth, narrow(secret.Auth, role)
}

// narrow holds that a privilege is no wider than what an operator was told to
// apply: its own policy and nothing beside, and short.
func narrow(auth *api.SecretAuth, role string) error {
	life := lifeOf(auth)
	if slices.Equal(auth.Policies, []string{role}) && life > 0 && life <= maxTTL {
		return nil
	}
	return trouble(nil, "the role gives the policies %s for %s, and should give %s alone for %s at most: apply the output of: bot policy vault --remedy all",
		strings.Join(auth.Policies, ", "), life, role, minutes(maxTTL))
}

func lifeOf(auth *api.SecretAuth) time.Duration {
	return time.Duration(auth.LeaseDuration) * time.Second
}

// giveBack revokes the token, also when the remedy was cancelled and when that
// cannot be made known. How it ends says nothing about the remedy's own calls.
func (e *Elevator) giveBack(ctx context.Context, p privilege, act approvals.Act) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*revokeTimeout)
	defer cancel()
	var (
		revoked error
		tried   bool
	)
	_ = act.Call(ctx, "PUT /v1/auth/token/revoke-self", p.identity, func(ctx context.Context) (string, error) {
		tried, revoked = true, e.revoke(ctx, p)
		return "the privilege is given back", revoked
	})
	if !tried { // not let, like under a kill switch
		revoked = e.letGo(ctx, p)
	}
	if revoked != nil {
		e.Log.WarnContext(ctx, "a privilege was not given back and lives until its end", "identity", p.identity)
		say(ctx, act, both(
			"The privilege could not be given back; it ends by itself within "+minutes(maxTTL)+".",
			"Não foi possível devolver o privilégio; ele acaba sozinho em até "+minutes(maxTTL)+"."))
	}
}

// letGo revokes a token of which nobody could write down that it is revoked.
func (e *Elevator) letGo(ctx context.Context, p privilege) error {
	err := e.revoke(context.WithoutCancel(ctx), p)
	e.Log.WarnContext(ctx, "the giving back of a privilege is in no record", "identity", p.identity, "given_back", err == nil)
	return err
}

// revoke ends the token. One that Vault does not know any more has ended.
func (e *Elevator) revoke(ctx context.Context, p privilege) error {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	err := p.client.Auth().Token().RevokeSelfWithContext(ctx, "")
	p.client.ClearToken()
	if err == nil || dead(err) {
		return nil
	}
	return trouble(err, "the remedy's token was not revoked, and ends by itself within %s: %s", minutes(maxTTL), reason(err))
}

// dead says whether Vault does not know the token that was sent. It tells that
// from a right that is lacking by its words alone.
func dead(err error) bool {
	var answer *api.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden && says(answer, "invalid token")
}

// say is for lines that a face may fail to show without harm to the remedy.
func say(ctx context.Context, act approvals.Act, line i18n.Text) { _ = act.Say(ctx, line) }
