package probes

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"tandem/diagnostics"
)

// JWKSArgs say which document to read; empty: the configured one.
type JWKSArgs struct {
	URL string `cel:"url"`
}

// JWKS is a published set of keys.
type JWKS struct {
	Reachable bool     `cel:"reachable"`
	Problem   string   `cel:"problem"` // "", refused, status, garbage
	Status    int64    `cel:"status"`  // of HTTP; 0 when not reachable
	ContentOK bool     `cel:"content_ok"`
	Keys      int64    `cel:"keys"`
	Kids      []string `cel:"kids"` // sorted
}

const jwksKey = "spiffe.jwks_url"

// jwks reads the document as a verifier would. Silence is blindness, and so is an
// answer about the asker or the moment (a login, a limit, 5xx), which a verifier
// elsewhere need not get; a refused connection, another status and another
// content are facts.
func (p spiffeProbes) jwks(ctx context.Context, args JWKSArgs) (JWKS, []diagnostics.Evidence, error) {
	url := args.URL
	if url == "" {
		url = p.JWKSURL
	}
	if url == "" {
		return JWKS{}, nil, notConfigured("the address of the OIDC provider's keys", jwksKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := &trail{source: "oidc", now: p.now}
	show := shell("curl", "-s", clean(url, maxDetail))
	status, body, err := p.fetch(ctx, url)
	if err != nil {
		if networkProblem(err) != problemRefused {
			return JWKS{}, t.list, t.fail(show, blindNetwork("GET the OIDC provider's keys", diagnostics.Both("check that the bot can reach "+jwksKey, "verifique se o bot alcança "+jwksKey), err))
		}
		t.add(show, "%s", problemText(problemRefused))
		return JWKS{Problem: problemRefused}, t.list, nil
	}
	if blind := blindJWKS(status, body); blind != nil {
		return JWKS{}, t.list, t.fail(show, blind)
	}
	facts := JWKS{Reachable: true, Status: int64(status)}
	facts.take(body)
	t.add(show, "status %d, %d keys: %s", status, facts.Keys, list(facts.Kids))
	return facts, t.list, nil
}

// blindJWKS is nil for a status that says something of the document.
func blindJWKS(status int, body []byte) *diagnostics.BlindError {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired,
		status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
	default:
		return nil
	}
	blind := blindStatus("GET the OIDC provider's keys", theOIDCProvider, status, body)
	if blind.Reason == diagnostics.ReasonDenied {
		blind.Next = diagnostics.Both("let the bot read the keys without a login, as verifiers do: check "+jwksKey+" and any proxy before it",
			"deixe o bot ler as chaves sem login, como fazem os verificadores: confira "+jwksKey+" e qualquer proxy que esteja antes")
	}
	return blind
}

// take reads the set of keys.
func (f *JWKS) take(body []byte) {
	var set struct {
		Keys *[]struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	err := json.Unmarshal(body, &set)
	switch {
	case f.Status != http.StatusOK:
		f.Problem = "status"
		return
	case err != nil || set.Keys == nil:
		f.Problem = "garbage"
		return
	}
	f.ContentOK, f.Keys = true, int64(len(*set.Keys))
	for _, key := range *set.Keys {
		f.Kids = append(f.Kids, clean(key.Kid, maxDetail))
	}
	slices.Sort(f.Kids)
}

// fetch reads a document of at most 1 MiB.
func (p spiffeProbes) fetch(ctx context.Context, url string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	client := p.JWKSClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}
