// Package spiffe is a small SPIFFE world for the lab: a SPIRE server, one agent and an OIDC discovery provider in one
// process, with real keys, so that real clients cannot tell them from SPIRE's own by status code, text or timing.
//
// The server answers entry.v1, agent.v1, bundle.v1, localauthority.v1 and grpc.health.v1 on its local socket. What is
// written there reaches the agent after SyncInterval, as in SPIRE. The agent answers the Workload API. Faults are
// switched on the admin address: PUT /admin/faults. Nothing outlives the process.
//
// It is a test world: no caller is authorised beyond the socket, and it must never be used for real identities.
package spiffe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Option changes what a Server is made of; only tests need one.
type Option func(*Server)

// WithAttestor replaces the way selectors are found for a caller.
func WithAttestor(a Attestor) Option { return func(s *Server) { s.attest = a } }

// WithClock replaces the time at which things are issued and expire.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithLogger replaces the logger; the default is slog's.
func WithLogger(log *slog.Logger) Option { return func(s *Server) { s.log = log } }

// Server is a running SPIFFE world. Close it to end it.
type Server struct {
	cfg    Config
	td     spiffeid.TrustDomain
	attest Attestor
	now    func() time.Time
	log    *slog.Logger

	faults    *faultBox
	authority *authority
	entries   *entryStore
	node      *node
	peers     *peers
	issuer    *issuer
	agent     *agent
	oidc      *oidc

	workloadEnd, serverEnd, oidcEnd, adminEnd *endpoint

	changing sync.Mutex // one change of faults at a time
	closed   bool       // under changing: nothing is opened any more
	cancel   context.CancelFunc
	loops    sync.WaitGroup
}

// Run serves until ctx ends, and returns nil then.
func Run(ctx context.Context, cfg Config) error {
	s, err := Start(ctx, cfg)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// Start returns when every address answers. The caller closes the Server, whether ctx has ended or not.
func Start(ctx context.Context, cfg Config, options ...Option) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("spiffe configuration: %w", err)
	}
	s := &Server{cfg: cfg.withDefaults(), attest: ProcAttestor, now: time.Now, log: slog.Default()}
	for _, option := range options {
		option(s)
	}
	if err := s.build(); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.closeEndpoints())
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.loop(ctx, time.Duration(s.cfg.SyncInterval), func() { s.agent.sync(); s.peers.sync() })
	if every := time.Duration(s.cfg.RotateInterval); every > 0 {
		s.loop(ctx, every, s.rotateAlone)
	}
	return s, nil
}

// build makes every part, not yet reachable.
func (s *Server) build() error {
	td, err := spiffeid.TrustDomainFromString(s.cfg.TrustDomain)
	if err != nil {
		return fmt.Errorf("trust domain: %w", err)
	}
	s.td, s.faults = td, newFaultBox()
	if s.authority, err = newAuthority(td, time.Duration(s.cfg.CATTL), s.now); err != nil {
		return err
	}
	s.node = newNode(td, 1, time.Duration(s.cfg.AgentTTL), s.now, func() string { return s.faults.get().AgentState })
	s.peers = &peers{td: td, ttl: time.Duration(s.cfg.AgentTTL), now: s.now}
	s.entries = newEntryStore(td, s.now)
	if err := s.register(); err != nil {
		return err
	}
	s.issuer = &issuer{
		td: td, authority: s.authority, entries: s.entries, node: s.node, faults: s.faults, now: s.now,
		jwtTTL: time.Duration(s.cfg.JWTTTL), x509TTL: time.Duration(s.cfg.X509TTL),
	}
	s.agent = newAgent(s.issuer, s.log)
	s.oidc = &oidc{authority: s.authority, faults: s.faults, issuer: s.issuer.oidcURL}
	s.makeEndpoints()
	return nil
}

// register writes the node alias, which SPIRE needs before an agent gets the entries of its cluster, and the entries
// of the configuration.
func (s *Server) register() error {
	entries := append([]Entry{s.node.aliasEntry()}, s.cfg.Entries...)
	for _, e := range entries {
		if e.ParentID == "" {
			e.ParentID = s.node.alias.String()
		}
		converted, err := e.proto()
		if err != nil {
			return fmt.Errorf("entry %q: %w", e.SPIFFEID, err)
		}
		if _, _, err := s.entries.create(converted); err != nil {
			return fmt.Errorf("entry %q: %w", e.SPIFFEID, err)
		}
	}
	return nil
}

