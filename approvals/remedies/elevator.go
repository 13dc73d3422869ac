package remedies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// New makes a client of its own, without any token.
	New func() (*api.Client, error)
	// Ways to log in, the first that works. The later ones are for when SPIRE is
	// what is broken.
	Ways []Way
	Log  *slog.Logger
}

// Way is one way to log in to a role at Vault.
type Way struct {
	Name string // as in the configuration: jwt_svid, approle, kubernetes
	// Login returns the token, in Secret.Auth.
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
	p, err := e.take(ctx, remedy, act)
	if err != nil {
		return err
	}
	return errors.Join(use(ctx, p), e.giveBack(ctx, p, act))
}

// take logs in by the first way that works.
func (e *Elevator) take(ctx context.Context, remedy string, act approvals.Act) (privilege, error) {
	var (
		role   = RoleName(remedy)
		failed []string
	)
	for _, way := range e.Ways {
		p, err := e.login(ctx, way, role, act, failed)
		if err == nil {
			return p, nil
		}
		failed = append(failed, way.Name+": "+err.Error())
		if ctx.Err() != nil {
			break
		}
	}
	return privilege{}, fmt.Errorf("nothing was changed: no login to the role %s at Vault: %s", role, strings.Join(failed, "; "))
}

func (e *Elevator) login(ctx context.Context, way Way, role string, act approvals.Act, failed []string) (privilege, error) {
	client, err := e.New()
	if err != nil {
		return privilege{}, err
	}
	p := privilege{client: client}
	asked := "the bot, by " + way.Name
	if len(failed) > 0 {
		asked += ", since it could not by " + strings.Join(failed, "; ")
	}
	err = act.Call(ctx, "log in to Vault's role "+role, asked, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, loginTimeout)
		defer cancel()
		secret, err := way.Login(ctx, client, role)
		if err == nil && (secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "") {
			err = errors.New("the answer has no token")
		}
		if err != nil {
			return "", errors.New(reason(err)) // Vault's words stay out
		}
		client.SetToken(secret.Auth.ClientToken)
		p.identity = fmt.Sprintf("Vault role %s, by %s (accessor %s)", role, way.Name, secret.Auth.Accessor)
		return fmt.Sprintf("accessor %s, for %s at most", secret.Auth.Accessor, time.Duration(secret.Auth.LeaseDuration)*time.Second), nil
	})
	if err != nil && client.Token() != "" { // logged in, and nobody could write it down
		err = errors.Join(err, e.revoke(context.WithoutCancel(ctx), p))
	}
	return p, err
}

// giveBack revokes the token, also when the remedy was cancelled and when that
// cannot be made known.
func (e *Elevator) giveBack(ctx context.Context, p privilege, act approvals.Act) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*revokeTimeout)
	defer cancel()
	tried := false
	err := act.Call(ctx, "PUT /v1/auth/token/revoke-self", p.identity, func(ctx context.Context) (string, error) {
		tried = true
		return "the privilege is given back", e.revoke(ctx, p)
	})
	if !tried {
		return errors.Join(err, e.revoke(ctx, p))
	}
	if err != nil { // it says nothing about the remedy's own calls, and the token ends by itself
		e.Log.WarnContext(ctx, "a privilege was not given back and lives until its end", "identity", p.identity)
		return act.Say(ctx, both(
			"The privilege could not be given back; it ends by itself within "+maxTTL.String()+".",
			"Não foi possível devolver o privilégio; ele acaba sozinho em até "+maxTTL.String()+"."))
	}
	return nil
}

// revoke ends the token. One that Vault does not know any more has ended.
func (e *Elevator) revoke(ctx context.Context, p privilege) error {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	err := p.client.Auth().Token().RevokeSelfWithContext(ctx, "")
	var answer *api.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden {
		err = nil
	}
	p.client.ClearToken()
	if err != nil {
		return fmt.Errorf("revoke the remedy's token: %s", reason(err))
	}
	return nil
}

// say is for lines that a face may fail to show without harm to the remedy.
func say(ctx context.Context, act approvals.Act, line i18n.Text) { _ = act.Say(ctx, line) }
