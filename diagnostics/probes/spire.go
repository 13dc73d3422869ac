package probes

import (
	"context"
	"slices"
	"time"

	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"tandem/diagnostics"
)

// SPIREServer is the state of the SPIRE server.
type SPIREServer struct {
	Reachable       bool      `cel:"reachable"`
	Problem         string    `cel:"problem"` // "", refused, missing
	Serving         bool      `cel:"serving"`
	JWTKids         []string  `cel:"jwt_kids"` // of the bundle, sorted
	X509Authorities int64     `cel:"x509_authorities"`
	Sequence        int64     `cel:"sequence"`   // of the bundle
	ActiveKid       string    `cel:"active_kid"` // the key that signs JWT-SVIDs; "" when the bot may not ask
	ActiveExpiresAt time.Time `cel:"active_expires_at"`
	ActiveInBundle  bool      `cel:"active_in_bundle"`
}

type spireProbes struct {
	SPIFFE
	now func() time.Time
}

const spireKey = "spire.server_address"

// nextSPIRE is what to do when the SPIRE server does not answer.
func nextSPIRE() diagnostics.Text {
	return diagnostics.Both("check that the SPIRE server runs and that the bot can reach "+spireKey,
		"verifique se o servidor do SPIRE está rodando e se o bot alcança "+spireKey)
}

func (p spireProbes) trail() *trail { return &trail{source: "spire", now: p.now} }

// command is a spire-server command at the same socket.
func (p spireProbes) command(words ...string) string {
	if network, path := endpoint(p.ServerAddress); network == "unix" {
		words = append(words, "-socketPath", path)
	}
	return shell(append([]string{"spire-server"}, words...)...)
}

// server is blind when the server does not answer in time; that nobody listens
// is a fact.
func (p spireProbes) server(ctx context.Context, _ None) (SPIREServer, []diagnostics.Evidence, error) {
	if p.ServerAddress == "" {
		return SPIREServer{}, nil, notConfigured("the SPIRE server", spireKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := p.trail()
	show := p.command("healthcheck")
	if err := knock(ctx, p.ServerAddress); err != nil {
		problem := networkProblem(err)
		if problem != problemMissing && problem != problemRefused {
			return SPIREServer{}, t.list, t.fail(show, blindNetwork("connect to the SPIRE server", nextSPIRE(), err))
		}
		t.add(show, "%s", problemText(problem))
		return SPIREServer{Problem: problem}, t.list, nil
	}
	conn, err := connect(p.ServerAddress, p.ServerCredentials)
	if err != nil {
		return SPIREServer{}, t.list, t.fail(show, blindNetwork("connect to the SPIRE server", nextSPIRE(), err))
	}
	defer conn.Close()
	facts := SPIREServer{Reachable: true}
	for _, ask := range []func(context.Context, *trail, grpc.ClientConnInterface, *SPIREServer) error{p.health, p.bundle, p.authority} {
		if err := ask(ctx, t, conn, &facts); err != nil {
			return facts, t.list, err
		}
	}
	return facts, t.list, nil
}

func (p spireProbes) health(ctx context.Context, t *trail, conn grpc.ClientConnInterface, facts *SPIREServer) error {
	show := p.command("healthcheck")
	resp, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return t.fail(show, blindGRPC("health Check", nextSPIRE(), err))
	}
	facts.Serving = resp.Status == grpc_health_v1.HealthCheckResponse_SERVING
	t.add(show, "%s", resp.Status)
	return nil
}

// bundle needs no rights.
func (p spireProbes) bundle(ctx context.Context, t *trail, conn grpc.ClientConnInterface, facts *SPIREServer) error {
	show := p.command("bundle", "show", "-format", "spiffe")
	b, err := bundlev1.NewBundleClient(conn).GetBundle(ctx, &bundlev1.GetBundleRequest{})
	if err != nil {
		return t.fail(show, blindGRPC("GetBundle", nextSPIRE(), err))
	}
	for _, key := range b.JwtAuthorities {
		facts.JWTKids = append(facts.JWTKids, clean(key.KeyId, maxDetail))
	}
	slices.Sort(facts.JWTKids)
	facts.X509Authorities, facts.Sequence = int64(len(b.X509Authorities)), int64(b.SequenceNumber) //nolint:gosec // a count of changes, far below the bound
	t.add(show, "sequence %d, %d X.509 authorities, JWT keys: %s", facts.Sequence, facts.X509Authorities, list(facts.JWTKids))
	return nil
}

// authority is for administrators and the local socket only; without that right
// the signing key stays unknown and the rest is still worth knowing. Servers
// before 1.10 do not have it.
func (p spireProbes) authority(ctx context.Context, t *trail, conn grpc.ClientConnInterface, facts *SPIREServer) error {
	show := p.command("localauthority", "jwt", "show")
	resp, err := localauthorityv1.NewLocalAuthorityClient(conn).GetJWTAuthorityState(ctx, &localauthorityv1.GetJWTAuthorityStateRequest{})
	switch status.Code(err) {
	case codes.OK:
	case codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		t.add(show, "%s: %s", status.Code(err), status.Convert(err).Message())
		return nil
	default:
		return t.fail(show, blindGRPC("GetJWTAuthorityState", nextSPIRE(), err))
	}
	if resp.Active == nil {
		t.add(show, "no active key")
		return nil
	}
	facts.ActiveKid, facts.ActiveExpiresAt = clean(resp.Active.AuthorityId, maxDetail), time.Unix(resp.Active.ExpiresAt, 0).UTC()
	facts.ActiveInBundle = slices.Contains(facts.JWTKids, facts.ActiveKid)
	t.add(show, "active key %s, valid until %s", facts.ActiveKid, facts.ActiveExpiresAt.Format(time.RFC3339))
	return nil
}

// list connects and lists something that only administrators may list.
func (p spireProbes) list(ctx context.Context, t *trail, show, doing string, ask func(grpc.ClientConnInterface) error) error {
	if p.ServerAddress == "" {
		return notConfigured("the SPIRE server", spireKey)
	}
	err := knock(ctx, p.ServerAddress)
	if err != nil {
		return t.fail(show, blindNetwork("connect to the SPIRE server", nextSPIRE(), err))
	}
	conn, err := connect(p.ServerAddress, p.ServerCredentials)
	if err != nil {
		return t.fail(show, blindNetwork("connect to the SPIRE server", nextSPIRE(), err))
	}
	defer conn.Close()
	err = ask(conn)
	if err == nil {
		return nil
	}
	next := nextSPIRE()
	if status.Code(err) == codes.PermissionDenied {
		next = diagnostics.Both("point "+spireKey+" at the server's local socket or a read-only proxy of it: only administrators may list",
			"aponte "+spireKey+" para o socket local do servidor ou para um proxy dele só de leitura: só administradores podem listar")
	}
	return t.fail(show, blindGRPC(doing, next, err))
}
