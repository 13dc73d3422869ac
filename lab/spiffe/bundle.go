package spiffe

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
)

// authorityKey is what a bundle says of one authority.
type authorityKey struct {
	id       string
	public   *ecdsa.PublicKey
	cert     *x509.Certificate
	notAfter time.Time
	tainted  bool
}

// bundle is one version of the trust bundle; it never changes.
type bundle struct {
	td       spiffeid.TrustDomain
	jwt      []authorityKey
	x509     []authorityKey
	sequence uint64
}

// kids are the IDs of the JWT authorities, oldest first.
func (b *bundle) kids() []string {
	ids := make([]string, len(b.jwt))
	for i, k := range b.jwt {
		ids[i] = k.id
	}
	return ids
}

// tainted tells whether an authority of either kind is marked as no longer trusted.
func (b *bundle) tainted(id string) bool {
	for _, keys := range [][]authorityKey{b.jwt, b.x509} {
		for _, k := range keys {
			if k.id == id {
				return k.tainted
			}
		}
	}
	return false
}

// proto is the bundle as the server API says it.
func (b *bundle) proto() (*types.Bundle, error) {
	out := &types.Bundle{TrustDomain: b.td.Name(), SequenceNumber: b.sequence}
	for _, k := range b.x509 {
		out.X509Authorities = append(out.X509Authorities, &types.X509Certificate{Asn1: k.cert.Raw, Tainted: k.tainted})
	}
	for _, k := range b.jwt {
		public, err := x509.MarshalPKIXPublicKey(k.public)
		if err != nil {
			return nil, fmt.Errorf("marshal JWT authority %q: %w", k.id, err)
		}
		out.JwtAuthorities = append(out.JwtAuthorities, &types.JWTKey{
			PublicKey: public, KeyId: k.id, ExpiresAt: k.notAfter.Unix(), Tainted: k.tainted,
		})
	}
	return out, nil
}

// rootsDER are the X.509 authorities, one after the other, as the Workload API sends them.
func (b *bundle) rootsDER() []byte {
	var der []byte
	for _, k := range b.x509 {
		der = append(der, k.cert.Raw...)
	}
	return der
}

// jwtBundle is the form that go-spiffe validates with.
func (b *bundle) jwtBundle() *jwtbundle.Bundle {
	keys := make(map[string]crypto.PublicKey, len(b.jwt))
	for _, k := range b.jwt {
		keys[k.id] = k.public
	}
	return jwtbundle.FromJWTAuthorities(b.td, keys)
}

// jwks is the document of the OIDC provider.
func (b *bundle) jwks() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range b.jwt {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.id, Algorithm: string(jose.ES256), Use: "sig"})
	}
	return set
}
