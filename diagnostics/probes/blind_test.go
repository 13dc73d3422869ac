package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tandem/diagnostics"
)

func TestNetworkProblemGoesByKind(t *testing.T) {
	_, missing := net.Dial("unix", filepath.Join(t.TempDir(), "no.sock"))
	_, refused := net.Dial("tcp", closedPort(t))
	for _, c := range []struct {
		err    error
		want   string
		reason diagnostics.Reason
	}{
		{missing, problemMissing, diagnostics.ReasonUnreachable},
		{refused, problemRefused, diagnostics.ReasonUnreachable},
		{context.DeadlineExceeded, problemTimeout, diagnostics.ReasonTimeout},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), problemTimeout, diagnostics.ReasonTimeout},
		{&net.DNSError{IsTimeout: true}, problemTimeout, diagnostics.ReasonTimeout},
		{&net.DNSError{IsNotFound: true}, problemDNS, diagnostics.ReasonUnreachable},
		{x509.CertificateInvalidError{Reason: x509.Expired}, problemCertExpired, diagnostics.ReasonUnreachable},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, problemTLS, diagnostics.ReasonUnreachable},
		{tls.RecordHeaderError{}, problemTLS, diagnostics.ReasonUnreachable},
		{errors.New("connection refused"), problemOther, diagnostics.ReasonError},
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, problemOther, diagnostics.ReasonUnreachable},
	} {
		if got := networkProblem(c.err); got != c.want {
			t.Errorf("networkProblem(%v) = %s, want %s", c.err, got, c.want)
		}
		if got := blindNetwork("ask", diagnostics.Text{}, c.err).Reason; got != c.reason {
			t.Errorf("blindNetwork(%v) is for %s, want %s", c.err, got, c.reason)
		}
	}
}

func TestBlindErrorsKeepTheKindAndLoseTheSecret(t *testing.T) {
	err := fmt.Errorf("dial mongodb://u:%s@db: %w", canary, syscall.EHOSTUNREACH)
	blind := blindNetwork("ask", diagnostics.Text{}, err)
	noCanary(t, blind)
	if !errors.Is(blind, syscall.EHOSTUNREACH) {
		t.Error("the kind is lost")
	}
}

func TestBlindStatus(t *testing.T) {
	for status, want := range map[int]diagnostics.Reason{
		http.StatusTooManyRequests:     diagnostics.ReasonThrottled,
		http.StatusUnauthorized:        diagnostics.ReasonDenied,
		http.StatusForbidden:           diagnostics.ReasonDenied,
		http.StatusProxyAuthRequired:   diagnostics.ReasonDenied,
		http.StatusInternalServerError: diagnostics.ReasonUnavailable,
		http.StatusGatewayTimeout:      diagnostics.ReasonTimeout,
		http.StatusFound:               diagnostics.ReasonGarbage,
		http.StatusBadRequest:          diagnostics.ReasonError,
	} {
		blind := blindStatus("GET /x", "Loki", status, []byte(`parse error near "password=`+canary+`"`))
		if blind.Reason != want {
			t.Errorf("status %d is %s, want %s", status, blind.Reason, want)
		}
		noCanary(t, blind)
	}
}

func TestShellQuotes(t *testing.T) {
	for word, want := range map[string]string{
		"":               "''",
		"plain-1.2/x:=@": "plain-1.2/x:=@",
		"a b":            "'a b'",
		"it's":           `'it'\''s'`,
		"$(rm)":          "'$(rm)'",
		"query=up{a}":    "'query=up{a}'",
		"ü":              "'ü'",
	} {
		if got := shell(word); got != want {
			t.Errorf("shell(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestCleanRedactsBeforeItCuts(t *testing.T) {
	text := "token=" + strings.Repeat("x", 10) + canary
	if got := clean(text, 12); strings.Contains(got, "xx") {
		t.Errorf("clean left the start of a secret: %q", got)
	}
	if got := clean(strings.Repeat("é", 10), 5); got != "éé…" {
		t.Errorf("clean cut a letter: %q", got)
	}
	if got := clean("a\xffb", 10); got != "a�b" {
		t.Errorf("clean left bad text: %q", got)
	}
}

func TestWithinLeavesTimeToSpeak(t *testing.T) {
	outer := deadline(t, time.Minute)
	ctx, cancel := within(outer)
	defer cancel()
	whole, _ := outer.Deadline()
	part, ok := ctx.Deadline()
	if !ok || !part.Before(whole) {
		t.Errorf("the inner deadline %v is not before %v", part, whole)
	}
	ctx, cancel = within(context.WithoutCancel(outer))
	defer cancel()
	if _, ok := ctx.Deadline(); !ok {
		t.Error("no deadline at all")
	}
}

func TestParallelPanicsInTheCaller(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic is lost")
		}
	}()
	parallel(3, func(i int) {
		if i == 1 {
			panic("broken")
		}
	})
}
