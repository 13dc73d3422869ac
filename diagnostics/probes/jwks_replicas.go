package probes

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"tandem/diagnostics"
)

// JWKSReplicas are the sets of keys that one address gives to new connections:
// a balancer before several replicas sends each to another.
type JWKSReplicas struct {
	Asked     int64    `cel:"asked"`
	Answered  int64    `cel:"answered"`  // with a set of keys
	Sets      int64    `cel:"sets"`      // that differ from each other
	Differing []string `cel:"differing"` // key ids that some answers have and others lack, sorted
}

// replicaAsks finds one of two replicas that differs in 97 of 100 times.
const replicaAsks = 6

// jwksReplicas reads the document over several connections at once. An answer
// that is no set of keys is left out: spiffe.jwks judges that.
func (p spiffeProbes) jwksReplicas(ctx context.Context, args JWKSArgs) (JWKSReplicas, []diagnostics.Evidence, error) {
	url := args.URL
	if url == "" {
		url = p.JWKSURL
	}
	if url == "" {
		return JWKSReplicas{}, nil, notConfigured("the address of the OIDC provider's keys", jwksKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	fresh := p
	fresh.JWKSClient = unshared(p.JWKSClient)
	documents := make([]JWKS, replicaAsks)
	parallel(replicaAsks, func(i int) {
		status, body, err := fresh.fetch(ctx, url)
		if err == nil {
			documents[i].Status = int64(status)
			documents[i].take(body)
		}
	})
	facts := compareDocuments(documents)
	t := &trail{source: "oidc", now: p.now}
	t.add("for i in 1 2 3 4 5 6; do "+shell("curl", "-s", clean(url, maxDetail))+" | jq -c '[.keys[].kid]'; done | sort | uniq -c",
		"%d of %d answered, %d different sets; not in all: %s", facts.Answered, facts.Asked, facts.Sets, list(facts.Differing))
	return facts, t.list, nil
}

// unshared is the client with a new connection for each question.
func unshared(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	alone := *client
	transport, ok := client.Transport.(*http.Transport)
	if client.Transport == nil {
		transport, ok = http.DefaultTransport.(*http.Transport)
	}
	if ok {
		transport = transport.Clone()
		transport.DisableKeepAlives = true
		alone.Transport = transport
	}
	return &alone
}

func compareDocuments(documents []JWKS) JWKSReplicas {
	facts := JWKSReplicas{Asked: int64(len(documents))}
	sets, holders := map[string]bool{}, map[string]int64{}
	for _, d := range documents {
		if !d.ContentOK {
			continue
		}
		facts.Answered++
		kids := slices.Compact(d.Kids)
		sets[strings.Join(kids, "\n")] = true
		for _, kid := range kids {
			holders[kid]++
		}
	}
	facts.Sets = int64(len(sets))
	for kid, n := range holders {
		if n < facts.Answered {
			facts.Differing = append(facts.Differing, kid)
		}
	}
	slices.Sort(facts.Differing)
	return facts
}
