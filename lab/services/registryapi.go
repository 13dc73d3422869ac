package services

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The registry's service, described by hand: two unary methods over strings need no generated code.
const (
	registryService = "neural_hive.registry.v1.ServiceRegistry"
	// methodAnnounce takes the id of a plan that the orchestrator made.
	methodAnnounce = "/" + registryService + "/Announce"
	// methodDiscover gives the id of the latest plan, or "".
	methodDiscover = "/" + registryService + "/Discover"
)

// Metadata that carries a flow's identity.
const (
	headerAuthorization = "authorization"
	headerRequestID     = "x-request-id"
	headerPlanID        = "x-plan-id"
)

// registryServer answers the registry's methods.
type registryServer interface {
	announce(ctx context.Context, planID string) (string, error)
	discover(ctx context.Context, want string) (string, error)
}

func registryDesc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: registryService,
		HandlerType: (*registryServer)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Announce", Handler: unary(methodAnnounce, registryServer.announce)},
			{MethodName: "Discover", Handler: unary(methodDiscover, registryServer.discover)},
		},
	}
}

// unary adapts a method over strings to what grpc dispatches.
func unary(full string, method func(registryServer, context.Context, string) (string, error)) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.StringValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		handler := func(ctx context.Context, req any) (any, error) {
			out, err := method(srv.(registryServer), ctx, req.(*wrapperspb.StringValue).GetValue())
			return wrapperspb.String(out), err
		}
		if intercept == nil {
			return handler(ctx, in)
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: full}, handler)
	}
}
