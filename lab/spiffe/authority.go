package spiffe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// backdate is how far in the past a certificate starts, for clocks that differ; it is SPIRE's own.
const backdate = 10 * time.Second

type keyStatus int

const (
	keyPrepared keyStatus = iota
	keyActive
	keyOld
)

// signingKey is one authority of the server: a JWT key, or an X.509 CA if it has a certificate.
type signingKey struct {
	id       string
	status   keyStatus
	signer   *ecdsa.PrivateKey
	cert     *x509.Certificate
	notAfter time.Time
}

// ring holds the authorities of one kind as SPIRE's two slots do: the current one, and the next, which is prepared or
// old. It also holds what the bundle says of them, which may be more: a key stays there after it left its slot.
type ring struct {
	generate  func() (*signingKey, error)
	current   *signingKey
	next      *signingKey
	published []authorityKey
}

// prepare puts a fresh key in the next slot and in the bundle.
func (r *ring) prepare() (*signingKey, error) {
	k, err := r.generate()
	if err != nil {
		return nil, err
	}
	r.next = k
	r.published = append(r.published, authorityKey{id: k.id, public: &k.signer.PublicKey, cert: k.cert, notAfter: k.notAfter})
	return k, nil
}

// rotate makes the prepared key sign.
func (r *ring) rotate() {
	r.current, r.next = r.next, r.current
	r.current.status = keyActive
	if r.next != nil {
		r.next.status = keyOld
	}
}

// activate is rotate for a named key, refused in SPIRE's words if that key is not the prepared one.
func (r *ring) activate(id string) (*signingKey, error) {
	switch {
	case id == "":
		return nil, apiError(codes.InvalidArgument, "no authority ID provided", nil)
	case r.next == nil || r.next.id != id:
		return nil, apiError(codes.InvalidArgument, "unexpected authority ID", nil)
	case r.next.status != keyPrepared:
		return nil, apiError(codes.Internal, "only Prepared authorities can be activated", fmt.Errorf("unsupported local authority status: %v", r.next.status))
	}
	r.rotate()
	return r.current, nil
}

// taint marks the old key in the bundle.
func (r *ring) taint(id string) (*signingKey, error) {
	switch {
	case id == "":
		return nil, apiError(codes.InvalidArgument, "no authority ID provided", nil)
	case id == r.current.id:
		return nil, apiError(codes.InvalidArgument, "unable to taint current local authority", nil)
	case r.next == nil || r.next.id != id:
		return nil, apiError(codes.InvalidArgument, "unexpected authority ID", nil)
	case r.next.status != keyOld:
		return nil, apiError(codes.InvalidArgument, "only Old local authorities can be tainted", fmt.Errorf("unsupported local authority status: %v", r.next.status))
	}
	i := slices.IndexFunc(r.published, func(k authorityKey) bool { return k.id == id })
	if i < 0 {
		return nil, status.Error(codes.NotFound, "no authority found with provided ID")
	}
	r.published = slices.Clone(r.published)
	r.published[i].tainted = true
	return r.next, nil
}

// drop takes a key out of the bundle.
func (r *ring) drop(id string) {
	r.published = slices.DeleteFunc(slices.Clone(r.published), func(k authorityKey) bool { return k.id == id })
	if r.next != nil && r.next.id == id {
		r.next = nil
	}
}

// prune drops what neither signs nor is prepared to.
func (r *ring) prune() {
	for _, k := range slices.Clone(r.published) {
		prepared := r.next != nil && r.next.id == k.id && r.next.status == keyPrepared
		if k.id != r.current.id && !prepared {
			r.drop(k.id)
		}
	}
}

func (s keyStatus) String() string {
	return [...]string{"PREPARED", "ACTIVE", "OLD"}[s]
}

// authority is the server's CA manager and its bundle. It is safe for concurrent use.
type authority struct {
	td  spiffeid.TrustDomain
	now func() time.Time
	ttl time.Duration

	mu       sync.Mutex
	jwt      ring
	x509     ring
	sequence uint64
}

