package remedies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

// How long one call to Vault may take.
const (
	lookTimeout = 5 * time.Second
	callTimeout = 15 * time.Second
)

// Vault is how the remedies reach Vault.
type Vault struct {
	Client *api.Client // the standing identity's, which only reads; nil: no Vault is configured
	// Elevator lends the privilege of one remedy; nil: none is configured.
	Elevator      *Elevator
	Policies      map[string]string // reviewed texts, by the policy's name
	DatabaseRoles []DatabaseRole    // reviewed
}

// ready refuses when nothing could be looked at, or nothing done.
func (v Vault) ready() error {
	switch {
	case v.Client == nil:
		return refuse(approvals.WhyNoRemedy, "Vault is not configured: set vault in the configuration")
	case v.Elevator == nil:
		return refuse(approvals.WhyNoRemedy, "no way to the remedies' roles at Vault is configured: set remedies.vault, and apply the output of: bot policy vault --remedy all")
	}
	return nil
}

// read asks as the standing identity. found is false when there is no such
// thing. The error is a refusal, since nothing can be planned blindly.
func (v Vault) read(ctx context.Context, path string, query url.Values, into any) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	secret, err := v.Client.Logical().ReadWithDataWithContext(ctx, path, query)
	if err != nil {
		return false, blind("GET /v1/"+path, err)
	}
	if secret == nil || secret.Data == nil {
		return false, nil
	}
	return true, decode(path, secret.Data, into)
}

// decode fills a struct from an answer. It repeats nothing of it.
func decode(path string, data map[string]any, into any) error {
	raw, err := json.Marshal(data)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return refuse(approvals.WhyBlind, "GET /v1/"+path+": the answer has another shape than Vault's")
	}
	return nil
}

// blind is the refusal of a plan for which nobody could look.
func blind(doing string, err error) error {
	return refuse(approvals.WhyBlind, doing+": "+reason(err))
}

// reason says why a call to Vault failed and what to do, without any of Vault's
// words, which can repeat what was sent.
func reason(err error) string {
	var (
		answer *api.ResponseError
		sent   *url.Error
	)
	switch {
	case errors.As(err, &answer):
		return fmt.Sprintf("Vault answers %d: %s", answer.StatusCode, nextStep(answer.StatusCode))
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: look at Vault: vault status"
	case errors.As(err, &sent):
		return "no answer: " + sent.Err.Error()
	default:
		return "no answer: " + err.Error()
	}
}

func nextStep(status int) string {
	switch {
	case status == http.StatusForbidden:
		return "compare the role and its policy with the output of: bot policy vault --remedy all"
	case status == http.StatusTooManyRequests:
		return "wait, or raise the quota: vault list sys/quotas/rate-limit"
	case status == http.StatusServiceUnavailable:
		return "it is sealed or has no leader: vault status"
	default:
		return "Vault's audit log has its reason"
	}
}

// change is one call that changes something, with the means to tell what became
// of it when no answer comes.
type change struct {
	call approvals.Call
	do   func(context.Context) (result string, err error)
	// done looks, with the standing identity, whether the change is there.
	done func(context.Context) (bool, error)
}

// make makes the call known, makes it, and tells the truth about it.
func (c change) make(ctx context.Context, act approvals.Act, identity string) error {
	return act.Call(ctx, c.call.What, identity, func(ctx context.Context) (string, error) {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		result, err := c.do(limited)
		if err == nil {
			return result, nil
		}
		if refusedBy(err) {
			return "", fmt.Errorf("nothing was changed by %s: %s", c.call.What, reason(err))
		}
		return c.lookAgain(context.WithoutCancel(ctx), err)
	})
}

// refusedBy says whether Vault itself declined, so that nothing was changed.
func refusedBy(err error) bool {
	var answer *api.ResponseError
	return errors.As(err, &answer) && (answer.StatusCode < 500 || answer.StatusCode == http.StatusServiceUnavailable)
}

// lookAgain finds out what became of a call that got no answer.
func (c change) lookAgain(ctx context.Context, why error) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	done, err := c.done(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("nobody knows whether it was done: %s: %s; and looking failed: %w: look by hand before anything else", c.call.What, reason(why), err)
	case done:
		return "done, as a look shows; the call itself got no answer", nil
	default:
		return "", fmt.Errorf("not done, as a look shows: %s: %s", c.call.What, reason(why))
	}
}

// below joins a mount, as people write it, with the rest of a path.
func below(mount string, rest ...string) string {
	return strings.Trim(mount, "/") + "/" + strings.Join(rest, "/")
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }
