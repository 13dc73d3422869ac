// Package discover stands in for github.com/hashicorp/go-discover, by which
// Vault's raft storage finds its peers in a cloud. The lab's Vault has neither
// raft nor a cloud, and the real module is half of what Vault compiles: every
// cloud's client. Here nothing is ever found.
package discover

import (
	"errors"
	"log"
)

// errAbsent is the answer to every search.
var errAbsent = errors.New("discovery of peers is not in the lab's Vault")

// Config is the parsed form of a discovery expression.
type Config map[string]string

// String is the expression again.
func (Config) String() string { return "" }

// Parse refuses every expression.
func Parse(string) (Config, error) { return nil, errAbsent }

// Provider finds addresses in one cloud.
type Provider interface {
	Addrs(args map[string]string, l *log.Logger) ([]string, error)
	Help() string
}

// Providers is empty here.
var Providers = map[string]Provider{}

// Discover finds nothing.
type Discover struct{}

// Option changes a Discover.
type Option func(*Discover) error

// WithProviders is accepted and ignored.
func WithProviders(map[string]Provider) Option { return func(*Discover) error { return nil } }

// New returns a Discover.
func New(...Option) (*Discover, error) { return &Discover{}, nil }

// Addrs refuses.
func (*Discover) Addrs(string, *log.Logger) ([]string, error) { return nil, errAbsent }
