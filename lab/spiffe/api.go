package spiffe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// apiError is an error of the server API as SPIRE makes it: the inner text follows, but not for NotFound.
func apiError(code codes.Code, msg string, err error) error {
	if err == nil || code == codes.NotFound {
		return status.Error(code, msg)
	}
	return status.Errorf(code, "%s: %s", msg, status.Convert(err).Message())
}

// apiStatus is apiError in the results of a batch.
func apiStatus(code codes.Code, msg string, err error) *types.Status {
	return &types.Status{Code: int32(code), Message: status.Convert(apiError(code, msg, err)).Message()}
}

func apiOK() *types.Status { return &types.Status{Code: int32(codes.OK), Message: codes.OK.String()} }

// workloadID, memberID and agentID read an ID of a request and refuse those of the wrong kind.
func workloadID(td spiffeid.TrustDomain, p *types.SPIFFEID) (spiffeid.ID, error) {
	id, err := memberOf(td, p, "a workload")
	if err == nil && (id.Path() == "/spire" || strings.HasPrefix(id.Path(), "/spire/")) {
		err = fmt.Errorf("%q is not a workload in trust domain %q; path is in the reserved namespace", id, td)
	}
	return id, err
}

func memberID(td spiffeid.TrustDomain, p *types.SPIFFEID) (spiffeid.ID, error) {
	id, err := idFrom(p)
	switch {
	case err != nil:
		return id, err
	case !id.MemberOf(td):
		return id, fmt.Errorf("%q is not a member of trust domain %q", id, td)
	case id.Path() == "":
		return id, fmt.Errorf("%q is not a member of trust domain %q; path is empty", id, td)
	}
	return id, nil
}

func agentID(td spiffeid.TrustDomain, p *types.SPIFFEID) (spiffeid.ID, error) {
	id, err := memberOf(td, p, "an agent")
	if err == nil && !strings.HasPrefix(id.Path(), "/spire/agent/") {
		err = fmt.Errorf("%q is not an agent in trust domain %q; path is not in the agent namespace", id, td)
	}
	return id, err
}

func memberOf(td spiffeid.TrustDomain, p *types.SPIFFEID, kind string) (spiffeid.ID, error) {
	id, err := idFrom(p)
	switch {
	case err != nil:
		return id, err
	case !id.MemberOf(td):
		return id, fmt.Errorf("%q is not a member of trust domain %q", id, td)
	case id.Path() == "":
		return id, fmt.Errorf("%q is not %s in trust domain %q; path is empty", id, kind, td)
	}
	return id, nil
}

func idFrom(p *types.SPIFFEID) (spiffeid.ID, error) {
	if p == nil {
		return spiffeid.ID{}, errors.New("request must specify SPIFFE ID")
	}
	td, err := spiffeid.TrustDomainFromString(p.TrustDomain)
	if err != nil {
		return spiffeid.ID{}, err
	}
	return spiffeid.FromPath(td, p.Path)
}

// applyMask clears the fields of m that mask has by name and does not want. A nil mask wants all. The names are the
// same in every pair of message and mask of the server API.
func applyMask(m, mask proto.Message) {
	if !mask.ProtoReflect().IsValid() {
		return
	}
	target := m.ProtoReflect()
	eachMaskField(m, mask, func(field protoreflect.FieldDescriptor, wanted bool) {
		if !wanted {
			target.Clear(field)
		}
	})
}

// mergeMask copies the wanted fields of from over those of to.
func mergeMask(to, from, mask proto.Message) {
	target, source := to.ProtoReflect(), from.ProtoReflect()
	eachMaskField(to, mask, func(field protoreflect.FieldDescriptor, wanted bool) {
		switch {
		case !wanted:
		case source.Has(field):
			target.Set(field, source.Get(field))
		default:
			target.Clear(field)
		}
	})
}

// eachMaskField visits the fields that a message and its mask have in common. A nil mask wants each.
func eachMaskField(m, mask proto.Message, visit func(field protoreflect.FieldDescriptor, wanted bool)) {
	reflected := mask.ProtoReflect()
	names := reflected.Descriptor().Fields()
	for i := range names.Len() {
		field := m.ProtoReflect().Descriptor().Fields().ByName(names.Get(i).Name())
		if field != nil {
			visit(field, !reflected.IsValid() || reflected.Get(names.Get(i)).Bool())
		}
	}
}

// healthAPI is grpc.health.v1 for a whole process, as SPIRE has it.
type healthAPI struct {
	grpc_health_v1.UnimplementedHealthServer

	healthy func() bool
}

// Check knows no single services.
func (h healthAPI) Check(_ context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if req.Service != "" {
		return nil, apiError(codes.InvalidArgument, "per-service health is not supported", nil)
	}
	answer := grpc_health_v1.HealthCheckResponse_SERVING
	if !h.healthy() {
		answer = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return &grpc_health_v1.HealthCheckResponse{Status: answer}, nil
}
