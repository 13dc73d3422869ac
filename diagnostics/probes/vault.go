package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tandem/diagnostics"
)

const (
	vaultAddressKey = "vault.address"
	maxVaultAnswer  = 8 << 20
)

// vaultProbes ask Vault as the bot.
type vaultProbes struct {
	Vault
	logs   LogSource
	grants func() []diagnostics.Grant
	now    func() time.Time
}

// vaultQuestion is one request to Vault.
type vaultQuestion struct {
	method string
	path   string // below /v1/, without a leading slash
	mount  string // of the path, where the configuration names it; auth/ comes before that of a login
	body   any    // of a POST
	right  string // the capability that it takes, like read
	show   string // the same as a command
}

// doing names the question in errors.
func (q vaultQuestion) doing() string { return q.method + " /v1/" + q.path }

// vaultAnswer is an answer that Vault gave for itself: 2xx, 400, 403 or 404.
type vaultAnswer struct {
	status int
	data   json.RawMessage
	errors []string // foreign text
}

// says reports whether Vault's own words are among the errors, for the cases
// that it tells apart by nothing else.
func (a vaultAnswer) says(words string) bool {
	for _, e := range a.errors {
		if strings.Contains(e, words) {
			return true
		}
	}
	return false
}

// ok reports whether the answer holds what was asked for.
func (a vaultAnswer) ok() bool { return a.status >= 200 && a.status < 300 && len(a.data) > 0 }

// words are status and errors, for evidence.
func (a vaultAnswer) words() string {
	if len(a.errors) == 0 {
		return fmt.Sprintf("%d", a.status)
	}
	return fmt.Sprintf("%d %s", a.status, clean(strings.Join(a.errors, "; "), maxDetail))
}

func (v vaultProbes) trail() *trail { return &trail{source: "vault", now: v.now} }

// command is a vault command that asks the same server.
func (v vaultProbes) command(words ...string) string {
	var env []string
	if v.CLIAddr != "" {
		env = append(env, "VAULT_ADDR="+quote(v.CLIAddr))
	}
	if v.Client != nil && v.Client.Namespace() != "" {
		env = append(env, "VAULT_NAMESPACE="+quote(v.Client.Namespace()))
	}
	return strings.Join(append(env, shell(append([]string{"vault"}, words...)...)), " ")
}

