package probes

import (
	"context"
	"crypto/tls"
	"time"

	"tandem/diagnostics"
)

// MongoHostsArgs name hosts.
type MongoHostsArgs struct {
	Hosts []string `cel:"hosts"` // host:port
}

// MongoHosts is how hosts answered a greeting, in the order in which they were
// named.
type MongoHosts struct {
	Hosts     []MongoHost `cel:"hosts"`
	Reachable int64       `cel:"reachable"`
	Primaries int64       `cel:"primaries"`
}

// MongoHost is one host.
type MongoHost struct {
	Address   string `cel:"address"`
	Reachable bool   `cel:"reachable"`
	Problem   string `cel:"problem"` // "", refused, timeout, dns, not_mongodb
	Primary   bool   `cel:"primary"` // takes writes
}

// MongoURIArgs name the service whose URI to check.
type MongoURIArgs struct {
	Service string `cel:"service"`
}

// URIShape is what may be known of a MongoDB URI. All but Valid and Problem is
// zero when it is not valid, because a wrong URI can put part of the password
// where a host is expected.
type URIShape struct {
	Valid          bool     `cel:"valid"`
	Problem        string   `cel:"problem"`
	Hosts          []string `cel:"hosts"`
	AuthSource     string   `cel:"auth_source"`
	HasCredentials bool     `cel:"has_credentials"`
}

type mongodbProbes struct {
	uris map[string]func(context.Context) (string, error)
	tls  *tls.Config
	now  func() time.Time
}

func (p mongodbProbes) hosts(ctx context.Context, args MongoHostsArgs) (MongoHosts, []diagnostics.Evidence, error) {
	return MongoHosts{}, nil, notReady()
}

func (p mongodbProbes) uri(ctx context.Context, args MongoURIArgs) (URIShape, []diagnostics.Evidence, error) {
	return URIShape{}, nil, notReady()
}
