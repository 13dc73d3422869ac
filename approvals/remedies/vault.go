package remedies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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

// longestAnswer bounds an answer, in bytes: Vault keeps nothing that is longer.
const longestAnswer = 8 << 20

// Vault is how the remedies reach Vault.
type Vault struct {
	Client *api.Client // the standing identity's, which only reads; nil: no Vault is configured
	// Elevator lends the privilege of one remedy; nil: none is configured.
	Elevator      *Elevator
	Policies      map[string]string // reviewed texts, by the policy's name
	DatabaseRoles []DatabaseRole    // reviewed
}

// looks refuses when nothing could be looked at.
func (v Vault) looks() error {
	if v.Client == nil {
		return refuse(approvals.WhyNoRemedy, "Vault is not configured: set vault in the configuration")
	}
	return nil
}

// ready refuses when nothing could be looked at, or nothing done.
func (v Vault) ready() error {
	if v.Elevator == nil && v.Client != nil {
		return refuse(approvals.WhyNoRemedy, "no way to the remedies' roles at Vault is configured: set remedies.vault, and apply the output of: bot policy vault --remedy all")
	}
	return v.looks()
}

// read asks as the standing identity. found is false when there is no such
// thing. The error is a refusal, since nothing can be planned blindly.
func (v Vault) read(ctx context.Context, path string, query url.Values, into any) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	doing := "GET /v1/" + path
	response, err := v.Client.Logical().ReadRawWithDataWithContext(ctx, path, query)
	if response != nil {
		defer response.Body.Close()
	}
	switch {
	case absent(err):
		return false, nil
	case err != nil:
		return false, blind(doing, err)
	}
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	raw, err := content(response)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err == nil {
		err = json.Unmarshal(answer.Data, into)
	}
	if err != nil {
		return false, misshapen(doing)
	}
	return true, nil
}

// content is all of an answer.
func content(response *api.Response) ([]byte, error) {
	return io.ReadAll(io.LimitReader(response.Body, longestAnswer))
}

// misshapen is the refusal of an answer that is not Vault's. It repeats nothing
// of it.
func misshapen(doing string) error {
	return refuse(approvals.WhyBlind, doing+": the answer has another shape than Vault's: see what answers at Vault's address: vault status")
}

// absent says whether Vault looked, and found nothing. Where it says more than
// 404, it never looked: it has no such mount.
func absent(err error) bool {
	var answer *api.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && !answer.RawError && len(answer.Errors) == 0
}

// lookUp asks, as the standing identity, for what Vault only tells to a write,
// though it changes nothing. known is false when Vault does not know the thing.
func (v Vault) lookUp(ctx context.Context, path, name, value string, into any) (known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	doing := "PUT /v1/" + path
	secret, err := v.Client.Logical().WriteWithContext(ctx, path, map[string]any{name: value})
	var answer *api.ResponseError
	switch {
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusBadRequest || says(answer, "invalid accessor")):
		return false, nil // the status for a dead accessor differs between versions
	case err != nil:
		return false, blind(doing, err)
	case secret == nil:
		return false, misshapen(doing)
	}
	raw, err := json.Marshal(secret.Data)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return false, misshapen(doing)
	}
	return true, nil
}

// says whether Vault's own words are in an answer, for the cases that it tells
// apart by nothing else.
func says(answer *api.ResponseError, words string) bool {
	return slices.ContainsFunc(answer.Errors, func(text string) bool { return strings.Contains(text, words) })
}

// blind is the refusal of a plan for which nobody could look.
func blind(doing string, err error) error {
	return refuse(approvals.WhyBlind, doing+": "+reason(err))
}

// reason says why a call failed and what to do, without any word of a server,
// which can repeat what was sent.
func reason(err error) string {
	var (
		answer  *api.ResponseError
		trouble *approvals.Trouble
		refusal *approvals.Refusal
		sent    *url.Error
	)
	switch {
	case errors.As(err, &trouble):
		return trouble.Text
	case errors.As(err, &refusal):
		return refusal.Detail.EN
	case errors.As(err, &answer):
		return fmt.Sprintf("Vault answers %d: %s", answer.StatusCode, nextStep(answer))
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: look at Vault: vault status"
	case errors.Is(err, context.Canceled):
		return "stopped before there was an answer"
	case errors.As(err, &sent):
		return "no answer: see that Vault runs and that the bot can reach it: vault status"
	default:
		return "no answer that could be read: see what answers at Vault's address: vault status"
	}
}

func nextStep(answer *api.ResponseError) string {
	switch answer.StatusCode {
	case http.StatusBadRequest:
		return "what is there now does not fit: ask again, so that a new plan is made; Vault's log has its reason"
	case http.StatusForbidden:
		return "compare the role and its policy with the output of: bot policy vault --remedy all"
	case http.StatusNotFound:
		return "it has no such mount or path: compare the configuration with: vault secrets list"
	case http.StatusTooManyRequests:
		return "wait, or raise the quota: vault list sys/quotas/rate-limit"
	case http.StatusServiceUnavailable:
		return "it is sealed or has no leader: vault status"
	default:
		return "Vault's log has its reason"
	}
}