// read reads one path and decodes what it holds. found is false when Vault says
// 404 and nothing else: with a reason, like a mount that it does not have, it
// never looked for the thing itself. It records the evidence of failures and of what is not there; the caller
// records what it understood of an answer.
func (v vaultProbes) read(ctx context.Context, t *trail, q vaultQuestion, into any) (found bool, err error) {
	q.method, q.right = http.MethodGet, "read"
	a, err := v.ask(ctx, q)
	switch {
	case err != nil:
		return false, t.fail(q.show, blindNetwork(q.doing(), diagnostics.Text{}, err))
	case a.status == http.StatusNotFound && len(a.errors) == 0:
		t.add(q.show, "not there: %s", a.words())
		return false, nil
	case !a.ok():
		return false, t.fail(q.show, v.refused(q, a))
	}
	if err := json.Unmarshal(a.data, into); err != nil {
		return false, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	return true, nil
}

// ask sends a question. The error is a *diagnostics.BlindError and means that
// Vault gave no answer of its own; what 400, 403 and 404 mean is the caller's
// to say.
func (v vaultProbes) ask(ctx context.Context, q vaultQuestion) (vaultAnswer, error) {
	if v.Client == nil {
		return vaultAnswer{}, notConfigured("Vault", vaultAddressKey)
	}
	req, err := v.request(ctx, q)
	if err != nil {
		return vaultAnswer{}, blindNetwork(q.doing(), diagnostics.Text{}, err)
	}
	resp, err := v.httpClient().Do(req)
	if err != nil {
		return vaultAnswer{}, blindNetwork(q.doing(), diagnostics.Both("check that Vault runs and that the bot can reach "+vaultAddressKey,
			"verifique se o Vault está rodando e se o bot alcança "+vaultAddressKey), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxVaultAnswer))
	if err != nil {
		return vaultAnswer{}, blindNetwork(q.doing(), diagnostics.Text{}, err)
	}
	return understand(q, resp.StatusCode, body)
}

// request makes the HTTP request with the bot's present token.
func (v vaultProbes) request(ctx context.Context, q vaultQuestion) (*http.Request, error) {
	r := v.Client.NewRequest(q.method, "/v1/"+q.path)
	var body io.Reader
	if q.body != nil {
		b, err := json.Marshal(q.body)
		if err != nil {
			return nil, fmt.Errorf("encode the question: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, r.URL.String(), body)
	if err != nil {
		return nil, errors.New("the configured address is not a URL")
	}
	for name, values := range r.Headers {
		req.Header[name] = values
	}
	req.Header.Set("X-Vault-Request", "true")
	if r.ClientToken != "" {
		req.Header.Set("X-Vault-Token", r.ClientToken)
	}
	return req, nil
}

// httpClient shares the connections of the Vault client, but neither its
// retries, which would hide a 429 or a 5xx until the deadline, nor its
// readiness to carry the token to wherever a login page sends it: a standby
// redirects with 307.
func (v vaultProbes) httpClient() *http.Client {
	return &http.Client{
		Transport: v.Client.CloneConfig().HttpClient.Transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			downgrade := via[0].URL.Scheme == "https" && req.URL.Scheme != "https"
			if len(via) > 1 || downgrade || req.Response.StatusCode != http.StatusTemporaryRedirect {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// understand tells Vault's answers from those of others, and what Vault answers
// about the question from what it answers about itself.
func understand(q vaultQuestion, status int, body []byte) (vaultAnswer, error) {
	var envelope struct {
		Data   json.RawMessage `json:"data"`
		Errors *[]string       `json:"errors"`
	}
	isVault := json.Unmarshal(body, &envelope) == nil && (envelope.Errors != nil || len(envelope.Data) > 0)
	var words []string
	if envelope.Errors != nil {
		words = *envelope.Errors
	}
	a := vaultAnswer{status: status, data: envelope.Data, errors: words}
	switch {
	case status == http.StatusTooManyRequests:
		return a, &diagnostics.BlindError{
			Reason: diagnostics.ReasonThrottled,
			Detail: q.doing() + ": " + a.words(),
			Next: diagnostics.Both("wait, or look at Vault's quotas: vault list sys/quotas/rate-limit",
				"aguarde, ou veja as cotas do Vault: vault list sys/quotas/rate-limit"),
		}
	case status == http.StatusPreconditionFailed, isVault && status >= 500, status >= 502 && status <= 504:
		return a, &diagnostics.BlindError{
			Reason: diagnostics.ReasonUnavailable,
			Detail: q.doing() + ": " + a.words(),
			Next:   diagnostics.Both("look at Vault itself: vault status", "veja como está o Vault: vault status"),
		}
	case !isVault && status != http.StatusNoContent:
		return a, blindGarbage(q.doing(), "Vault", fmt.Sprintf("status %d, %s", status, kindOf(body)))
	}
	return a, nil
}

// kindOf says what a body looks like without repeating it.
func kindOf(body []byte) string {
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(trimmed) == 0:
		return "an empty body"
	case trimmed[0] == '<':
		return "an HTML page"
	case json.Valid(trimmed):
		return "JSON of another shape"
	}
	return "neither JSON nor HTML"
}

// refused turns a 400, 403 or unexpected 404 into blindness.
func (v vaultProbes) refused(q vaultQuestion, a vaultAnswer) *diagnostics.BlindError {
	blind := &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: q.doing() + ": " + a.words()}
	switch {
	case a.status == http.StatusForbidden && a.says("invalid token"):
		blind.Reason = diagnostics.ReasonDenied
		blind.Next = diagnostics.Both("the bot's own Vault token is dead: check its login and "+v.command("token", "lookup"),
			"o token do próprio bot no Vault não vale mais: confira o login dele e "+v.command("token", "lookup"))
	case a.status == http.StatusForbidden:
		blind.Reason = diagnostics.ReasonDenied
		blind.Next = diagnostics.Both(fmt.Sprintf("the bot needs %q on %s: compare its Vault policy with the output of: bot policy vault", q.right, q.path),
			fmt.Sprintf("o bot precisa de %q em %s: compare a política dele no Vault com a saída de: bot policy vault", q.right, q.path))
	case a.status == http.StatusNotFound && q.mount != "" && a.says("no handler for route"):
		blind.Reason = diagnostics.ReasonNotConfigured
		blind.Next = v.nextMount(q)
	case a.status < 300:
		return blindGarbage(q.doing(), "Vault", "an answer without data")
	}
	return blind
}

// nextMount is what to do when Vault has no such mount.
func (v vaultProbes) nextMount(q vaultQuestion) diagnostics.Text {
	mount, engines := strings.Trim(q.mount, "/"), "secrets"
	if login, ok := strings.CutPrefix(mount, "auth/"); ok {
		mount, engines = login, "auth"
	}
	mount = clean(mount, maxDetail)
	return diagnostics.Both(fmt.Sprintf("compare the mount %q in the bot's configuration with the output of: %s", mount, v.command(engines, "list")),
		fmt.Sprintf("compare o mount %q da configuração do bot com a saída de: %s", mount, v.command(engines, "list")))
}

// seconds is a duration as Vault writes it, mostly whole.
type seconds float64

func (s seconds) duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