// newAuthority has one active key of each kind.
func newAuthority(td spiffeid.TrustDomain, ttl time.Duration, now func() time.Time) (*authority, error) {
	a := &authority{td: td, now: now, ttl: ttl}
	a.jwt.generate, a.x509.generate = a.newJWTKey, a.newX509CA
	for _, r := range []*ring{&a.jwt, &a.x509} {
		if _, err := r.prepare(); err != nil {
			return nil, err
		}
		r.rotate()
	}
	return a, nil
}

// change runs f on the rings and counts it as a new version of the bundle if it went well.
func (a *authority) change(f func() (*signingKey, error)) (signingKey, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, err := f()
	if err != nil {
		return signingKey{}, err
	}
	a.sequence++
	if k == nil {
		return signingKey{}, nil
	}
	return *k, nil
}

func (a *authority) jwtPrepare() (signingKey, error) { return a.change(a.jwt.prepare) }

func (a *authority) jwtRotate() {
	_, _ = a.change(func() (*signingKey, error) { a.jwt.rotate(); return nil, nil })
}

func (a *authority) pruneJWT() {
	_, _ = a.change(func() (*signingKey, error) { a.jwt.prune(); return nil, nil })
}

// revokeJWT takes a key out of the bundle, refused in SPIRE's words if it signs, is prepared, or is not there.
func (a *authority) revokeJWT(id string) error {
	_, err := a.change(func() (*signingKey, error) {
		if err := a.jwt.revocable(id); err != nil {
			return nil, apiError(codes.InvalidArgument, "invalid authority ID", err)
		}
		a.jwt.drop(id)
		return nil, nil
	})
	return err
}

// revocable is SPIRE's rule for JWT authorities: any key of the bundle but those in use.
func (r *ring) revocable(id string) error {
	switch {
	case id == "":
		return errors.New("no authority ID provided")
	case r.next != nil && r.next.id == id && r.next.status == keyPrepared:
		return errors.New("unable to use a prepared key")
	case r.current.id == id:
		return errors.New("unable to use current authority")
	case !slices.ContainsFunc(r.published, func(k authorityKey) bool { return k.id == id }):
		return errors.New("no JWT authority found with provided authority ID")
	}
	return nil
}

// revokeX509 takes a CA out of the bundle; SPIRE allows it for the one in the old slot alone.
func (a *authority) revokeX509(id string) error {
	_, err := a.change(func() (*signingKey, error) {
		switch {
		case id == "":
			return nil, apiError(codes.InvalidArgument, "invalid authority ID", errors.New("no authority ID provided"))
		case id == a.x509.current.id:
			return nil, apiError(codes.InvalidArgument, "invalid authority ID", errors.New("unable to use current authority"))
		case a.x509.next == nil || a.x509.next.id != id || a.x509.next.status != keyOld:
			return nil, apiError(codes.InvalidArgument, "invalid authority ID", errors.New("only Old local authority can be revoked"))
		}
		a.x509.drop(id)
		return nil, nil
	})
	return err
}

// slots are copies of the current and the next key of one kind; next is nil if the slot is empty.
func (a *authority) slots(r *ring) (current signingKey, next *signingKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.next != nil {
		n := *r.next
		next = &n
	}
	return *r.current, next
}

func (a *authority) jwtSigner() signingKey {
	k, _ := a.slots(&a.jwt)
	return k
}

func (a *authority) x509Signer() signingKey {
	k, _ := a.slots(&a.x509)
	return k
}

// bundle is the trust bundle as it is now. Its slices are never changed after.
func (a *authority) bundle() *bundle {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &bundle{td: a.td, jwt: slices.Clip(a.jwt.published), x509: slices.Clip(a.x509.published), sequence: a.sequence}
}

func (a *authority) newJWTKey() (*signingKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate JWT key: %w", err)
	}
	return &signingKey{id: rand.Text(), signer: key, notAfter: a.now().Add(a.ttl)}, nil
}

// newX509CA signs itself; its ID is its subject key ID in hex, as in SPIRE.
func (a *authority) newX509CA() (*signingKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate CA key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Country: []string{"US"}, Organization: []string{"SPIFFE"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(a.ttl),
		URIs:                  []*url.URL{a.td.ID().URL()},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse CA certificate: %w", err)
	}
	return &signingKey{id: hex.EncodeToString(cert.SubjectKeyId), signer: key, cert: cert, notAfter: cert.NotAfter}, nil
}

// newSerial is a positive number of 127 bits.
func newSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}
