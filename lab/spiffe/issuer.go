package spiffe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// agentTimeout is how long the agent waits for a server that does not answer.
	agentTimeout = 5 * time.Second
	// expiredFor is how long ago an SVID of the expired fault ended: beyond what verifiers forgive, Vault 150 s.
	expiredFor = 10 * time.Minute
)

// issuer is the server as the agent reaches it: it answers what SPIRE answers over the wire, errors included.
type issuer struct {
	td        spiffeid.TrustDomain
	authority *authority
	entries   *entryStore
	node      *node
	faults    *faultBox
	now       func() time.Time
	jwtTTL    time.Duration
	x509TTL   time.Duration
	url       atomic.Pointer[string]
}

// jwtSVID is a signed token and what the agent keeps of it.
type jwtSVID struct {
	token     string
	kid       string
	issuedAt  time.Time
	expiresAt time.Time
}

// x509SVID is a certificate with its key and what it was made from.
type x509SVID struct {
	cert     *x509.Certificate
	keyDER   []byte
	issuer   string
	revision int64
}

func (i *issuer) setOIDCURL(u string) { i.url.Store(&u) }

// oidcURL is the iss claim; it is known once the OIDC address is.
func (i *issuer) oidcURL() string {
	if u := i.url.Load(); u != nil {
		return *u
	}
	return ""
}

// reachable is nil if the server answers at once.
func (i *issuer) reachable() error {
	switch f := i.faults.get(); {
	case f.ServerDown:
		return status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:8081: connect: connection refused"`)
	case f.ServerHang:
		return status.Error(codes.DeadlineExceeded, context.DeadlineExceeded.Error())
	}
	return nil
}

// call is reachable for a caller that waits: a server that hangs takes its time.
func (i *issuer) call(ctx context.Context) error {
	err := i.reachable()
	if status.Code(err) != codes.DeadlineExceeded {
		return err
	}
	wait := time.NewTimer(agentTimeout)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-wait.C:
		return err
	}
}

// newJWT signs a token for an entry.
func (i *issuer) newJWT(ctx context.Context, entryID string, audience []string) (jwtSVID, error) {
	if err := i.call(ctx); err != nil {
		return jwtSVID{}, err
	}
	if err := i.node.authorize(); err != nil {
		return jwtSVID{}, err
	}
	entry := i.entries.get(entryID)
	if entry == nil {
		return jwtSVID{}, status.Error(codes.NotFound, "entry not found or not authorized")
	}
	key := i.authority.jwtSigner()
	issuedAt, expiresAt := i.jwtLife(entry, key.notAfter)
	token, err := i.sign(key, jwt.Claims{
		Subject: idString(entry.SpiffeId), Audience: audience, Issuer: i.oidcURL(),
		IssuedAt: jwt.NewNumericDate(issuedAt), Expiry: jwt.NewNumericDate(expiresAt),
	})
	if err != nil {
		return jwtSVID{}, status.Errorf(codes.Internal, "failed to sign JWT-SVID: %v", err)
	}
	return jwtSVID{token: token, kid: key.id, issuedAt: issuedAt, expiresAt: expiresAt}, nil
}

// jwtLife never outlives the signing key.
func (i *issuer) jwtLife(entry *types.Entry, keyEnd time.Time) (from, to time.Time) {
	ttl := i.jwtTTL
	if entry.JwtSvidTtl > 0 {
		ttl = time.Duration(entry.JwtSvidTtl) * time.Second
	}
	f := i.faults.get()
	if f.JWTTTL > 0 {
		ttl = time.Duration(f.JWTTTL)
	}
	from = i.now()
	if f.SVIDExpired {
		from = from.Add(-expiredFor - ttl)
	}
	to = from.Add(ttl)
	if keyEnd.Before(to) {
		to = keyEnd
	}
	return from, to
}

func (i *issuer) sign(key signingKey, claims jwt.Claims) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key.signer, KeyID: key.id}},
		new(jose.SignerOptions).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// newX509 signs a certificate for an entry.
func (i *issuer) newX509(entry *types.Entry) (x509SVID, error) {
	id, err := url.Parse(idString(entry.SpiffeId))
	if err != nil {
		return x509SVID{}, fmt.Errorf("read SPIFFE ID: %w", err)
	}
	ttl := i.x509TTL
	if entry.X509SvidTtl > 0 {
		ttl = time.Duration(entry.X509SvidTtl) * time.Second
	}
	serial, err := newSerial()
	if err != nil {
		return x509SVID{}, err
	}
	now := i.now()
	svid, err := i.signX509(&x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Country: []string{"US"}, Organization: []string{"SPIRE"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(ttl),
		URIs:         []*url.URL{id},
		DNSNames:     entry.DnsNames,
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true,
	})
	svid.revision = entry.RevisionNumber
	return svid, err
}

func (i *issuer) signX509(template *x509.Certificate) (x509SVID, error) {
	ca := i.authority.x509Signer()
	if ca.notAfter.Before(template.NotAfter) {
		template.NotAfter = ca.notAfter
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return x509SVID{}, fmt.Errorf("generate key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.signer)
	if err != nil {
		return x509SVID{}, fmt.Errorf("sign X509-SVID: %w", err)
	}
	cert, certErr := x509.ParseCertificate(der)
	keyDER, keyErr := x509.MarshalPKCS8PrivateKey(key)
	return x509SVID{cert: cert, keyDER: keyDER, issuer: ca.id}, errors.Join(certErr, keyErr)
}
