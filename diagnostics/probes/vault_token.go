package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// TokenArgs say whose token to look up.
type TokenArgs struct {
	Service      string `cel:"service"`
	AccessorFile string `cel:"accessor_file"` // empty: the newest accessor in the service's logs
}

// Token is the state of the Vault token of a service. All but Found,
// AccessorFrom and AccessorAt is zero when it was not found.
type Token struct {
	Found          bool          `cel:"found"`         // false: Vault does not know the accessor any more
	AccessorFrom   string        `cel:"accessor_from"` // file or logs
	AccessorAt     time.Time     `cel:"accessor_at"`   // when the file was written or the event logged
	TTL            time.Duration `cel:"ttl"`
	ExplicitMaxTTL time.Duration `cel:"explicit_max_ttl"`
	HasMaxTTL      bool          `cel:"has_max_ttl"`  // whether ExplicitMaxTTL is set
	MaxTTLLeft     time.Duration `cel:"max_ttl_left"` // 0 without HasMaxTTL
	Renewable      bool          `cel:"renewable"`
	Type           string        `cel:"type"` // service or batch
	Policies       []string      `cel:"policies"`
	Orphan         bool          `cel:"orphan"`
	IssuedAt       time.Time     `cel:"issued_at"`
	Period         time.Duration `cel:"period"`
	CanRenewSelf   bool          `cel:"can_renew_self"`
}

// AccessArgs say whose token to ask about, and the paths.
type AccessArgs struct {
	Service      string   `cel:"service"`
	AccessorFile string   `cel:"accessor_file"`
	Paths        []string `cel:"paths"` // without a leading slash
}

// Access is what a token may do. Paths is empty when the token was not found.
type Access struct {
	Found bool         `cel:"found"`
	Paths []PathAccess `cel:"paths"`
}

// PathAccess is what a token may do on one path.
type PathAccess struct {
	Path         string   `cel:"path"`
	Capabilities []string `cel:"capabilities"`
	CanRead      bool     `cel:"can_read"`
	CanUpdate    bool     `cel:"can_update"`
}

func tokenGrants(TokenArgs) []diagnostics.Grant { return nil }

func accessGrants(AccessArgs) []diagnostics.Grant { return nil }

func (v vaultProbes) token(ctx context.Context, args TokenArgs) (Token, []diagnostics.Evidence, error) {
	return Token{}, nil, notReady()
}

func (v vaultProbes) access(ctx context.Context, args AccessArgs) (Access, []diagnostics.Evidence, error) {
	return Access{}, nil, notReady()
}
