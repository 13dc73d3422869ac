package spiffe

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	workloadService = "/SpiffeWorkloadAPI/"
	securityHeader  = "workload.spiffe.io"
	// placeholder is no JWT: what a client that swallows errors may carry around.
	placeholder = "placeholder-jwt-svid"
)

// workloadAPI answers the SPIFFE Workload API with SPIRE's own codes and texts.
type workloadAPI struct {
	workload.UnimplementedSpiffeWorkloadAPIServer

	agent  *agent
	attest Attestor
	faults *faultBox
	log    *slog.Logger
}

func requireHeaderUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := requireHeader(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func requireHeaderStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := requireHeader(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(srv, stream)
}

// requireHeader keeps out requests that a workload was tricked into; health checks do not need it.
func requireHeader(ctx context.Context, method string) error {
	if !strings.HasPrefix(method, workloadService) {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(securityHeader); len(values) != 1 || values[0] != "true" {
		return status.Error(codes.InvalidArgument, "security header missing from request")
	}
	return nil
}

// selectors attests the caller.
func (w *workloadAPI) selectors(ctx context.Context) ([]*types.Selector, error) {
	p, err := peerFrom(ctx)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	texts, err := w.attest(ctx, p)
	if err != nil {
		w.log.Error("workload attestation failed", "pid", p.PID, "error", err)
		return nil, status.Error(codes.Unknown, err.Error())
	}
	selectors, err := parseSelectors(texts)
	if err != nil {
		return nil, status.Errorf(codes.Unknown, "selectors of process %d: %v", p.PID, err)
	}
	return selectors, nil
}

func noIdentity() error { return status.Error(codes.PermissionDenied, "no identity issued") }

// FetchJWTSVID is one token for each of the caller's entries, or for the one asked for.
func (w *workloadAPI) FetchJWTSVID(ctx context.Context, req *workload.JWTSVIDRequest) (*workload.JWTSVIDResponse, error) {
	if len(req.Audience) == 0 {
		return nil, status.Error(codes.InvalidArgument, "audience must be specified")
	}
	if req.SpiffeId != "" {
		if _, err := spiffeid.FromString(req.SpiffeId); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "invalid requested SPIFFE ID: %v", err)
		}
	}
	selectors, err := w.selectors(ctx)
	if err != nil {
		return nil, err
	}
	resp := new(workload.JWTSVIDResponse)
	for _, e := range w.agent.matching(selectors).entries {
		if req.SpiffeId != "" && req.SpiffeId != idString(e.SpiffeId) {
			continue
		}
		token, err := w.token(ctx, e, req.Audience)
		if err != nil {
			return nil, status.Errorf(codes.Unavailable, "could not fetch JWT-SVID: %v", err)
		}
		resp.Svids = append(resp.Svids, &workload.JWTSVID{SpiffeId: idString(e.SpiffeId), Svid: token, Hint: e.Hint})
	}
	if len(resp.Svids) == 0 {
		return nil, noIdentity()
	}
	return resp, nil
}

func (w *workloadAPI) token(ctx context.Context, e *types.Entry, audience []string) (string, error) {
	if w.faults.get().PlaceholderSVID {
		return placeholder, nil
	}
	return w.agent.jwt(ctx, e, audience)
}

// ValidateJWTSVID checks a token against the bundle that the agent has.
func (w *workloadAPI) ValidateJWTSVID(ctx context.Context, req *workload.ValidateJWTSVIDRequest) (*workload.ValidateJWTSVIDResponse, error) {
	switch {
	case req.Audience == "":
		return nil, status.Error(codes.InvalidArgument, "audience must be specified")
	case req.Svid == "":
		return nil, status.Error(codes.InvalidArgument, "svid must be specified")
	}
	if _, err := w.selectors(ctx); err != nil {
		return nil, err
	}
	id, claims, err := validateToken(req.Svid, w.agent.currentBundle(), req.Audience, w.agent.issuer.now())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &workload.ValidateJWTSVIDResponse{SpiffeId: id.String(), Claims: claims}, nil
}

// FetchX509SVID sends the caller's SVIDs, and again whenever they change.
func (w *workloadAPI) FetchX509SVID(_ *workload.X509SVIDRequest, stream grpc.ServerStreamingServer[workload.X509SVIDResponse]) error {
	return watch(w, stream, func(v view) *workload.X509SVIDResponse {
		resp := &workload.X509SVIDResponse{FederatedBundles: map[string][]byte{}}
		for i, e := range v.entries {
			resp.Svids = append(resp.Svids, &workload.X509SVID{
				SpiffeId: idString(e.SpiffeId), X509Svid: v.x509s[i].cert.Raw, X509SvidKey: v.x509s[i].keyDER,
				Bundle: v.bundle.rootsDER(), Hint: e.Hint,
			})
		}
		return resp
	})
}

// FetchX509Bundles sends the X.509 authorities, and again whenever they change.
func (w *workloadAPI) FetchX509Bundles(_ *workload.X509BundlesRequest, stream grpc.ServerStreamingServer[workload.X509BundlesResponse]) error {
	return watch(w, stream, func(v view) *workload.X509BundlesResponse {
		return &workload.X509BundlesResponse{Bundles: map[string][]byte{v.bundle.td.IDString(): v.bundle.rootsDER()}}
	})
}

// FetchJWTBundles sends the JWT authorities, and again whenever they change.
func (w *workloadAPI) FetchJWTBundles(_ *workload.JWTBundlesRequest, stream grpc.ServerStreamingServer[workload.JWTBundlesResponse]) error {
	return watch(w, stream, func(v view) *workload.JWTBundlesResponse {
		document, err := v.bundle.jwtBundle().Marshal()
		if err != nil {
			w.log.Error("marshal JWT bundle", "error", err)
			return nil
		}
		return &workload.JWTBundlesResponse{Bundles: map[string][]byte{v.bundle.td.IDString(): document}}
	})
}

// message is a response type that watch can compare and send.
type message[T any] interface {
	*T
	proto.Message
}

// watch sends what compose makes of the agent's view, each time that it differs from what was sent last, until the
// caller goes or has no identity any more.
func watch[T any, M message[T]](w *workloadAPI, stream grpc.ServerStreamingServer[T], compose func(view) M) error {
	selectors, err := w.selectors(stream.Context())
	if err != nil {
		return err
	}
	var last M
	for {
		v := w.agent.matching(selectors)
		if len(v.entries) == 0 {
			return noIdentity()
		}
		resp := compose(v)
		if resp == nil {
			return status.Error(codes.Unavailable, "could not serialize response: bundle cannot be written")
		}
		if last == nil || !proto.Equal(resp, last) {
			if err := stream.Send(resp); err != nil {
				return err
			}
			last = resp
		}
		select {
		case <-v.changed:
		case <-stream.Context().Done():
			return nil
		}
	}
}
