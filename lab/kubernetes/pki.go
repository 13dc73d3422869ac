package kubernetes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLife is longer than any lab runs.
const certificateLife = 30 * 24 * time.Hour

// Files are the keys and certificates of a cluster, in one folder that only its
// owner enters.
type Files struct{ Dir string }

// The files, each PEM.
func (f Files) CA() string            { return filepath.Join(f.Dir, "ca.crt") }
func (f Files) ServerCert() string    { return filepath.Join(f.Dir, "apiserver.crt") }
func (f Files) ServerKey() string     { return filepath.Join(f.Dir, "apiserver.key") }
func (f Files) AccountsKey() string   { return filepath.Join(f.Dir, "service-accounts.key") }
func (f Files) AdminCert() string     { return filepath.Join(f.Dir, "admin.crt") }
func (f Files) AdminKey() string      { return filepath.Join(f.Dir, "admin.key") }
func (f Files) KubeletCert() string   { return filepath.Join(f.Dir, "kubelet.crt") }
func (f Files) KubeletKey() string    { return filepath.Join(f.Dir, "kubelet.key") }
func (f Files) ToKubeletCert() string { return filepath.Join(f.Dir, "apiserver-kubelet-client.crt") }

func (f Files) ToKubeletKey() string { return filepath.Join(f.Dir, "apiserver-kubelet-client.key") }

// toKubelet is the name under which the API server asks the kubelet.
const toKubelet = "kube-apiserver-kubelet-client"

// MakeFiles makes a certificate authority and all that it signs. The authority's
// key is not kept: nothing is signed later.
func MakeFiles(dir string) (Files, error) {
	f := Files{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return f, fmt.Errorf("make the folder of the cluster's keys: %w", err)
	}
	ca, err := newAuthority()
	if err != nil {
		return f, fmt.Errorf("make the cluster's certificate authority: %w", err)
	}
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return f, fmt.Errorf("make the key of service accounts: %w", err)
	}
	admin := pkix.Name{CommonName: "lab-admin", Organization: []string{"system:masters"}}
	err = errors.Join(
		writePEM(f.CA(), "CERTIFICATE", ca.cert.Raw),
		writeKey(f.AccountsKey(), accounts),
		ca.issue(pkix.Name{CommonName: "kube-apiserver"}, x509.ExtKeyUsageServerAuth, f.ServerCert(), f.ServerKey()),
		ca.issue(pkix.Name{CommonName: "kubelet"}, x509.ExtKeyUsageServerAuth, f.KubeletCert(), f.KubeletKey()),
		ca.issue(admin, x509.ExtKeyUsageClientAuth, f.AdminCert(), f.AdminKey()),
		ca.issue(pkix.Name{CommonName: toKubelet}, x509.ExtKeyUsageClientAuth, f.ToKubeletCert(), f.ToKubeletKey()),
	)
	if err != nil {
		return f, fmt.Errorf("write the cluster's keys: %w", err)
	}
	return f, nil
}

// authority signs certificates for as long as it is in memory.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority() (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template, err := certificate(pkix.Name{CommonName: "tandem-lab-kubernetes"})
	if err != nil {
		return authority{}, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(raw)
	return authority{cert: cert, key: key}, err
}

// issue writes a new key and its certificate, which is for loopback.
func (a authority) issue(name pkix.Name, usage x509.ExtKeyUsage, certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template, err := certificate(name)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	template.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return errors.Join(writePEM(certFile, "CERTIFICATE", raw), writeKey(keyFile, key))
}

func certificate(name pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: name, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
	}, err
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", raw)
}

func writePEM(file, kind string, raw []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600)
}
