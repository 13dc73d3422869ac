package main

import (
	"maps"
	"slices"

	credjwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/userpass"
	"github.com/hashicorp/vault/builtin/logical/database"
	"github.com/hashicorp/vault/plugins/database/postgresql"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// builtins is the catalogue of plugins inside this binary. It stands in for
// Vault's own, which links every cloud's client.
type builtins struct {
	auth      map[string]logical.Factory
	secrets   map[string]logical.Factory
	databases map[string]func() (any, error)
}

func newBuiltins() builtins {
	return builtins{
		auth:      map[string]logical.Factory{"approle": approle.Factory, "jwt": credjwt.Factory, "userpass": userpass.Factory},
		secrets:   map[string]logical.Factory{"kv": kv.Factory, "database": database.Factory},
		databases: map[string]func() (any, error){"postgresql-database-plugin": postgresql.New},
	}
}

// Get returns the maker of the named plugin, in the form Vault's loader expects.
func (b builtins) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	switch kind {
	case consts.PluginTypeCredential:
		return backend(b.auth, name)
	case consts.PluginTypeSecrets:
		return backend(b.secrets, name)
	case consts.PluginTypeDatabase:
		maker, ok := b.databases[name]
		return maker, ok
	default:
		return nil, false
	}
}

// backend wraps a factory as a maker of that factory.
func backend(from map[string]logical.Factory, name string) (func() (any, error), bool) {
	factory, ok := from[name]
	if !ok {
		return nil, false
	}
	return func() (any, error) { return factory, nil }, true
}

// Contains says whether the plugin is built in.
func (b builtins) Contains(name string, kind consts.PluginType) bool {
	return slices.Contains(b.Keys(kind), name)
}

// Keys lists the names of the built-in plugins of one kind.
func (b builtins) Keys(kind consts.PluginType) []string {
	switch kind {
	case consts.PluginTypeCredential:
		return slices.Sorted(maps.Keys(b.auth))
	case consts.PluginTypeSecrets:
		return slices.Sorted(maps.Keys(b.secrets))
	case consts.PluginTypeDatabase:
		return slices.Sorted(maps.Keys(b.databases))
	default:
		return nil
	}
}

// DeprecationStatus says that nothing here is deprecated.
func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

// IsBuiltinEntPlugin says that nothing here is from the paid edition.
func (b builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
