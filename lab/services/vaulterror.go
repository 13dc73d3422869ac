package services

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"
)

// errIdentity is a login that failed before Vault was asked: there was no JWT-SVID to log in with.
var errIdentity = errors.New("no identity")

// vaultStatus is the HTTP status with which Vault answered, and 0 when it did not answer.
func vaultStatus(err error) int {
	var response *api.ResponseError
	if errors.As(err, &response) {
		return response.StatusCode
	}
	return 0
}

// errorClass names a failure by its mechanism, in few words that a search can rely on.
func errorClass(err error) string {
	var netErr net.Error
	switch code := vaultStatus(err); {
	case code == http.StatusBadRequest:
		return "invalid_request"
	case code == http.StatusForbidden:
		return "permission_denied"
	case code == http.StatusNotFound:
		return "not_found"
	case code == http.StatusTooManyRequests:
		return "rate_limited"
	case code == http.StatusServiceUnavailable:
		return "sealed"
	case code != 0:
		return "server_error"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "timeout"
	case errors.As(err, &netErr):
		return "unreachable"
	case errors.Is(err, errIdentity):
		return "identity"
	}
	return "malformed_answer"
}

// vaultFields describe a failed request to Vault, without a word that could hold a credential.
func vaultFields(err error) slog.Attr {
	fields := []any{slog.String("error_class", errorClass(err)), slog.String("error", vaultText(err))}
	if code := vaultStatus(err); code != 0 {
		fields = append(fields, slog.Int("status_code", code))
	}
	return slog.Group("", fields...) // no name: the fields stand beside the event's own
}

// vaultText is Vault's own errors where there are some: the client's text repeats the request's URL around them.
func vaultText(err error) string {
	var response *api.ResponseError
	if errors.As(err, &response) && len(response.Errors) > 0 {
		return clean(strings.Join(response.Errors, "; "))
	}
	return clean(err.Error())
}
