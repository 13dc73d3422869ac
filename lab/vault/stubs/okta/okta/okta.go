// Package okta stands in for github.com/okta/okta-sdk-golang/v5, which Vault
// uses for one kind of login MFA. The lab has none, and the real package alone
// takes over two gigabytes of memory to compile. Here every call is refused.
package okta

import (
	"context"
	"errors"
)

// errAbsent is the answer to every call.
var errAbsent = errors.New("okta MFA is not in the lab's Vault")

// Configuration is where the real one keeps how to reach Okta.
type Configuration struct{ Context context.Context }

// ConfigSetter changes a Configuration.
type ConfigSetter func(*Configuration)

// WithToken is accepted and ignored, as are the next two.
func WithToken(string) ConfigSetter { return func(*Configuration) {} }

// WithOrgUrl is accepted and ignored.
func WithOrgUrl(string) ConfigSetter { return func(*Configuration) {} }

// WithCache is accepted and ignored.
func WithCache(bool) ConfigSetter { return func(*Configuration) {} }

// NewConfiguration refuses, so that no client is ever made.
func NewConfiguration(...ConfigSetter) (*Configuration, error) { return nil, errAbsent }

// APIClient has the calls that Vault makes.
type APIClient struct {
	UserAPI       userAPI
	UserFactorAPI userFactorAPI
	config        *Configuration
}

// NewAPIClient returns a client that refuses every call.
func NewAPIClient(config *Configuration) *APIClient { return &APIClient{config: config} }

// GetConfig returns the configuration.
func (c *APIClient) GetConfig() *Configuration { return c.config }

// APIResponse is the raw answer.
type APIResponse struct{}

// User is one account.
type User struct{}

// GetId returns the account's id.
func (User) GetId() string { return "" }

// UserFactorPush is a telephone that can be asked.
type UserFactorPush struct{}

// GetId returns the factor's id.
func (UserFactorPush) GetId() string { return "" }

// Factor is one of an account's factors.
type Factor struct{ UserFactorPush *UserFactorPush }

// Verification is the answer to asking a factor.
type Verification struct{ Links map[string]any }

// GetFactorResult returns how the asking stands.
func (Verification) GetFactorResult() string { return "" }

// Transaction is the answer to how the asking ended.
type Transaction struct {
	UserFactorPushTransaction         *struct{}
	UserFactorPushTransactionRejected *struct{}
	UserFactorPushTransactionTimeout  *struct{}
	UserFactorPushTransactionWaiting  *struct{}
}

// call is one call that is refused.
type call[T any] struct{}

// Filter is accepted and ignored.
func (c call[T]) Filter(string) call[T] { return c }

// Execute refuses.
func (call[T]) Execute() (result T, response *APIResponse, err error) { return result, nil, errAbsent }

type userAPI struct{}

// ListUsers lists the accounts.
func (userAPI) ListUsers(context.Context) call[[]User] { return call[[]User]{} }

type userFactorAPI struct{}

// ListFactors lists an account's factors.
func (userFactorAPI) ListFactors(context.Context, string) call[[]Factor] { return call[[]Factor]{} }

// VerifyFactor asks a factor.
func (userFactorAPI) VerifyFactor(context.Context, string, string) call[*Verification] {
	return call[*Verification]{}
}

// GetFactorTransactionStatus says how the asking stands.
func (userFactorAPI) GetFactorTransactionStatus(context.Context, string, string, string) call[*Transaction] {
	return call[*Transaction]{}
}
