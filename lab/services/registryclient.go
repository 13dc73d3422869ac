package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// placeholderToken is what the public system sends where SPIFFE is switched off: no JWT at all.
const placeholderToken = "placeholder-jwt-svid"

// flow names one request through the services.
type flow struct {
	requestID string
	planID    string
}

func (f flow) fields() []any {
	fields := []any{"request_id", f.requestID}
	if f.planID != "" {
		fields = append(fields, "plan_id", f.planID)
	}
	return fields
}

// registryClient calls the registry with a JWT-SVID in metadata. Its metrics count tokens attached, not accepted.
type registryClient struct {
	conn      *grpc.ClientConn
	svid      func(ctx context.Context, audience string) (*jwtsvid.SVID, error)
	forget    func(audience string)
	behaviour *switches
	metrics   *metrics
	log       *slog.Logger
	cfg       Config

	mu   sync.Mutex
	kept *jwtsvid.SVID // what is sent for as long as the behaviour is "cached"
}

func newRegistryClient(cfg Config, id *identity, behaviour *switches, m *metrics, log *slog.Logger) (*registryClient, error) {
	conn, err := grpc.NewClient(cfg.RegistryAddr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: cfg.tick() / 4, Multiplier: 1.5, Jitter: 0.1, MaxDelay: cfg.tick()},
			MinConnectTimeout: cfg.callTimeout(),
		}))
	if err != nil {
		return nil, fmt.Errorf("registry address %q: %w", cfg.RegistryAddr, err)
	}
	return &registryClient{
		conn: conn, svid: id.jwt, forget: id.forget, behaviour: behaviour, metrics: m, log: log, cfg: cfg,
	}, nil
}

// call runs one method and tells of its failure. It returns false when the call failed.
func (c *registryClient) call(ctx context.Context, method, value string, f flow) (string, bool) {
	began := ctx
	ctx, cancel := context.WithTimeout(ctx, c.cfg.callTimeout())
	defer cancel()
	ctx, ok := c.authenticate(ctx, f)
	if !ok {
		return "", false
	}
	out := new(wrapperspb.StringValue)
	err := c.conn.Invoke(ctx, method, wrapperspb.String(value), out)
	if began.Err() != nil {
		return "", false
	}
	if err != nil {
		c.refused(ctx, method, err, f)
		return "", false
	}
	return out.GetValue(), true
}

// authenticate attaches the flow and the JWT-SVID. It is false when there is none and the call may not go without.
func (c *registryClient) authenticate(ctx context.Context, f flow) (context.Context, bool) {
	ctx = metadata.AppendToOutgoingContext(ctx, headerRequestID, f.requestID, headerPlanID, f.planID)
	token, err := c.token(ctx, f)
	if err != nil {
		return ctx, c.withoutToken(ctx, f)
	}
	c.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusSuccess).Inc()
	return metadata.AppendToOutgoingContext(ctx, headerAuthorization, "Bearer "+token), true
}

func (c *registryClient) withoutToken(ctx context.Context, f flow) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false // the service is stopping
	}
	c.metrics.clientFailures.WithLabelValues(ServiceRegistry, "fetch_failed").Inc()
	if c.cfg.JWTOptional {
		c.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusFallback).Inc()
		return true
	}
	c.metrics.clientAttempts.WithLabelValues(ServiceRegistry, statusError).Inc()
	c.log.ErrorContext(ctx, "jwt_auth_required_fallback_disabled", f.fields()...)
	return false
}

func (c *registryClient) token(ctx context.Context, f flow) (string, error) {
	behaviour := c.behaviour.now()
	if behaviour.SVID == behavePlaceholder {
		c.log.WarnContext(ctx, "jwt_svid_is_placeholder", f.fields()...)
		return placeholderToken, nil
	}
	svid, err := c.choose(ctx, behaviour)
	if err != nil {
		return "", err
	}
	fields := append(f.fields(), "spiffe_id", svid.ID.String(), "audience", svid.Audience,
		"kid", keyID(svid.Marshal()), "expires_at", svid.Expiry.UTC().Format(time.RFC3339))
	// The two services of the public system name the same thing differently, and at different levels.
	if c.cfg.Name == Orchestrator {
		c.log.DebugContext(ctx, "jwt_svid_attached", fields...)
	} else {
		c.log.InfoContext(ctx, "jwt_svid_added_to_metadata", fields...)
	}
	return svid.Marshal(), nil
}

// choose gives the SVID to send: a fresh one, or for as long as the behaviour is "cached" the one first sent under it.
func (c *registryClient) choose(ctx context.Context, behaviour Behaviour) (*jwtsvid.SVID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behaviour.SVID != behaveCached {
		c.kept = nil
	}
	if c.kept != nil {
		return c.kept, nil
	}
	svid, err := c.svid(ctx, c.audience(behaviour))
	if err == nil && behaviour.SVID == behaveCached {
		c.kept = svid
	}
	return svid, err
}

func (c *registryClient) audience(behaviour Behaviour) string {
	if behaviour.Audience != "" {
		return behaviour.Audience
	}
	return c.cfg.RegistryAudience
}

// refused tells of a failed call. As in the public system, grpc_discovery_error is not said of refused callers.
func (c *registryClient) refused(ctx context.Context, method string, err error, f flow) {
	refusal := status.Code(err)
	fields := append(f.fields(), "method", method, "grpc_code", codeName(refusal), "error", clean(status.Convert(err).Message()))
	switch refusal {
	case codes.Unauthenticated:
		c.metrics.clientFailures.WithLabelValues(ServiceRegistry, "unauthenticated").Inc()
		c.forget(c.audience(c.behaviour.now()))
		c.log.ErrorContext(ctx, "authentication_failed", fields...)
	case codes.PermissionDenied:
		c.metrics.clientFailures.WithLabelValues(ServiceRegistry, "permission_denied").Inc()
		c.log.ErrorContext(ctx, "authorization_failed", fields...)
	default:
		c.log.ErrorContext(ctx, "grpc_discovery_error", fields...)
	}
}

func (c *registryClient) close() { _ = c.conn.Close() }

// codeName spells a code as the protocol and the runbook do: UNAUTHENTICATED.
func codeName(c codes.Code) string { return code.Code(c).String() }
