package probes

import (
	"context"
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tandem/diagnostics"
)

// WorkloadAPI is what the Workload API gives the bot. It proves the bot's own
// path, not that of the service.
type WorkloadAPI struct {
	Socket          string    `cel:"socket"`   // ok, missing or refused
	Identity        bool      `cel:"identity"` // false: no identity issued, or no socket
	SPIFFEID        string    `cel:"spiffe_id"`
	X509ExpiresAt   time.Time `cel:"x509_expires_at"`
	BundleKids      []string  `cel:"bundle_kids"`      // JWT authorities of the own trust domain, sorted
	X509Authorities int64     `cel:"x509_authorities"` // of the own trust domain
}

type spiffeProbes struct {
	SPIFFE
	now func() time.Time
}

const workloadKey = "spiffe.workload_api_socket"

// nextWorkload is what to do when the Workload API does not answer.
func nextWorkload() diagnostics.Text {
	return diagnostics.Both("check that the SPIRE agent runs on the bot's node and that the bot can reach "+workloadKey,
		"verifique se o agente do SPIRE está rodando no nó do bot e se o bot alcança "+workloadKey)
}

func (p spiffeProbes) trail() *trail { return &trail{source: "spiffe", now: p.now} }

// agentCommand is a spire-agent command at the same socket.
func (p spiffeProbes) agentCommand(words ...string) string {
	if network, path := endpoint(p.WorkloadSocket); network == "unix" {
		words = append(words, "-socketPath", path)
	}
	return shell(append([]string{"spire-agent"}, words...)...)
}

// grpcCommand is a call that no SPIRE command makes; workload.proto is in the
// SPIFFE standard.
func (p spiffeProbes) grpcCommand(method string) string {
	network, where := endpoint(p.WorkloadSocket)
	words := []string{"grpcurl", "-plaintext", "-max-time", "5", "-proto", "workload.proto", "-H", "workload.spiffe.io: true"}
	if network == "unix" {
		words = append(words, "-unix")
	}
	return shell(append(words, where, "SpiffeWorkloadAPI/"+method)...)
}

// workloadAPI is blind when the agent does not answer; that nobody listens, or
// that it has no identity for the bot, are facts.
func (p spiffeProbes) workloadAPI(ctx context.Context, _ None) (WorkloadAPI, []diagnostics.Evidence, error) {
	if p.WorkloadSocket == "" {
		return WorkloadAPI{}, nil, notConfigured("the SPIFFE Workload API", workloadKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	facts := WorkloadAPI{Socket: "ok"}
	show := p.agentCommand("api", "fetch", "x509", "-silent")
	if err := knock(ctx, p.WorkloadSocket); err != nil {
		problem := networkProblem(err)
		if problem != problemMissing && problem != problemRefused {
			return facts, t.list, t.fail(show, blindNetwork("connect to the Workload API", nextWorkload(), err))
		}
		facts.Socket = problem
		t.add(show, "%s", problemText(problem))
		return facts, t.list, nil
	}
	err := p.identity(ctx, t, show, &facts)
	return facts, t.list, err
}

// identity fetches the bot's X.509-SVID and the JWT bundles.
func (p spiffeProbes) identity(ctx context.Context, t *trail, show string, facts *WorkloadAPI) error {
	api, closeAPI, err := p.dialWorkload()
	if err != nil {
		return t.fail(show, err)
	}
	defer closeAPI()
	svids, err2 := fetchX509(ctx, api)
	switch {
	case status.Code(err2) == codes.PermissionDenied:
		t.add(show, "%s", status.Convert(err2).Message())
		return nil
	case err2 != nil:
		return t.fail(show, blindGRPC("FetchX509SVID", nextWorkload(), err2))
	}
	if blind := facts.takeX509(svids); blind != nil {
		return t.fail(show, blind)
	}
	t.add(show, "%s, valid until %s", facts.SPIFFEID, facts.X509ExpiresAt.Format(time.RFC3339))

	show = p.grpcCommand("FetchJWTBundles")
	bundle, blind := fetchJWTBundle(ctx, api, facts.SPIFFEID)
	if blind != nil {
		return t.fail(show, blind)
	}
	facts.BundleKids = kidsOf(bundle)
	t.add(show, "JWT keys of the trust domain: %s", list(facts.BundleKids))
	return nil
}

// dialWorkload opens the Workload API; the calls need withHeader.
func (p spiffeProbes) dialWorkload() (workload.SpiffeWorkloadAPIClient, func(), *diagnostics.BlindError) {
	conn, err := connect(p.WorkloadSocket, nil)
	if err != nil {
		return nil, nil, blindNetwork("connect to the Workload API", nextWorkload(), err)
	}
	return workload.NewSpiffeWorkloadAPIClient(conn), func() { conn.Close() }, nil
}

// withHeader marks a call as one of a workload: without it the agent refuses.
func withHeader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "workload.spiffe.io", "true")
}

