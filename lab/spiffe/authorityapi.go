package spiffe

import (
	"context"

	bundlev1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/bundle/v1"
	localauthorityv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/localauthority/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
)

// bundleAPI is bundle.v1 without federation: the one bundle of the trust domain.
type bundleAPI struct {
	bundlev1.UnimplementedBundleServer

	authority *authority
}

// GetBundle needs no credential in SPIRE either.
func (a *bundleAPI) GetBundle(_ context.Context, req *bundlev1.GetBundleRequest) (*types.Bundle, error) {
	p, err := a.authority.bundle().proto()
	if err != nil {
		return nil, apiError(codes.Internal, "failed to convert bundle", err)
	}
	applyMask(p, req.OutputMask)
	return p, nil
}

// CountBundles counts the trust domain's own.
func (a *bundleAPI) CountBundles(context.Context, *bundlev1.CountBundlesRequest) (*bundlev1.CountBundlesResponse, error) {
	return &bundlev1.CountBundlesResponse{Count: 1}, nil
}

// localAuthorityAPI is localauthority.v1 for JWT and X.509, without an upstream authority.
type localAuthorityAPI struct {
	localauthorityv1.UnimplementedLocalAuthorityServer

	authority *authority
}

// GetJWTAuthorityState is the slots of the JWT keys.
func (a *localAuthorityAPI) GetJWTAuthorityState(context.Context, *localauthorityv1.GetJWTAuthorityStateRequest) (*localauthorityv1.GetJWTAuthorityStateResponse, error) {
	active, prepared, old := a.states(&a.authority.jwt)
	return &localauthorityv1.GetJWTAuthorityStateResponse{Active: active, Prepared: prepared, Old: old}, nil
}

// PrepareJWTAuthority publishes a key that does not sign yet.
func (a *localAuthorityAPI) PrepareJWTAuthority(context.Context, *localauthorityv1.PrepareJWTAuthorityRequest) (*localauthorityv1.PrepareJWTAuthorityResponse, error) {
	state, err := a.prepare(&a.authority.jwt, "failed to prepare JWT authority")
	if err != nil {
		return nil, err
	}
	return &localauthorityv1.PrepareJWTAuthorityResponse{PreparedAuthority: state}, nil
}

// ActivateJWTAuthority makes the prepared key sign.
func (a *localAuthorityAPI) ActivateJWTAuthority(_ context.Context, req *localauthorityv1.ActivateJWTAuthorityRequest) (*localauthorityv1.ActivateJWTAuthorityResponse, error) {
	k, err := a.authority.change(func() (*signingKey, error) { return a.authority.jwt.activate(req.AuthorityId) })
	if err != nil {
		return nil, err
	}
	return &localauthorityv1.ActivateJWTAuthorityResponse{ActivatedAuthority: stateOf(k)}, nil
}

// TaintJWTAuthority makes the agent drop what the old key signed.
func (a *localAuthorityAPI) TaintJWTAuthority(_ context.Context, req *localauthorityv1.TaintJWTAuthorityRequest) (*localauthorityv1.TaintJWTAuthorityResponse, error) {
	k, err := a.authority.change(func() (*signingKey, error) { return a.authority.jwt.taint(req.AuthorityId) })
	if err != nil {
		return nil, err
	}
	// SPIRE tells only the ID here.
	return &localauthorityv1.TaintJWTAuthorityResponse{TaintedAuthority: &localauthorityv1.AuthorityState{AuthorityId: k.id}}, nil
}

// RevokeJWTAuthority takes a key out of the bundle.
func (a *localAuthorityAPI) RevokeJWTAuthority(_ context.Context, req *localauthorityv1.RevokeJWTAuthorityRequest) (*localauthorityv1.RevokeJWTAuthorityResponse, error) {
	if err := a.authority.revokeJWT(req.AuthorityId); err != nil {
		return nil, err
	}
	return &localauthorityv1.RevokeJWTAuthorityResponse{
		RevokedAuthority: &localauthorityv1.AuthorityState{AuthorityId: req.AuthorityId},
	}, nil
}

// GetX509AuthorityState is the slots of the X.509 CAs.
func (a *localAuthorityAPI) GetX509AuthorityState(context.Context, *localauthorityv1.GetX509AuthorityStateRequest) (*localauthorityv1.GetX509AuthorityStateResponse, error) {
	active, prepared, old := a.states(&a.authority.x509)
	return &localauthorityv1.GetX509AuthorityStateResponse{Active: active, Prepared: prepared, Old: old}, nil
}

// PrepareX509Authority publishes a CA that does not sign yet.
func (a *localAuthorityAPI) PrepareX509Authority(context.Context, *localauthorityv1.PrepareX509AuthorityRequest) (*localauthorityv1.PrepareX509AuthorityResponse, error) {
	state, err := a.prepare(&a.authority.x509, "failed to prepare X.509 authority")
	if err != nil {
		return nil, err
	}
	return &localauthorityv1.PrepareX509AuthorityResponse{PreparedAuthority: state}, nil
}

// ActivateX509Authority makes the prepared CA sign.
func (a *localAuthorityAPI) ActivateX509Authority(_ context.Context, req *localauthorityv1.ActivateX509AuthorityRequest) (*localauthorityv1.ActivateX509AuthorityResponse, error) {
	k, err := a.authority.change(func() (*signingKey, error) { return a.authority.x509.activate(req.AuthorityId) })
	if err != nil {
		return nil, err
	}
	return &localauthorityv1.ActivateX509AuthorityResponse{ActivatedAuthority: stateOf(k)}, nil
}

// TaintX509Authority makes the agent renew what the old CA signed.
func (a *localAuthorityAPI) TaintX509Authority(_ context.Context, req *localauthorityv1.TaintX509AuthorityRequest) (*localauthorityv1.TaintX509AuthorityResponse, error) {
	k, err := a.authority.change(func() (*signingKey, error) { return a.authority.x509.taint(req.AuthorityId) })
	if err != nil {
		return nil, err
	}
	return &localauthorityv1.TaintX509AuthorityResponse{TaintedAuthority: stateOf(k)}, nil
}

// RevokeX509Authority takes the old CA out of the bundle.
func (a *localAuthorityAPI) RevokeX509Authority(_ context.Context, req *localauthorityv1.RevokeX509AuthorityRequest) (*localauthorityv1.RevokeX509AuthorityResponse, error) {
	if err := a.authority.revokeX509(req.AuthorityId); err != nil {
		return nil, err
	}
	return &localauthorityv1.RevokeX509AuthorityResponse{
		RevokedAuthority: &localauthorityv1.AuthorityState{AuthorityId: req.AuthorityId},
	}, nil
}

func (a *localAuthorityAPI) prepare(r *ring, failure string) (*localauthorityv1.AuthorityState, error) {
	k, err := a.authority.change(r.prepare)
	if err != nil {
		return nil, apiError(codes.Internal, failure, err)
	}
	return stateOf(k), nil
}

func (a *localAuthorityAPI) states(r *ring) (active, prepared, old *localauthorityv1.AuthorityState) {
	current, next := a.authority.slots(r)
	active = stateOf(current)
	switch {
	case next == nil:
	case next.status == keyPrepared:
		prepared = stateOf(*next)
	default:
		old = stateOf(*next)
	}
	return active, prepared, old
}

func stateOf(k signingKey) *localauthorityv1.AuthorityState {
	return &localauthorityv1.AuthorityState{AuthorityId: k.id, ExpiresAt: k.notAfter.Unix()}
}
