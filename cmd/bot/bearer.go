package main

import (
	"fmt"
	"net/http"
	"net/url"

	"tandem/config"
	"tandem/diagnostics"
)

// bearer adds a token to the requests for one host, and to no other one that a
// redirect may lead to. The token is read for each request, so that a rotated
// one is taken up.
type bearer struct {
	host  string
	token config.Ref
	next  http.RoundTripper
}

// idleConns lets the questions of one diagnosis, asked at once, find their
// connections again in the next step of the chain; the default keeps two.
const idleConns = 64

// ownTransport returns a transport that shares no connections.
func ownTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyFromEnvironment
	transport.MaxIdleConnsPerHost = idleConns
	return transport
}

// withBearer returns a transport of its own for a server.
func withBearer(address string, token config.Ref) http.RoundTripper {
	next := ownTransport()
	u, err := url.Parse(address)
	if err != nil || token.IsZero() {
		return next
	}
	return &bearer{host: u.Host, token: token, next: next}
}

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != b.host {
		return b.next.RoundTrip(req)
	}
	token, err := b.token.Read()
	if err != nil {
		return nil, unreadable(err, diagnostics.Both("give the bot the token that the configuration names", "dê ao bot o token que a configuração indica"))
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", fmt.Sprintf("Bearer %s", token.Reveal()))
	return b.next.RoundTrip(req)
}