// fetchX509 takes the first answer of a stream that would go on.
func fetchX509(ctx context.Context, api workload.SpiffeWorkloadAPIClient) (*workload.X509SVIDResponse, error) {
	ctx, cancel := context.WithCancel(withHeader(ctx))
	defer cancel()
	stream, err := api.FetchX509SVID(ctx, &workload.X509SVIDRequest{})
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}

// takeX509 reads the certificate and leaves the private key beside it alone.
func (f *WorkloadAPI) takeX509(resp *workload.X509SVIDResponse) *diagnostics.BlindError {
	if len(resp.Svids) == 0 {
		return blindGarbage("FetchX509SVID", theWorkloadAPI, "an answer without an SVID")
	}
	svid := resp.Svids[0]
	chain, err := x509.ParseCertificates(svid.X509Svid)
	if err != nil || len(chain) == 0 {
		return blindGarbage("FetchX509SVID", theWorkloadAPI, "a certificate that cannot be read")
	}
	authorities, err := x509.ParseCertificates(svid.Bundle)
	if err != nil {
		return blindGarbage("FetchX509SVID", theWorkloadAPI, "a bundle that cannot be read")
	}
	f.Identity, f.SPIFFEID = true, clean(svid.SpiffeId, maxDetail)
	f.X509ExpiresAt, f.X509Authorities = chain[0].NotAfter.UTC(), int64(len(authorities))
	return nil
}

// fetchJWTBundle is the JWT bundle of the trust domain of an identity, as the
// agent has it.
func fetchJWTBundle(ctx context.Context, api workload.SpiffeWorkloadAPIClient, id string) (*jwtbundle.Bundle, *diagnostics.BlindError) {
	own, err := spiffeid.FromString(id)
	if err != nil {
		return nil, blindGarbage("FetchJWTBundles", theWorkloadAPI, "the identity is not a SPIFFE ID")
	}
	ctx, cancel := context.WithCancel(withHeader(ctx))
	defer cancel()
	stream, err := api.FetchJWTBundles(ctx, &workload.JWTBundlesRequest{})
	var resp *workload.JWTBundlesResponse
	if err == nil {
		resp, err = stream.Recv()
	}
	if err != nil {
		return nil, blindGRPC("FetchJWTBundles", nextWorkload(), err)
	}
	for domain, keys := range resp.Bundles {
		if td, err := spiffeid.TrustDomainFromString(domain); err != nil || td != own.TrustDomain() {
			continue
		}
		bundle, err := jwtbundle.Parse(own.TrustDomain(), keys)
		if err != nil {
			return nil, blindGarbage("FetchJWTBundles", theWorkloadAPI, "a bundle that cannot be read")
		}
		return bundle, nil
	}
	return jwtbundle.New(own.TrustDomain()), nil
}

func kidsOf(bundle *jwtbundle.Bundle) []string {
	return slices.Sorted(maps.Keys(bundle.JWTAuthorities()))
}
