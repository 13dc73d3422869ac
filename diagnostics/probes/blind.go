package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"tandem/diagnostics"
)

// Problems of a connection, as facts name them.
const (
	problemRefused     = "refused"
	problemMissing     = "missing" // no such socket file
	problemTimeout     = "timeout"
	problemDNS         = "dns"
	problemTLS         = "tls"
	problemCertExpired = "certificate_expired"
	problemOther       = "error"
)

// Systems whose names are words.
const (
	theWorkloadAPI  = "the Workload API"
	theOIDCProvider = "the OIDC provider"
)

// networkProblem names what kept a connection from working, by the kind of the
// error and never by its text.
func networkProblem(err error) string {
	var (
		dns     *net.DNSError
		invalid x509.CertificateInvalidError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return problemTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return problemRefused
	case errors.Is(err, fs.ErrNotExist):
		return problemMissing
	case errors.As(err, &dns) && dns.IsNotFound:
		return problemDNS
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return problemCertExpired
	case errors.As(err, &cert), errors.As(err, &record):
		return problemTLS
	case errors.As(err, &timeout) && timeout.Timeout():
		return problemTimeout
	}
	return problemOther
}

// problemReasons are the problems in the words of a BlindError.
func problemReason(problem string) diagnostics.Reason {
	switch problem {
	case problemTimeout:
		return diagnostics.ReasonTimeout
	case problemRefused, problemMissing, problemDNS, problemTLS, problemCertExpired:
		return diagnostics.ReasonUnreachable
	}
	return diagnostics.ReasonError
}

// blindNetwork says that a question got no answer. The error's text is foreign:
// it may repeat a URL with its user and password.
func blindNetwork(doing string, next diagnostics.Text, err error) *diagnostics.BlindError {
	var blind *diagnostics.BlindError
	if errors.As(err, &blind) {
		return blind
	}
	problem := networkProblem(err)
	detail := problemText(problem)
	if problem == problemOther {
		detail = clean(err.Error(), maxDetail)
		if reached(err) {
			problem = problemRefused // a connection that broke: unreachable, too
		}
	}
	return &diagnostics.BlindError{Reason: problemReason(problem), Detail: doing + ": " + detail, Next: next, Err: redacted{err}}
}

// reached tells network errors from programming errors.
func reached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed)
}

func problemText(problem string) string {
	switch problem {
	case problemRefused:
		return "connection refused"
	case problemMissing:
		return "no such socket"
	case problemTimeout:
		return "no answer before the deadline"
	case problemDNS:
		return "no such host"
	case problemTLS:
		return "the TLS handshake failed: the certificate is not trusted, or this is not a TLS port"
	case problemCertExpired:
		return "the server's certificate has expired"
	}
	return problem
}

// blindGarbage says that something answered that is not the system asked.
func blindGarbage(doing, system, what string) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonGarbage,
		Detail: doing + ": the answer is not " + system + "'s: " + clean(what, maxDetail),
		Next: diagnostics.Both("check that the configured address is "+system+"'s own and that no proxy or login page answers for it",
			"verifique se no endereço configurado quem responde é mesmo "+inPortuguese(system)+", e não um proxy ou uma página de login"),
	}
}

// inPortuguese names a system with its article: "o Vault".
func inPortuguese(system string) string {
	switch system {
	case theWorkloadAPI:
		return "a Workload API"
	case theOIDCProvider:
		return "o provedor OIDC"
	}
	return "o " + system
}

// notConfigured says which key of the configuration to set: one of those.
func notConfigured(what string, keys ...string) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonNotConfigured,
		Detail: what + " is not configured",
		Next: diagnostics.Both("set "+strings.Join(keys, " or ")+" in the bot's configuration",
			"defina "+strings.Join(keys, " ou ")+" na configuração do bot"),
	}
}

// correct says which key of the configuration holds something wrong.
func correct(key string) diagnostics.Text { return diagnostics.Both("correct "+key, "corrija "+key) }

// redacted keeps the kind of a foreign error and redacts its text.
type redacted struct{ err error }

func (r redacted) Error() string { return clean(r.err.Error(), maxDetail) }

func (r redacted) Unwrap() error { return r.err }