func (s *Server) makeEndpoints() {
	s.workloadEnd = unixEndpoint(s.cfg.WorkloadSocket, 0o777, s.workloadServer)
	s.serverEnd = unixEndpoint(s.cfg.ServerSocket, 0o770, s.spireServer)
	s.oidcEnd = tcpEndpoint(s.cfg.OIDCAddr, func() server { return newHTTPServer(s.oidc.handler()) })
	s.adminEnd = tcpEndpoint(s.cfg.AdminAddr, func() server { return newHTTPServer(s.adminHandler()) })
}

// listen opens the addresses, the admin address last: it is the sign that all is ready.
func (s *Server) listen() error {
	if err := s.oidcEnd.set(modeServe); err != nil {
		return err
	}
	s.issuer.setOIDCURL("http://" + s.oidcEnd.addr())
	s.agent.sync()
	for _, e := range []*endpoint{s.serverEnd, s.workloadEnd, s.adminEnd} {
		if err := e.set(modeServe); err != nil {
			return err
		}
	}
	return nil
}

// workloadServer is the agent's face.
func (s *Server) workloadServer() server {
	g := grpc.NewServer(
		grpc.Creds(peerCredentials{}),
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(requireHeaderUnary),
		grpc.StreamInterceptor(requireHeaderStream))
	workload.RegisterSpiffeWorkloadAPIServer(g, &workloadAPI{agent: s.agent, attest: s.attest, faults: s.faults, log: s.log})
	grpc_health_v1.RegisterHealthServer(g, healthAPI{healthy: func() bool { return true }})
	return grpcServer{g}
}

// spireServer is the server's face on its local socket, where SPIRE trusts every caller as an admin.
func (s *Server) spireServer() server {
	g := grpc.NewServer(grpc.WaitForHandlers(true))
	entryv1.RegisterEntryServer(g, &entryAPI{td: s.td, store: s.entries})
	agentv1.RegisterAgentServer(g, &agentAPI{td: s.td, nodes: s.nodes})
	bundlev1.RegisterBundleServer(g, &bundleAPI{authority: s.authority})
	localauthorityv1.RegisterLocalAuthorityServer(g, &localAuthorityAPI{authority: s.authority})
	grpc_health_v1.RegisterHealthServer(g, healthAPI{healthy: func() bool { return !s.faults.get().ServerUnhealthy }})
	return grpcServer{g}
}

// nodes are all that the server may know of.
func (s *Server) nodes() []*node { return append([]*node{s.node}, s.peers.all()...) }

// loop runs f at every tick until ctx ends; Close waits for it.
func (s *Server) loop(ctx context.Context, every time.Duration, f func()) {
	s.loops.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-ctx.Done():
				return
			}
		}
	})
}

// rotateAlone drops the key before last, so that the bundle of a lab left running does not grow.
func (s *Server) rotateAlone() {
	s.authority.pruneJWT()
	if err := s.RotateJWT(); err != nil {
		s.log.Error("rotate JWT authority", "error", err)
	}
}

// RotateJWT prepares a key, lets the agent see it, and signs with it from then on. The old key stays in the bundle.
func (s *Server) RotateJWT() error {
	if _, err := s.authority.jwtPrepare(); err != nil {
		return err
	}
	s.agent.sync()
	s.authority.jwtRotate()
	return nil
}

// PruneJWT takes every key out of the bundle that neither signs nor is prepared to.
func (s *Server) PruneJWT() {
	s.authority.pruneJWT()
	s.agent.sync()
}

// WorkloadAddr is the Workload API's address, as go-spiffe takes it.
func (s *Server) WorkloadAddr() string { return "unix://" + s.cfg.WorkloadSocket }

// ServerAddr is the SPIRE server's address, as grpc.NewClient takes it.
func (s *Server) ServerAddr() string { return "unix://" + s.cfg.ServerSocket }

// OIDCURL is the issuer: the root of the discovery provider.
func (s *Server) OIDCURL() string { return s.issuer.oidcURL() }

// AdminURL is the root of the admin address.
func (s *Server) AdminURL() string { return "http://" + s.adminEnd.addr() }

// Close ends everything and waits for it.
func (s *Server) Close() error {
	s.cancel()
	s.loops.Wait()
	return s.closeEndpoints()
}

func (s *Server) closeEndpoints() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.closed = true
	var errs []error
	for _, e := range []*endpoint{s.adminEnd, s.workloadEnd, s.serverEnd, s.oidcEnd} {
		errs = append(errs, e.set(modeMissing))
	}
	return errors.Join(errs...)
}

func newHTTPServer(h http.Handler) server {
	return httpServer{&http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}}
}
